// Ends the waits of a worker thread on its connection, from another thread, for good.
//
// A wait inside libpq ends when its socket is shut down, whoever does that. The worker shows each connection
// it opens; trip() breaks the present one and all that come. Threads: any.
#pragma once

#include <atomic>
#include <mutex>

namespace restante {

class interruption {
 public:
  interruption() = default;
  ~interruption();
  interruption(const interruption&) = delete;
  interruption& operator=(const interruption&) = delete;

  // `socket`: of the connection in use from now on; -1: none. Not owned.
  void watch(int socket);
  void trip();
  bool tripped() const noexcept { return tripped_; }

 private:
  void forget();

  std::mutex mutex_;
  int duplicate_ = -1;  // our own descriptor, so that its number cannot be given to something else meanwhile
  std::atomic<bool> tripped_ = false;
};

}  // namespace restante
