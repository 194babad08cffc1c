// Ends the waits of a worker thread on its connection, from another thread, for good.
//
// The worker's connections wait on descriptor() beside their sockets (connection_settings::interruption).
// Threads: any.
#pragma once

#include <atomic>

namespace restante {

class interruption {
 public:
  // Throws std::system_error if there is no descriptor to be had.
  interruption();
  ~interruption();
  interruption(const interruption&) = delete;
  interruption& operator=(const interruption&) = delete;

  void trip();
  bool tripped() const noexcept { return tripped_; }
  int descriptor() const noexcept { return descriptor_; }  // readable once tripped

 private:
  const int descriptor_;  // an eventfd
  std::atomic<bool> tripped_ = false;
};

}  // namespace restante
