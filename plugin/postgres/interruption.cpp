#include "postgres/interruption.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace restante {
namespace {

int make_event_descriptor() {
  const int made = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (made < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  return made;
}

}  // namespace

interruption::interruption() : descriptor_(make_event_descriptor()) {}

interruption::~interruption() { close(descriptor_); }

void interruption::trip() {
  tripped_ = true;
  const std::uint64_t one = 1;
  // It can only fail when it is readable already.
  [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof one);
}

}  // namespace restante
