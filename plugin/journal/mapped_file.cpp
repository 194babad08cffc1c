#include "journal/mapped_file.h"

#include <errno.h>
#include <sys/mman.h>

#include <cstring>

#ifndef MADV_POPULATE_WRITE  // Linux 5.14; older ones say EINVAL
#define MADV_POPULATE_WRITE 23
#endif

namespace restante {

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
  if (!guard_->take_tripped()) return true;
  leave();
  return false;
}

void mapped_file::leave() {
  if (begin_ == nullptr) return;
  guard_.reset();
  ::munmap(begin_, size_bytes_);
  begin_ = nullptr;
  file_ = -1;
}

}  // namespace restante
