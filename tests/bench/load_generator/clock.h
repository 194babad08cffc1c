// The one clock of all times here: CLOCK_MONOTONIC, which other processes on this machine read the same.
#pragma once

#include <chrono>
#include <cstdint>

namespace restante::bench {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t millisecond_ns = 1'000'000;
constexpr std::int64_t microsecond_ns = 1'000;

inline std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace restante::bench
