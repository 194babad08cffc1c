#include "core/profile_desk.h"

#include <algorithm>
#include <utility>

namespace restante {

void profile_desk::want(const std::string& account, profile_state& state) {
  if (!std::exchange(state.is_wanted, true)) wanted_.push_back(account);
}

void profile_desk::watch(session_handle reader, std::string_view account) {
  const std::string name(account);
  profile_state& state = watched_[name];
  state.readers[reader] = {};
  want(name, state);
}

void profile_desk::unwatch(session_handle reader, std::string_view account) {
  const auto found = watched_.find(account);
  if (found == watched_.end()) return;
  found->second.readers.erase(reader);
  // While it is wanted or asked for, it stays, so that it stands in the queue once.
  if (found->second.readers.empty() && !found->second.is_wanted && !found->second.is_asked)
    watched_.erase(found);
}

void profile_desk::changed(const std::vector<std::string>& accounts) {
  for (const auto& each : accounts) {
    if (const auto found = watched_.find(each); found != watched_.end()) want(each, found->second);
  }
}

void profile_desk::changed_all() {
  for (auto& [account, state] : watched_) want(account, state);
}

void profile_desk::ask(profile_source& source, const std::function<std::string(session_handle)>& account_of) {
  for (auto left = wanted_.size(); left > 0 && asked_ < asked_at_once; --left) {
    const std::string account = std::move(wanted_.front());
    wanted_.pop_front();
    const auto found = watched_.find(account);
    if (found == watched_.end()) continue;
    profile_state& state = found->second;
    if (state.is_asked) {
      wanted_.push_back(account);  // when the answer under way has come
      continue;
    }
    state.is_wanted = false;
    profile_request request{account, {}};
    for (auto& [reader, its] : state.readers) {
      if (auto name = account_of(reader); !name.empty()) {
        request.readers.push_back(std::move(name));
        its.is_asked_for = true;
      }
    }
    if (request.readers.empty()) {
      watched_.erase(found);
      continue;
    }
    std::sort(request.readers.begin(), request.readers.end());
    request.readers.erase(std::unique(request.readers.begin(), request.readers.end()), request.readers.end());
    if (!source.read(std::move(request))) {
      for (auto& each : state.readers) each.second.is_asked_for = false;
      want(account, state);
      return;
    }
    state.is_asked = true;
    ++asked_;
  }
}

void profile_desk::answered(const profile_answer& answer, const std::function<void(session_handle)>& give,
                            const std::function<std::string(session_handle)>& account_of) {
  const auto found = watched_.find(answer.account);
  if (found == watched_.end() || !std::exchange(found->second.is_asked, false)) return;
  --asked_;
  std::vector<session_handle> to;
  for (auto& [reader, its] : found->second.readers) {
    // Who came later was not asked for: whether it is blocked, the next answer says.
    if (!std::exchange(its.is_asked_for, false) || answer.version <= its.given_version) continue;
    if (std::find(answer.blocked.begin(), answer.blocked.end(), account_of(reader)) != answer.blocked.end())
      continue;
    its.given_version = answer.version;
    to.push_back(reader);
  }
  if (found->second.readers.empty() && !found->second.is_wanted) watched_.erase(found);
  for (const auto reader : to) give(reader);
}

}  // namespace restante
