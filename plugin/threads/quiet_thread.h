// Threads that receive no signals: those are the broker's.
#pragma once

#include <csignal>
#include <thread>
#include <utility>

namespace restante {

// Throws std::system_error if there is no thread to be had.
template <typename Function>
std::thread start_quiet_thread(Function&& run) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  struct restore {
    const sigset_t& mask;
    ~restore() { pthread_sigmask(SIG_SETMASK, &mask, nullptr); }
  } const afterwards{before};
  return std::thread(std::forward<Function>(run));
}

}  // namespace restante
