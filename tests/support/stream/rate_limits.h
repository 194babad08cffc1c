// How often each operation may be asked for: in a minute of the clock, and a thirtieth of that in a second.
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "support/stream/operation.h"

namespace restante::stream_stand_in {

// Not thread-safe.
class rate_limits {
 public:
  struct state {
    int limit = 0;
    int remaining = 0;
    std::int64_t reset_s = 0;  // Unix time: the next whole minute
  };

  rate_limits();  // as self-serve plans have them
  void switch_off() { on_ = false; }
  bool on() const { return on_; }
  void set(operation what, int limit_per_minute);

  // Counts a request, unless the minute or the second has had its share: then it is refused.
  bool take(operation what, std::int64_t now_us);
  state look(operation what, std::int64_t now_us) const;

 private:
  struct window {
    int limit = 0;
    std::int64_t minute = 0, second = 0;
    int in_minute = 0, in_second = 0;
  };
  bool on_ = true;
  std::array<window, operations.size()> windows_;
};

}  // namespace restante::stream_stand_in
