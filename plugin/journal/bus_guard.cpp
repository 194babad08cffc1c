#include "journal/bus_guard.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

namespace restante {

struct bus_guard::range {
  std::atomic<std::uintptr_t> begin{0};  // 0: free
  std::atomic<std::size_t> size_bytes{0};
  std::atomic<bool> tripped{false};
};

namespace {

// A broker has one journal; tests have some more. What finds no place is not guarded.
std::array<bus_guard::range, 8> ranges;

std::mutex guard;  // of which ranges are free, and of the handler
std::size_t used = 0;
struct sigaction before {};

static_assert(std::atomic<std::uintptr_t>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

void act_as_without_handler() {
  struct sigaction none {};
  none.sa_handler = SIG_DFL;
  ::sigaction(SIGBUS, &none, nullptr);
}

void pass_on(int signal, siginfo_t* about, void* context) {
  const bool was_sent = about->si_code <= 0 || about->si_code == BUS_MCEERR_AO;  // and does not repeat itself
  if (before.sa_handler == SIG_IGN && was_sent) return;
  if (before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN) {
    act_as_without_handler();
    if (was_sent) ::raise(signal);
    return;
  }
  if ((before.sa_flags & static_cast<int>(SA_RESETHAND)) != 0) act_as_without_handler();
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(signal, about, context);
  } else {
    before.sa_handler(signal);
  }
}

// Replacing the memory needs no jump out of the handler, so nothing is skipped that the interrupted code
// would have done, and a store that nothing happens to costs nothing. mmap() is not in POSIX's list of what a
// handler may call; in Linux it is a bare system call.
void on_bus_error(int signal, siginfo_t* about, void* context) {
  const auto at = reinterpret_cast<std::uintptr_t>(about->si_addr);
  if (about->si_code > 0 && about->si_code != BUS_MCEERR_AO) {
    for (auto& guarded : ranges) {
      const std::uintptr_t begin = guarded.begin;
      const std::size_t size_bytes = guarded.size_bytes;
      if (begin == 0 || at < begin || at - begin >= size_bytes) continue;
      const int error = errno;
      const void* mapped =
          ::mmap(reinterpret_cast<void*>(begin), size_bytes, PROT_READ | PROT_WRITE,  // NOLINT(*-int-to-ptr)
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
      errno = error;
      if (mapped == MAP_FAILED) break;
      guarded.tripped = true;
      return;
    }
  }
  pass_on(signal, about, context);
}

bool install() {
  if (::sigaction(SIGBUS, nullptr, &before) != 0) return false;
  struct sigaction ours = before;
  ours.sa_sigaction = on_bus_error;
  ours.sa_flags = (before.sa_flags & ~static_cast<int>(SA_RESETHAND)) | SA_SIGINFO;
  return ::sigaction(SIGBUS, &ours, nullptr) == 0;
}

void restore() {
  struct sigaction now {};
  if (::sigaction(SIGBUS, nullptr, &now) != 0) return;
  if ((now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == on_bus_error)
    ::sigaction(SIGBUS, &before, nullptr);
}

}  // namespace

bus_guard::bus_guard(char* begin, std::size_t size_bytes) {
  const std::lock_guard lock(guard);
  for (auto& free : ranges) {
    if (free.begin != 0) continue;
    if (used == 0 && !install()) return;
    ++used;
    free.tripped = false;
    free.size_bytes = size_bytes;
    free.begin = reinterpret_cast<std::uintptr_t>(begin);
    range_ = &free;
    return;
  }
}

bus_guard::~bus_guard() {
  if (range_ == nullptr) return;
  const std::lock_guard lock(guard);
  range_->begin = 0;
  if (--used == 0) restore();
}

bool bus_guard::take_tripped() {
  // The handler ran on this thread, if at all.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (!range_->tripped.load(std::memory_order_relaxed)) return false;
  range_->tripped = false;
  return true;
}

}  // namespace restante
