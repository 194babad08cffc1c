#include "postgres/directory_worker.h"

#include <string.h>

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include "core/names.h"
#include "postgres/describe_error.h"
#include "postgres/directory_reader.h"

namespace restante {
namespace {

using namespace std::chrono_literals;

constexpr auto poll_pause = 500ms;
constexpr std::size_t loads_at_once = 32;    // between two looks at what else is wanted
constexpr std::size_t most_unread = 10'000;  // results that the broker's thread has not taken

template <typename Record>
std::shared_ptr<const account_record> share(Record&& record) {
  return std::make_shared<const account_record>(std::forward<Record>(record));
}

}  // namespace

directory_worker::directory_worker(directory_settings settings, directory_thread::verify_function verify,
                                   directory_requests& requests, event_queue<directory_event>& results,
                                   interruption& breaks)
    : settings_(std::move(settings)),
      verify_(std::move(verify)),
      requests_(requests),
      results_(results),
      breaks_(breaks),
      reconnect_pause_(100ms, 5s) {}

void directory_worker::run() {
  while (!breaks_.tripped()) {
    try {
      step();
    } catch (const std::exception& mistake) {
      lose(std::string("a mistake in the directory: ") + mistake.what());
    }
    if (breaks_.tripped()) break;
    requests_.wait(connection_ ? connection_->socket() : -1, next_step());
  }
  connection_.reset();
}

directory_worker::steady::time_point directory_worker::next_step() const {
  if (!connection_) return connect_at_;
  const bool loads = requests_.has_names() && results_.unread() < most_unread;
  return requests_.has_lookup() || loads ? steady::time_point() : poll_at_;
}

void directory_worker::step() {
  // Somebody who waits is worth an attempt out of turn, but for once a second.
  if (!connection_ &&
      (steady::now() >= connect_at_ || (requests_.has_lookup() && !requests_.is_breaker_open()))) {
    connect();
  }
  if (connection_) {
    const auto notified = connection_->consume_notifications();
    if (!notified) {
      fail(notified.error());
    } else if (*notified > 0) {
      poll_at_ = {};
    }
  }
  answer_lookups();
  watch_changes();
  load_accounts();
  load_rosters();
  load_profiles();
}

void directory_worker::connect() {
  if (breaks_.tripped()) return;
  auto opened = connection::open({.database = settings_.database,
                                  .application_name = "restante directory",
                                  .connect_timeout = 2s,
                                  .statement_timeout = 2s,
                                  .interruption = breaks_.descriptor()});
  if (!opened) return lose(describe(opened.error()));
  connection_ = std::move(opened).value();
  if (auto listening = connection_->execute_script("listen restante_change"); !listening) {
    return fail(listening.error());
  }
  // Also shows whether the directory is there at all.
  poll_at_ = {};
  watch_changes();
  if (!connection_) return;
  reconnect_pause_.reset();
  lost_because_.clear();
  requests_.close_breaker();
  results_.push(directory_ready{});
}

void directory_worker::lose(const std::string& why) {
  connection_.reset();
  connect_at_ = steady::now() + reconnect_pause_.next();
  requests_.open_breaker();
  if (breaks_.tripped()) return;
  if (lost_because_ != why) results_.push(directory_lost{why});
  lost_because_ = why;
}

void directory_worker::fail(const database_error& why) {
  if (why.kind == database_failure::conflict && connection_ && connection_->is_usable()) {
    requests_.open_breaker();
    return;
  }
  lose(describe(why));
}

void directory_worker::answer_lookups() {
  while (auto next = requests_.take_lookup()) {
    lookup_result found = answer(next->what);
    found.ticket = next->what.ticket;
    if (next->what.password) explicit_bzero(next->what.password->data(), next->what.password->size());
    if (next->waiter != 0) {
      requests_.answer(next->waiter, std::move(found));
    } else {
      results_.push(std::move(found));
    }
    if (breaks_.tripped()) return;
  }
}

lookup_result directory_worker::answer(const lookup& asked) {
  // A connection may have died unnoticed while nobody used it: that costs a second attempt, not the login.
  for (int attempts = 0; attempts < 2; ++attempts) {
    if (!connection_ && attempts > 0) connect();
    if (!connection_) return {};
    auto found = look_up(asked);
    if (found) return std::move(found).value();
    fail(found.error());
  }
  return {};
}

bool directory_worker::verify(const lookup& asked, const std::optional<std::string>& hash) const {
  if (!asked.password) return true;
  const bool matches = verify_(*asked.password, hash ? *hash : settings_.decoy_hash);
  return hash && matches;
}

result<lookup_result> directory_worker::look_up(const lookup& asked) {
  lookup_result made;
  auto record = is_account_name(asked.account)
                    ? read_account(*connection_, asked.account)
                    : result<std::optional<account_record>>(std::optional<account_record>());
  if (!record) return record.error();
  const bool is_known = record->has_value();
  const bool matches = verify(asked, is_known ? (*record)->password_hash : std::nullopt);
  if (!is_known) {
    made.outcome = lookup_outcome::unknown;
    return made;
  }
  if (!matches) {
    made.outcome = lookup_outcome::wrong_password;
    return made;
  }
  made.record = share(std::move(**record));
  made.outcome = made.record->active ? lookup_outcome::found : lookup_outcome::inactive;
  if (!made.record->active) return made;

  std::vector<std::string> wanted;
  for (const membership& each : made.record->groups) {
    if (std::ranges::find(asked.known_groups, each.group) == asked.known_groups.end())
      wanted.push_back(each.group);
  }
  if (wanted.empty()) return made;
  auto rosters = read_rosters(*connection_, wanted, settings_.group_limit);
  if (!rosters) return rosters.error();
  made.rosters = std::move(rosters).value();
  return made;
}

void directory_worker::watch_changes() {
  if (!connection_ || steady::now() < poll_at_ || results_.unread() >= most_unread) return;
  poll_at_ = steady::now() + poll_pause;
  auto changed = feed_.poll(*connection_, steady::now());
  if (!changed) return fail(changed.error());
  if (*changed) results_.push(std::move(**changed));
}

void directory_worker::load_accounts() {
  if (!connection_ || results_.unread() >= most_unread) return;
  const std::vector<std::string> names = requests_.take_accounts(loads_at_once);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!is_account_name(names[i])) {
      results_.push(record_loaded{names[i], nullptr});
      continue;
    }
    auto record = read_account(*connection_, names[i]);
    if (!record) {
      requests_.put_back_accounts(std::span(names).subspan(i));
      return fail(record.error());
    }
    results_.push(record_loaded{names[i], *record ? share(std::move(**record)) : nullptr});
  }
}

void directory_worker::load_rosters() {
  if (!connection_ || results_.unread() >= most_unread) return;
  std::vector<std::string> names = requests_.take_groups(loads_at_once);
  std::erase_if(names, [](const std::string& name) { return !is_account_name(name); });
  if (names.empty()) return;
  auto rosters = read_rosters(*connection_, names, settings_.group_limit);
  if (!rosters) {
    requests_.put_back_groups(names);
    return fail(rosters.error());
  }
  for (const std::string& name : names) {
    const auto found = std::ranges::find(*rosters, name, &roster::group);
    results_.push(roster_loaded{found != rosters->end() ? std::move(*found) : roster{name, {}, true}});
  }
}

void directory_worker::load_profiles() {
  if (!connection_ || results_.unread() >= most_unread) return;
  std::vector<profile_request> wanted = requests_.take_profiles(loads_at_once);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    auto answer = read_profile(*connection_, wanted[i]);
    if (!answer) {
      requests_.put_back_profiles(std::span(wanted).subspan(i));
      return fail(answer.error());
    }
    results_.push(profile_loaded{std::move(answer).value()});
  }
}

}  // namespace restante
