// Times by how often they occurred: 64 steps for each doubling, so that percentiles are right to 1.6 %.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace restante::bench {

class histogram {
 public:
  void add(std::int64_t time_ns) {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(time_ns, 0));
    ++counts_[step_of(value)];
    ++count_;
    most_ns_ = std::max(most_ns_, value);
  }

  std::uint64_t count() const { return count_; }
  std::uint64_t most_ns() const { return most_ns_; }

  // The time that the fraction `part` (0 to 1) of all does not exceed; 0 when there are none.
  std::uint64_t at(double part) const {
    const auto wanted = static_cast<std::uint64_t>(part * static_cast<double>(count_));
    std::uint64_t seen = 0;
    for (std::size_t step = 0; step < counts_.size(); ++step) {
      seen += counts_[step];
      if (counts_[step] > 0 && seen >= std::max<std::uint64_t>(wanted, 1)) {
        return std::min(largest_of(step), most_ns_);
      }
    }
    return most_ns_;
  }

 private:
  static constexpr unsigned bits = 6;
  static constexpr std::uint64_t steps = 1U << bits;

  // Below 128: one step for each value. Then the leading seven bits and how many follow.
  static std::size_t step_of(std::uint64_t value) {
    if (value < 2 * steps) return value;
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - bits - 1;
    return shift * steps + (value >> shift);
  }
  static std::uint64_t largest_of(std::size_t step) {
    if (step < 2 * steps) return step;
    const std::uint64_t shift = step / steps - 1;
    return ((step - shift * steps + 1) << shift) - 1;
  }

  std::array<std::uint64_t, (64 - bits + 1) * steps> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t most_ns_ = 0;
};

}  // namespace restante::bench
