// How much of the broker's thread logins may take while they are synchronous: a fifth of the time, and little
// of it at once.
//
// On Mosquitto 2.0 a login is answered within its callback, so reading the account and hashing the password
// hold up every other client. Beyond the budget logins are answered 'unavailable', and clients come back.
// It is a bucket that fills with time. The last login to begin may take more than is in it; what it took too
// much is saved before the next. So the loop is never held up for longer than `burst_us` and one login.
// Threads: one.
#pragma once

#include <algorithm>
#include <cstdint>

namespace restante {

class login_budget {
 public:
  static constexpr std::int64_t share = 5;  // one part in so many
  static constexpr std::int64_t burst_us = 20'000;

  bool may_begin(std::int64_t now_us) noexcept {
    saved_us_ = std::min(burst_us * share, saved_us_ + now_us - asked_us_);
    asked_us_ = now_us;
    return saved_us_ > 0;
  }
  void spend(std::int64_t took_us) noexcept { saved_us_ -= took_us * share; }

 private:
  std::int64_t saved_us_ = burst_us * share;  // of the time that passed, of which a fifth may be spent
  std::int64_t asked_us_ = 0;
};

}  // namespace restante
