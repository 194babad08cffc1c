// A clock moved by hand, chance by seed, and a log that is kept.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "bridge/core/ports.h"

namespace restante::bridge_model {

class hand_clock final : public bridge_clock {
 public:
  std::int64_t now_us() const override { return wall_us + steady; }
  std::int64_t steady_us() const override { return steady; }

  std::int64_t steady = 1'000'000'000;
  std::int64_t wall_us = 1'767'225'600'000'000 - 1'000'000'000;  // what the wall clock is ahead
};

class seeded_chance final : public randomness {
 public:
  explicit seeded_chance(std::uint64_t seed) : random_(seed) {}
  double fraction() override { return std::uniform_real_distribution<double>(0, 1)(random_); }

 private:
  std::mt19937_64 random_;
};

class kept_log final : public bridge_log {
 public:
  void write(bridge_log_level level, std::string_view event, std::span<const field> fields) override {
    if (lines.size() >= most) lines.erase(lines.begin());
    std::string line(event);
    for (const auto& each : fields) line.append(" ").append(each.name).append("=").append(each.value);
    lines.push_back(line);
    if (level == bridge_log_level::error) errors.push_back(line);
  }
  static constexpr std::size_t most = 1'000;
  std::vector<std::string> lines, errors;
};

class counting_observer final : public sync_observer {
 public:
  void requested(std::string_view, std::string_view outcome, double) override {
    ++requests;
    if (outcome == "rate_limited") ++limited;
  }
  void settled(sync_result, bool without_request) override {
    ++settlements;
    if (without_request) ++free_settlements;
  }
  void budget(std::string_view, std::int64_t, std::int64_t) override {}
  void available(bool is) override { is_available = is; }

  std::size_t requests = 0, limited = 0, settlements = 0, free_settlements = 0;
  bool is_available = false;
};

}  // namespace restante::bridge_model
