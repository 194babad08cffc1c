#include "journal/mapped_file.h"

#include <errno.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#ifndef MADV_POPULATE_WRITE  // Linux 5.14; older ones say EINVAL
#define MADV_POPULATE_WRITE 23
#endif

namespace restante {
namespace {

// Asks for memory that is about to be written. The compiler's own prefetch asks only to read it, unless told
// that every processor can do more; where it is unknown, this does nothing.
void ask_for(const char* at) noexcept {
#if defined(__x86_64__)
  asm volatile("prefetchw %0" : : "m"(*at));
#else
  constexpr int to_write = 1;
  __builtin_prefetch(at, to_write);
#endif
}

}  // namespace

int mapped_file::map(int file, std::size_t size_bytes) {
  leave();
  void* mapped = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) return -errno;
  begin_ = static_cast<char*>(mapped);
  size_bytes_ = size_bytes;
  file_ = file;
  owner_ = std::this_thread::get_id();
  guard_.emplace(begin_, size_bytes);
  if (!guard_->ok()) {
    leave();
    return -EOPNOTSUPP;
  }
  ::madvise(begin_, size_bytes, MADV_POPULATE_WRITE);  // a hint: an error is met by the store
  return 0;
}

bool mapped_file::store(int file, std::string_view bytes, std::uint64_t offset) {
  if (file != file_ || offset > size_bytes_ || bytes.size() > size_bytes_ - offset) return false;
  std::memcpy(begin_ + offset, bytes.data(), bytes.size());
  ask_for_next(offset + bytes.size(), bytes.size());
  if (!guard_->take_tripped()) return true;
  leave();
  return false;
}

// What comes next was read by another processor last, and a store that waits for it holds up whatever locked
// instruction comes behind. So about as much as was stored is asked for, some stores ahead.
void mapped_file::ask_for_next(std::size_t offset, std::size_t count) const noexcept {
  constexpr std::size_t line_bytes = 64, ahead_bytes = 512, most_bytes = 1'024;
  const std::size_t end = offset + ahead_bytes + std::min(count + line_bytes, most_bytes);
  for (std::size_t next = offset + ahead_bytes; next < end; next += line_bytes) {
    ask_for(begin_ + (next < size_bytes_ ? next : next % size_bytes_));
  }
}

void mapped_file::leave() {
  if (begin_ == nullptr) return;
  guard_.reset();
  ::munmap(begin_, size_bytes_);
  begin_ = nullptr;
  file_ = -1;
}

}  // namespace restante
