#include "postgres/directory_requests.h"

#include <poll.h>

#include <algorithm>
#include <utility>

namespace restante {
namespace {

constexpr std::chrono::seconds breaker_pause{1};

}  // namespace

void directory_requests::nudge() { wake_.signal(); }

void directory_requests::wait(int socket, steady::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady::now()).count();
  pollfd watched[] = {{wake_.get(), POLLIN, 0}, {socket, POLLIN, 0}};
  poll(watched, 2, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
  wake_.clear();
}

bool directory_requests::refuses() const {
  return steady::now() < refused_until_ || lookups_.size() >= most_lookups;
}

bool directory_requests::is_stuck() const {
  const auto is_old = [](steady::time_point since) { return steady::now() - since > long_while; };
  if (taken_at_) return is_old(*taken_at_);
  return !lookups_.empty() && is_old(lookups_.front().asked_at);
}

void directory_requests::push(pending request) {
  request.asked_at = steady::now();
  lookups_.push_back(std::move(request));
  nudge();
}

bool directory_requests::submit(lookup request) {
  const std::lock_guard lock(mutex_);
  if (refuses()) return false;
  push({std::move(request), 0, {}});
  return true;
}

std::optional<lookup_result> directory_requests::find(lookup request, std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  lookup_result unavailable;
  unavailable.ticket = request.ticket;
  if (refuses() || is_stuck()) return unavailable;
  const std::uint64_t waiter = ++last_waiter_;
  const auto mine = waiters_.emplace(waiter, std::nullopt).first;
  push({std::move(request), waiter, {}});
  answered_.wait_for(lock, timeout, [&] { return mine->second.has_value(); });
  std::optional<lookup_result> answer = std::move(mine->second);
  waiters_.erase(mine);
  return answer;
}

std::optional<directory_requests::pending> directory_requests::take_lookup() {
  const std::lock_guard lock(mutex_);
  taken_at_.reset();
  while (!lookups_.empty()) {
    pending next = std::move(lookups_.front());
    lookups_.pop_front();
    if (next.waiter != 0 && !waiters_.contains(next.waiter)) continue;
    taken_at_ = steady::now();
    return next;
  }
  return std::nullopt;
}

void directory_requests::answer(std::uint64_t waiter, lookup_result found) {
  const std::lock_guard lock(mutex_);
  const auto waiting = waiters_.find(waiter);
  if (waiting == waiters_.end()) return;
  waiting->second = std::move(found);
  answered_.notify_all();
}

bool directory_requests::add(std::set<std::string>& to, std::span<const std::string> names) {
  const std::lock_guard lock(mutex_);
  if (to.size() + names.size() > most_names) return false;
  to.insert(names.begin(), names.end());
  nudge();
  return true;
}

void directory_requests::put_back(std::set<std::string>& to, std::span<const std::string> names) {
  const std::lock_guard lock(mutex_);
  to.insert(names.begin(), names.end());
}

std::vector<std::string> directory_requests::take(std::set<std::string>& from, std::size_t most) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> taken;
  while (!from.empty() && taken.size() < most) taken.push_back(from.extract(from.begin()).value());
  return taken;
}

bool directory_requests::profile(profile_request wanted) {
  const std::lock_guard lock(mutex_);
  if (profiles_.size() >= most_profiles) return false;
  profiles_.push_back(std::move(wanted));
  nudge();
  return true;
}

std::vector<profile_request> directory_requests::take_profiles(std::size_t most) {
  const std::lock_guard lock(mutex_);
  std::vector<profile_request> taken;
  while (!profiles_.empty() && taken.size() < most) {
    taken.push_back(std::move(profiles_.front()));
    profiles_.pop_front();
  }
  return taken;
}

void directory_requests::put_back_profiles(std::span<profile_request> requests) {
  const std::lock_guard lock(mutex_);
  for (auto& each : requests) profiles_.push_back(std::move(each));
}

bool directory_requests::has_lookup() const {
  const std::lock_guard lock(mutex_);
  return !lookups_.empty();
}

bool directory_requests::has_names() const {
  const std::lock_guard lock(mutex_);
  return !accounts_.empty() || !groups_.empty() || !profiles_.empty();
}

void directory_requests::open_breaker() {
  const std::lock_guard lock(mutex_);
  refused_until_ = steady::now() + breaker_pause;
}

void directory_requests::close_breaker() {
  const std::lock_guard lock(mutex_);
  refused_until_ = {};
}

bool directory_requests::is_breaker_open() const {
  const std::lock_guard lock(mutex_);
  return steady::now() < refused_until_;
}

}  // namespace restante
