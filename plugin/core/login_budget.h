// How much of the broker's thread logins may take while they are synchronous: a fifth of each second.
//
// On Mosquitto 2.0 a login is answered within its callback, so reading the account and hashing the password
// hold up every other client. Beyond the budget logins are answered 'unavailable', and clients come back.
// Threads: one.
#pragma once

#include <algorithm>
#include <cstdint>

namespace restante {

class login_budget {
 public:
  static constexpr std::int64_t period_us = 1'000'000;
  static constexpr std::int64_t allowance_us = period_us / 5;

  // What a login that begins now may take; 0: none.
  std::int64_t left_us(std::int64_t now_us) noexcept {
    if (now_us - since_us_ >= period_us) {
      since_us_ = now_us;
      spent_us_ = 0;
    }
    return std::max<std::int64_t>(allowance_us - spent_us_, 0);
  }
  void spend(std::int64_t took_us) noexcept { spent_us_ += took_us; }

 private:
  std::int64_t since_us_ = -period_us;
  std::int64_t spent_us_ = 0;
};

}  // namespace restante
