#include "broker/waker.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace restante {
namespace {

// Ignored by default, so nobody is hurt by one too many; Mosquitto gives it no meaning.
constexpr int wake_signal = SIGURG;
constexpr long first_ns = 1, interval_ns = 300'000;

extern "C" void do_nothing(int) {}

}  // namespace

waker::waker() {
  // An ignored signal would not end epoll_wait().
  struct sigaction handled {};
  handled.sa_handler = do_nothing;
  handled.sa_flags = SA_RESTART;
  sigaction(wake_signal, &handled, nullptr);

  struct sigevent event {};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = wake_signal;
  event._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
  if (timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0) {
    throw std::system_error(errno, std::generic_category(), "a timer to wake the broker");
  }
}

waker::~waker() { timer_delete(timer_); }

void waker::arm(long first, long interval) noexcept {
  const struct itimerspec when {
    {0, interval}, { 0, first }
  };
  timer_settime(timer_, 0, &when, nullptr);
}

void waker::wake() noexcept {
  if (asked_.exchange(true)) return;
  arm(first_ns, interval_ns);
  const std::lock_guard lock(mutex_);
  woken_.notify_all();
}

void waker::wait(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  woken_.wait_until(lock, deadline, [this] { return asked_.load(); });
  asked_ = false;
}

void waker::ticked() noexcept {
  if (asked_.exchange(false)) {
    loops_to_go_ = 1;
    return;
  }
  if (loops_to_go_ > 0 && --loops_to_go_ == 0) {
    arm(0, 0);
    // Somebody may have armed it meanwhile, and we have just disarmed that.
    if (asked_.load()) arm(first_ns, interval_ns);
  }
}

}  // namespace restante
