// The clock of a service, told by the header Date of its answers, against our steady clock: neither a service
// whose clock is wrong nor a wall clock of ours that is set does any harm.
//
// Date is cut to seconds and the answer travels, so the service's clock is never before what is said here,
// and with every answer less behind it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace restante {

class service_clock {
 public:
  // `date_unix_s` stood in an answer that came at `steady_us`.
  void learn(std::int64_t date_unix_s, std::int64_t steady_us) {
    const std::int64_t ahead_us = date_unix_s * 1'000'000 - steady_us;
    constexpr std::int64_t set_back_us = 10'000'000;  // more than cutting and travelling take
    if (!ahead_us_ || ahead_us < *ahead_us_ - set_back_us) {
      ahead_us_ = ahead_us;
    } else {
      ahead_us_ = std::max(*ahead_us_, ahead_us);
    }
  }
  bool is_known() const noexcept { return ahead_us_.has_value(); }
  // The steady time at which the service's clock has surely reached `unix_s`. Only when known.
  std::int64_t steady_us(std::int64_t unix_s) const { return unix_s * 1'000'000 - *ahead_us_; }

 private:
  std::optional<std::int64_t> ahead_us_;
};

}  // namespace restante
