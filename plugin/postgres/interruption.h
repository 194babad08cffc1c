// Ends the waits of a worker thread on its connection, from another thread, for good.
//
// The worker's connections wait on descriptor() beside their sockets (connection_settings::interruption).
// Threads: any.
#pragma once

#include <atomic>

#include "postgres/event_descriptor.h"

namespace restante {

class interruption {
 public:
  void trip() noexcept {
    tripped_ = true;
    event_.signal();
  }
  bool tripped() const noexcept { return tripped_; }
  int descriptor() const noexcept { return event_.get(); }  // readable once tripped

 private:
  event_descriptor event_;
  std::atomic<bool> tripped_ = false;
};

}  // namespace restante
