// How a service may count requests: by the minute, in windows that begin anew or that slide, and by the
// second.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "bridge/core/http.h"

namespace restante::bridge_model {

enum class window_kind {
  fixed,            // each minute of the service's clock
  from_first,       // a minute from the first request on
  slides_to_first,  // the last sixty seconds; Reset is when the oldest leaves
  slides_to_all,    // the same; Reset is a minute from now
};

class limiter {
 public:
  limiter(window_kind kind, std::int64_t limit, std::int64_t limit_a_second)
      : kind_(kind), limit_(limit), limit_a_second_(limit_a_second) {}

  // `now_us`: the service's clock, microseconds since 1970. Refused requests do not count.
  bool take(std::int64_t now_us) {
    turn(now_us);
    while (!last_second_.empty() && last_second_.front() <= now_us - 1'000'000) last_second_.pop_front();
    const bool fits = used() < limit_ && static_cast<std::int64_t>(last_second_.size()) < limit_a_second_;
    if (!fits) return false;
    last_second_.push_back(now_us);
    if (slides()) {
      last_minute_.push_back(now_us);
    } else {
      ++in_window_;
    }
    return true;
  }

  // As of the last take().
  http_headers headers(std::int64_t now_us) const {
    std::int64_t reset_us = window_end_us_;
    if (kind_ == window_kind::slides_to_all) reset_us = now_us + minute_us;
    if (kind_ == window_kind::slides_to_first) {
      reset_us = (last_minute_.empty() ? now_us : last_minute_.front()) + minute_us;
    }
    return {{"x-ratelimit-limit", std::to_string(limit_)},
            {"x-ratelimit-remaining", std::to_string(limit_ - used())},
            {"x-ratelimit-reset", std::to_string((reset_us + 999'999) / 1'000'000)}};
  }

 private:
  static constexpr std::int64_t minute_us = 60'000'000;
  bool slides() const { return kind_ == window_kind::slides_to_first || kind_ == window_kind::slides_to_all; }
  std::int64_t used() const { return slides() ? static_cast<std::int64_t>(last_minute_.size()) : in_window_; }
  void turn(std::int64_t now_us) {
    while (!last_minute_.empty() && last_minute_.front() <= now_us - minute_us) last_minute_.pop_front();
    if (slides() || now_us < window_end_us_) return;
    in_window_ = 0;
    // Whole seconds, as the header says it.
    window_end_us_ = kind_ == window_kind::fixed ? (now_us / minute_us + 1) * minute_us
                                                 : (now_us / 1'000'000 + 60) * 1'000'000;
  }

  const window_kind kind_;
  const std::int64_t limit_, limit_a_second_;
  std::int64_t window_end_us_ = 0, in_window_ = 0;
  std::deque<std::int64_t> last_minute_, last_second_;
};

// "Thu, 01 Jan 2026 00:00:00 GMT"
std::string http_date(std::int64_t unix_s);

}  // namespace restante::bridge_model
