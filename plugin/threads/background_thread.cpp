#include "threads/background_thread.h"

#include <linux/close_range.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "threads/quiet_thread.h"

namespace restante {

bool leave_shared_files(std::vector<int> given) noexcept {
  if (!may_leave_shared_files) return false;
  constexpr unsigned last = std::numeric_limits<unsigned>::max();
  // Nothing is open there. What is closed after this is closed for this thread alone.
  if (close_range(last, last, CLOSE_RANGE_UNSHARE) != 0) return false;
  std::sort(given.begin(), given.end());
  unsigned next = STDERR_FILENO + 1;
  for (const int each : given) {
    if (each < static_cast<int>(next)) continue;
    const auto kept = static_cast<unsigned>(each);
    if (kept > next) close_range(next, kept - 1, 0);
    next = kept + 1;
  }
  close_range(next, last, 0);
  return true;
}

std::thread start_background_thread(std::vector<int> given, std::function<void()> run) {
  return start_quiet_thread([given = std::move(given), run = std::move(run)]() mutable {
    leave_shared_files(std::move(given));
    run();
  });
}

}  // namespace restante
