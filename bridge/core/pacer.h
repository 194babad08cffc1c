// When one more request of one operation may be sent, so that nearly all of its budget is used and none of it
// is overdrawn.
//
// A service counts requests a minute, in windows that begin anew ("fixed") or that slide, and allows a
// thirtieth of that in any second. It says with each answer what is left. So:
//   - requests are spread evenly over the minute, at 98.5 % of the limit less what others use of it, with a
//   little
//     to catch up what was missed, while nobody else is seen; it begins at half the pace for a few seconds,
//     so that several who begin at once see each other;
//   - never more are under way than are left by the service's last word;
//   - before the first answer, when a window has begun, and when nothing was heard for a while, one request
//   goes
//     alone and the rest wait for what it brings.
// Without such headers there is no pace to keep, once an answer has come.
//
// Pure: times are steady microseconds, given by the caller. Threads: one.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <optional>

#include "bridge/core/rate_headers.h"
#include "bridge/core/service_clock.h"

namespace restante {

class pacer {
 public:
  // An answer has to come first.
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

  // When one more may go: now, later, or never.
  std::int64_t may_send_at(std::int64_t now_us) const;

  void sent(std::int64_t now_us);
  // Each sent request ends by one of these two. `number` grows with each request sent.
  void answered(std::uint64_t number, const std::optional<rate_budget>& budget, const service_clock& clock,
                std::int64_t now_us);
  void lost(std::int64_t now_us);  // nobody knows whether it was taken

  // One of these follows answered(). limited: it was refused for the limit. `chance`: 0 to 1, spreads the
  // wait.
  void went_through() noexcept { refusals_ = 0; }
  void limited(std::optional<std::int64_t> retry_after_s, double chance, std::int64_t now_us);

  const std::optional<rate_budget>& budget() const noexcept { return budget_; }

 private:
  static constexpr std::int64_t window_us = 60'000'000;

  void take_over(std::uint64_t number, const rate_budget& said, const service_clock& clock,
                 std::int64_t now_us);
  void watch_others(std::int64_t now_us);
  double others_a_minute(std::int64_t now_us) const;
  double rate_a_us(std::int64_t now_us) const;
  double spacing_us(std::int64_t now_us) const;
  double tokens_at(std::int64_t now_us) const;
  void refill(std::int64_t now_us);
  std::int64_t kept_back(std::int64_t now_us) const;
  std::int64_t opens_at() const;
  bool must_ask_first(std::int64_t now_us) const;

  bool has_heard_ = false;
  std::int64_t under_way_ = 0;
  std::int64_t paused_until_us_ = 0;
  int refusals_ = 0;  // in a row

  std::optional<rate_budget> budget_;  // as last said
  std::uint64_t newest_ = 0;
  std::int64_t heard_us_ = 0;  // the last answer with a budget
  std::int64_t reset_us_ = 0;
  bool slides_ = false;

  // Even spreading.
  double tokens_ = 1;
  std::int64_t filled_us_ = 0;
  std::int64_t sent_us_ = std::numeric_limits<std::int64_t>::min() / 2;

  // Ours: answers of this window, and when those of the last minute came, oldest first.
  static constexpr std::size_t most_remembered = 20'000;
  std::int64_t ours_in_window_ = 0;
  std::deque<std::int64_t> ours_;
  std::int64_t freed_since_heard(std::int64_t now_us) const;

  // What others use of the same budget.
  std::int64_t others_before_ = 0;  // were used when we came
  std::int64_t others_ = 0, others_last_window_ = 0;
  double others_lately_ = 0;  // weighted by e^(-age / 5 s)
  std::int64_t watched_us_ = 0;
  std::int64_t began_us_ = 0;  // after a while of silence
};

}  // namespace restante
