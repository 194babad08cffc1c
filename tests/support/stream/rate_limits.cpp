#include "support/stream/rate_limits.h"

#include <algorithm>

namespace restante::stream_stand_in {

rate_limits::rate_limits() : windows_{} {
  for (const operation_facts& each : operations) set(each.what, each.limit_per_minute);
}

void rate_limits::set(operation what, int limit_per_minute) {
  on_ = true;
  windows_[static_cast<std::size_t>(what)].limit = limit_per_minute;
}

bool rate_limits::take(operation what, std::int64_t now_us) {
  if (!on_) return true;
  window& now = windows_[static_cast<std::size_t>(what)];
  const std::int64_t second = now_us / 1'000'000, minute = second / 60;
  if (now.minute != minute) now.in_minute = 0;
  if (now.second != second) now.in_second = 0;
  now.minute = minute;
  now.second = second;
  if (now.in_minute >= now.limit || now.in_second >= std::max(1, now.limit / 30)) return false;
  ++now.in_minute;
  ++now.in_second;
  return true;
}

rate_limits::state rate_limits::look(operation what, std::int64_t now_us) const {
  const window& now = windows_[static_cast<std::size_t>(what)];
  const std::int64_t minute = now_us / 60'000'000;
  return {now.limit, now.limit - (now.minute == minute ? now.in_minute : 0), (minute + 1) * 60};
}

}  // namespace restante::stream_stand_in
