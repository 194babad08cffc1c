#include "journal/mapped_window.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#ifndef MADV_POPULATE_WRITE  // Linux 5.14; older ones say EINVAL
#define MADV_POPULATE_WRITE 23
#endif

namespace restante {

namespace {

// Copying more than this into new pages costs more than a system call.
constexpr std::size_t most_bytes = 64 << 10;

std::size_t page_bytes() {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

}  // namespace

mapped_window::~mapped_window() {
  guard_.reset();
  if (is_ours_) ::munmap(begin_, size_bytes);
}

mapped_window::outcome mapped_window::store(int file, std::string_view bytes, std::uint64_t offset,
                                            std::uint64_t capacity_bytes) {
  if (file_.load(std::memory_order_relaxed) != file) leave();
  const std::uint64_t end = offset + bytes.size();
  if (given_up_ || bytes.size() > most_bytes || end > capacity_bytes) return outcome::not_here;
  const bool is_here = file_.load(std::memory_order_relaxed) == file && offset >= base_ &&
                       end - base_ <= limit_.load(std::memory_order_relaxed);
  if (!is_here && !move(file, offset, end, capacity_bytes)) return outcome::not_here;
  std::memcpy(begin_ + (offset - base_), bytes.data(), bytes.size());
  if (guard_->take_tripped()) return after_bus_error(file);
  next_.store(static_cast<std::size_t>(end - base_), std::memory_order_relaxed);
  return outcome::stored;
}

// What the window showed was lost with a file that was cut, though it was flushed. Else writing the same may
// tell what is wrong; if nothing is, there is still something about mappings here that cannot be relied upon.
mapped_window::outcome mapped_window::after_bus_error(int file) {
  const std::uint64_t expected_bytes = base_ + limit_;
  leave();
  given_up_ = true;
  struct stat about {};
  const bool is_whole =
      ::fstat(file, &about) == 0 && static_cast<std::uint64_t>(about.st_size) >= expected_bytes;
  return is_whole ? outcome::not_here : outcome::cut;
}

bool mapped_window::move(int file, std::uint64_t offset, std::uint64_t needed_end,
                         std::uint64_t capacity_bytes) {
  const std::uint64_t base = offset / page_bytes() * page_bytes();
  const std::uint64_t end = std::min(base + size_bytes, capacity_bytes);
  if (needed_end > end || !reserve() || !make_as_large(file, end)) {
    leave();
    return false;
  }
  file_ = -1;
  if (!map(PROT_READ | PROT_WRITE, MAP_SHARED, file, base)) return false;
  base_ = base;
  next_ = static_cast<std::size_t>(offset - base);
  limit_ = static_cast<std::size_t>(end - base);
  owner_ = std::this_thread::get_id();
  file_ = file;
  return true;
}

// Never by a call that changes nothing: that would give back the space kept behind the end.
bool mapped_window::make_as_large(int file, std::uint64_t file_bytes) {
  struct stat about {};
  if (::fstat(file, &about) != 0) return false;
  if (static_cast<std::uint64_t>(about.st_size) >= file_bytes) return true;
  return ::ftruncate(file, static_cast<off_t>(file_bytes)) == 0;
}

bool mapped_window::reserve() {
  if (is_ours_) return true;
  void* reserved = ::mmap(nullptr, size_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED) {
    given_up_ = true;
    return false;
  }
  begin_ = static_cast<char*>(reserved);
  is_ours_ = true;
  guard_.emplace(begin_, size_bytes);
  given_up_ = !guard_->ok();
  return !given_up_;
}

// In place of what was there. If that fails the addresses may be anybody's from then on.
bool mapped_window::map(int protection, int flags, int file, std::uint64_t offset) {
  if (::mmap(begin_, size_bytes, protection, flags | MAP_FIXED, file, static_cast<off_t>(offset)) !=
      MAP_FAILED)
    return true;
  guard_.reset();
  is_ours_ = false;
  given_up_ = true;
  return false;
}

void mapped_window::leave() {
  if (file_.exchange(-1) < 0) return;
  limit_ = next_ = 0;
  map(PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

// An error is no matter: the store will meet it.
void mapped_window::prepare(int file, std::uint64_t count) {
  if (count < 2 * page_bytes() || file_ != file) return;
  const std::size_t from = next_ / page_bytes() * page_bytes();
  const std::size_t limit = limit_;
  if (from >= limit) return;
  const std::size_t some = std::min<std::size_t>(limit - from, count + count / 4 + page_bytes());
  ::madvise(begin_ + from, some, MADV_POPULATE_WRITE);
}

}  // namespace restante
