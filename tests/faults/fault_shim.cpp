// Loaded before all other libraries into a broker (LD_PRELOAD): its wall clock is off by what the test says,
// and its journal's file system is full or read-only when the test says so. See fault_control.h.
//
// The kernel does the work, by its system calls; what is not told to fail is passed on as it came.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>

#include "fault_control.h"

namespace restante::faults {
namespace {

const fault_control* map_control() {
  const char* name = std::getenv("RESTANTE_FAULT_CONTROL");
  if (name == nullptr) return nullptr;
  const auto file = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC));
  if (file < 0) return nullptr;
  void* mapped = ::mmap(nullptr, sizeof(fault_control), PROT_READ, MAP_SHARED, file, 0);
  ::close(file);
  return mapped == MAP_FAILED ? nullptr : static_cast<const fault_control*>(mapped);
}

const fault_control* control() {
  static const fault_control* const mapped = map_control();
  return mapped;
}

bool is_of_journal(int file) {
  char link[40] = "/proc/thread-self/fd/";  // a thread may have files of its own
  char* end = link + std::strlen(link);
  if (file < 0 || file > 99'999) return false;
  for (int power = 10'000; power > 0; power /= 10) {
    if (file >= power || power == 1) *end++ = static_cast<char>('0' + file / power % 10);
  }
  *end = '\0';
  char path[512];
  const ssize_t length = ::readlink(link, path, sizeof path);
  const std::size_t directory = std::strlen(control()->directory);
  return length >= static_cast<ssize_t>(directory) && std::memcmp(path, control()->directory, directory) == 0;
}

bool is_full(int file) { return control() != nullptr && control()->disk_is_full && is_of_journal(file); }

bool is_read_only(int file) {
  return control() != nullptr && control()->disk_is_read_only && is_of_journal(file);
}

// What the file takes on disk, which stays its own.
off_t allocated_bytes(int file) {
  struct stat about {};
  return ::fstat(file, &about) == 0 ? static_cast<off_t>(about.st_blocks) * 512 : 0;
}

template <typename Result>
Result fail(int error) {
  errno = error;
  return -1;
}

}  // namespace
}  // namespace restante::faults

using namespace restante::faults;

#define SHOWN __attribute__((visibility("default")))

extern "C" {

SHOWN int clock_gettime(clockid_t which, timespec* time) noexcept {
  const auto done = static_cast<int>(::syscall(SYS_clock_gettime, which, time));
  if (done == 0 && which == CLOCK_REALTIME && control() != nullptr) time->tv_sec += control()->clock_s;
  return done;
}

SHOWN int fallocate(int file, int mode, off_t offset, off_t length) {
  if (is_read_only(file)) return fail<int>(EROFS);
  if (is_full(file) && offset + length > allocated_bytes(file)) return fail<int>(ENOSPC);
  return static_cast<int>(::syscall(SYS_fallocate, file, mode, offset, length));
}

SHOWN ssize_t pwrite(int file, const void* from, std::size_t count, off_t offset) {
  if (is_full(file) && offset + static_cast<off_t>(count) > allocated_bytes(file))
    return fail<ssize_t>(ENOSPC);
  return ::syscall(SYS_pwrite64, file, from, count, offset);
}

SHOWN int openat(int directory, const char* name, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  if ((flags & O_ACCMODE) != O_RDONLY && is_read_only(directory)) return fail<int>(EROFS);
  return static_cast<int>(::syscall(SYS_openat, directory, name, flags, mode));
}

SHOWN int renameat(int from, const char* name, int to, const char* as) noexcept {
  if (is_read_only(from)) return fail<int>(EROFS);
  return static_cast<int>(::syscall(SYS_renameat, from, name, to, as));
}

SHOWN int unlinkat(int directory, const char* name, int flags) noexcept {
  if (is_read_only(directory)) return fail<int>(EROFS);
  return static_cast<int>(::syscall(SYS_unlinkat, directory, name, flags));
}
}
