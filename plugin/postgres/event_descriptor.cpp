#include "postgres/event_descriptor.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace restante {

event_descriptor::event_descriptor() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

event_descriptor::~event_descriptor() { close(descriptor_); }

void event_descriptor::signal() noexcept {
  const std::uint64_t one = 1;
  // It can only fail when it is readable already.
  [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof one);
}

void event_descriptor::clear() noexcept {
  std::uint64_t count;
  [[maybe_unused]] const auto taken = ::read(descriptor_, &count, sizeof count);
}

}  // namespace restante
