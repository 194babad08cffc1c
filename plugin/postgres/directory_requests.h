// What the broker's thread wants of the directory's, until that takes it; and the answers that it waits for.
//
// Threads: any; the directory's thread alone calls wait() and take_...().
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "postgres/directory_events.h"
#include "postgres/event_descriptor.h"

namespace restante {

class directory_requests {
 public:
  using steady = std::chrono::steady_clock;
  static constexpr std::size_t most_lookups = 1'024;
  static constexpr std::size_t most_names = 65'536;
  static constexpr std::size_t most_profiles = 1'024;
  static constexpr std::chrono::milliseconds long_while{100};

  directory_requests() = default;
  directory_requests(const directory_requests&) = delete;
  directory_requests& operator=(const directory_requests&) = delete;

  struct pending {
    lookup what;
    std::uint64_t waiter = 0;  // 0: nobody waits, the answer is a result
    steady::time_point asked_at{};
  };

  // False: unavailable, since the breaker is open or too many wait.
  bool submit(lookup request);
  // Unavailable at once also while another look-up takes longer than `long_while`.
  std::optional<lookup_result> find(lookup request, std::chrono::milliseconds timeout);
  bool reload(std::span<const std::string> accounts) { return add(accounts_, accounts); }
  bool rosters(std::span<const std::string> groups) { return add(groups_, groups); }
  bool profile(profile_request wanted);
  void nudge();
  int descriptor() const noexcept { return wake_.get(); }  // what wait() looks at

  // Until something is asked, `socket` (-1: none) is readable, or `until`.
  void wait(int socket, steady::time_point until);
  // The one before is done with. Look-ups that nobody waits for any more are passed over.
  std::optional<pending> take_lookup();
  // For one that somebody waits for; thrown away when nobody does any more.
  void answer(std::uint64_t waiter, lookup_result found);
  std::vector<std::string> take_accounts(std::size_t most) { return take(accounts_, most); }
  std::vector<std::string> take_groups(std::size_t most) { return take(groups_, most); }
  std::vector<profile_request> take_profiles(std::size_t most);
  void put_back_profiles(std::span<profile_request> requests);
  void put_back_accounts(std::span<const std::string> names) { put_back(accounts_, names); }
  void put_back_groups(std::span<const std::string> names) { put_back(groups_, names); }
  bool has_lookup() const;
  bool has_names() const;

  // No look-ups for a second.
  void open_breaker();
  void close_breaker();
  bool is_breaker_open() const;

 private:
  bool add(std::set<std::string>& to, std::span<const std::string> names);
  void put_back(std::set<std::string>& to, std::span<const std::string> names);
  std::vector<std::string> take(std::set<std::string>& from, std::size_t most);
  bool refuses() const;   // with the lock held
  bool is_stuck() const;  // so
  void push(pending request);

  event_descriptor wake_;
  mutable std::mutex mutex_;
  std::condition_variable answered_;
  std::deque<pending> lookups_;
  std::optional<steady::time_point> taken_at_;  // the look-up that is being answered
  std::map<std::uint64_t, std::optional<lookup_result>> waiters_;
  std::uint64_t last_waiter_ = 0;
  std::set<std::string> accounts_, groups_;
  std::deque<profile_request> profiles_;
  steady::time_point refused_until_{};
};

}  // namespace restante
