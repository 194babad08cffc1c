// Hears when something may be due: a thread with a connection of its own that listens to `restante_profile`.
//
// A notification only makes it quicker: engines look for themselves every few seconds. After each connection
// `wake` is called as well, since what was said meanwhile was not heard.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "bridge/core/ports.h"
#include "bridge/store/database_link.h"

namespace restante {

class profile_listener {
 public:
  // `wake` is called on the listener's thread; it must be cheap and must not throw. Starts the thread, which
  // receives no signals. Throws std::system_error if there is no thread to be had.
  profile_listener(std::string database, std::function<void()> wake, bridge_log& log);
  ~profile_listener();  // stops it: at once, or when an attempt to connect has failed
  profile_listener(const profile_listener&) = delete;
  profile_listener& operator=(const profile_listener&) = delete;

  // Any thread.
  bool is_listening() const noexcept { return link_.is_reachable(); }

 private:
  void run();
  void pause();

  const std::function<void()> wake_;
  database_link link_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace restante
