// Time and chance as they are.
#pragma once

#include <chrono>
#include <random>
#include <string>

#include "bridge/core/ports.h"

namespace restante {

class real_clock : public bridge_clock {
 public:
  std::int64_t now_us() const override { return since_epoch_us<std::chrono::system_clock>(); }
  std::int64_t steady_us() const override { return since_epoch_us<std::chrono::steady_clock>(); }

 private:
  template <typename Clock>
  static std::int64_t since_epoch_us() {
    return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch()).count();
  }
};

// Threads: one.
class real_randomness : public randomness {
 public:
  double fraction() override { return std::uniform_real_distribution<double>(0, 1)(engine_); }

 private:
  std::mt19937_64 engine_{std::random_device{}()};
};

// Different in each process: 16 hexadecimal digits.
inline std::string random_suffix() {
  constexpr char digits[] = "0123456789abcdef";
  std::random_device device;
  std::string suffix;
  for (int i = 0; i < 16; ++i) suffix += digits[device() % 16];
  return suffix;
}

}  // namespace restante
