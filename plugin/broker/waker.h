// Wakes the broker's loop from another thread, within a fifth of a millisecond rather than its tenth of a
// second.
//
// The loop sleeps in epoll_wait(), which any signal ends. A signal that arrives just before the sleep is
// lost, so a timer repeats it every 300 µs until tick() was seen, and once more after, since Mosquitto 2.1
// routes what a plugin publishes one loop later. Lifetime: made on the broker's thread; no thread may call
// wake() after it is gone.
#pragma once

#include <ctime>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace restante {

class waker {
 public:
  waker();  // throws std::system_error when there is no timer to be had
  ~waker();
  waker(const waker&) = delete;
  waker& operator=(const waker&) = delete;

  // Any thread; a few system calls at most, and none while a wake is under way.
  void wake() noexcept;
  // The broker's thread, at the beginning of each tick.
  void ticked() noexcept;
  // The broker's thread, once there are no ticks any more: until somebody wakes it, or `deadline`.
  void wait(std::chrono::steady_clock::time_point deadline);

 private:
  void arm(long first_ns, long interval_ns) noexcept;

  timer_t timer_{};
  std::atomic<bool> asked_{false};
  std::mutex mutex_;
  std::condition_variable woken_;
  int loops_to_go_ = 0;
};

}  // namespace restante
