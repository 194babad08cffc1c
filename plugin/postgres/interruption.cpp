#include "postgres/interruption.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace restante {

interruption::~interruption() { forget(); }

void interruption::forget() {
  if (duplicate_ >= 0) close(duplicate_);
  duplicate_ = -1;
}

void interruption::watch(int socket) {
  const std::lock_guard lock(mutex_);
  forget();
  if (socket < 0) return;
  duplicate_ = fcntl(socket, F_DUPFD_CLOEXEC, 0);
  if (tripped_ && duplicate_ >= 0) shutdown(duplicate_, SHUT_RDWR);
}

void interruption::trip() {
  const std::lock_guard lock(mutex_);
  tripped_ = true;
  if (duplicate_ >= 0) shutdown(duplicate_, SHUT_RDWR);
}

}  // namespace restante
