// Whether a target takes requests just now. Until it has once answered well, and whenever it was away, one
// request goes alone; only when that went well, the others follow.
//
// Pure: times are steady microseconds, given by the caller. Threads: one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace restante {

class target_health {
 public:
  enum class state { unproven, open, away, refusing };

  state now() const noexcept { return state_; }
  // How many requests may be under way.
  std::size_t room(std::size_t most) const noexcept { return state_ == state::open ? most : 1; }
  std::int64_t try_at_us() const noexcept { return try_at_us_; }

  // Each says whether this is news. `chance`: 0 to 1.
  bool answered_well(std::int64_t now_us) noexcept {
    const bool is_news = state_ != state::open;
    state_ = state::open;
    failures_ = 0;
    well_us_ = now_us;
    try_at_us_ = 0;
    return is_news;
  }
  // The service does not work. Requests that were sent before it was known to be away tell nothing new.
  bool did_not_work(std::int64_t sent_us, double chance, std::int64_t now_us) noexcept {
    if (state_ == state::away && sent_us <= went_away_us_) return false;
    const bool is_news = state_ != state::away;
    state_ = state::away;
    went_away_us_ = now_us;
    const std::int64_t base_us = std::min(second_us << std::min(failures_, 10), 45 * second_us);
    failures_ = std::min(failures_ + 1, 10);
    try_at_us_ = now_us + spread(base_us, chance);
    return is_news;
  }
  // It does not accept our credentials.
  bool refused_us(std::int64_t pause_us, double chance, std::int64_t now_us) noexcept {
    const bool is_news = state_ != state::refusing;
    state_ = state::refusing;
    try_at_us_ = std::max(try_at_us_, now_us + spread(pause_us, chance));
    return is_news;
  }
  std::int64_t well_us() const noexcept { return well_us_; }  // when it last answered well

 private:
  static constexpr std::int64_t second_us = 1'000'000;
  // Two thirds to four thirds.
  static std::int64_t spread(std::int64_t base_us, double chance) noexcept {
    return static_cast<std::int64_t>(static_cast<double>(base_us) * (2 + 2 * chance) / 3);
  }

  state state_ = state::unproven;
  int failures_ = 0;
  std::int64_t went_away_us_ = 0, try_at_us_ = 0, well_us_ = -1;
};

}  // namespace restante
