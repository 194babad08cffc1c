#include "broker/login.h"

#include <utility>

#include "core/names.h"

namespace restante {

login_answer login_desk::refuse(const login_attempt& attempt, std::string_view why) {
  // Names that are none are not repeated: they may hold anything.
  const std::string_view name = attempt.username == nullptr ? "" : attempt.username;
  lines_.write(log_level::info, "login of " + (is_account_name(name) ? std::string(name) : "nobody") +
                                    " refused: " + std::string(why));
  return login_answer::refused;
}

login_answer login_desk::put_off(const login_attempt& attempt, std::string_view why) {
  lines_.write(log_level::warning,
               "login of " + std::string(attempt.username) + " put off: " + std::string(why));
  return login_answer::unavailable;
}

login_answer login_desk::answer(const login_attempt& attempt) {
  if (attempt.username == nullptr || attempt.password == nullptr)
    return refuse(attempt, "no name or no password");
  if (!is_account_name(attempt.username)) return refuse(attempt, "the name is none that an account can have");
  if (!obstacle_.empty()) return put_off(attempt, obstacle_);

  const auto began_us = time_.steady_us();
  if (!budget_.may_begin(began_us)) return put_off(attempt, "logins have had their fifth of the time");

  lookup request;
  request.account = attempt.username;
  request.password = attempt.password;
  request.known_groups = office_.groups_with_rosters();
  auto found = directory_.find(std::move(request), longest_wait);
  budget_.spend(time_.steady_us() - began_us);

  if (!found) return put_off(attempt, "the directory did not answer in time");
  switch (found->outcome) {
    case lookup_outcome::unavailable:
      return put_off(attempt, "the database is away");
    case lookup_outcome::unknown:
      return refuse(attempt, "there is no such account");
    case lookup_outcome::wrong_password:
      return refuse(attempt, "the password is wrong, or the account has none");
    case lookup_outcome::inactive:
      return refuse(attempt, "the account is blocked or deleted");
    case lookup_outcome::found:
      break;
  }
  if (office_.client_id_is_taken(attempt.client_id, attempt.username)) {
    return refuse(attempt, "another account is connected with this client id");
  }
  auto rights = std::make_shared<const policy>(*found->record, prefix_);
  office_.connect(attempt.handle, attempt.client_id, std::move(rights), attempt.clean, attempt.may_persist,
                  attempt.takes_properties);
  for (auto& each : found->rosters) office_.set_roster(std::move(each));
  return login_answer::granted;
}

}  // namespace restante
