#include "threads/cancellation_off.h"

#include <pthread.h>

namespace restante {

// In this order, and back in the other: the thread never is what could be cancelled anywhere.
cancellation_off::cancellation_off() noexcept {
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state_);
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type_);
}

cancellation_off::~cancellation_off() {
  int was = 0;
  pthread_setcanceltype(type_, &was);
  pthread_setcancelstate(state_, &was);
}

}  // namespace restante
