// How a test tells the library in the broker's process (fault_shim.cpp) which faults to show: through a file
// that both map. Its name is in the environment of the broker as RESTANTE_FAULT_CONTROL.
#pragma once

#include <atomic>
#include <cstdint>

namespace restante::faults {

struct fault_control {
  char directory[256] = "";                    // of the journal; its file system is the one that fails
  std::atomic<std::int64_t> clock_s{0};        // the wall clock is ahead by so much, or behind
  std::atomic<bool> disk_is_full{false};       // ENOSPC for what needs more space than it has
  std::atomic<bool> disk_is_read_only{false};  // EROFS for what would change something
};

}  // namespace restante::faults
