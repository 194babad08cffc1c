#include "journal/posix_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

namespace restante {
namespace {

// Calls again when a signal came in between. -errno when it fails.
template <typename Call>
auto persist(Call call) -> decltype(call()) {
  for (;;) {
    const auto done = call();
    if (done >= 0) return done;
    if (errno != EINTR) return -errno;
  }
}

struct close_listing {
  void operator()(DIR* listing) const { ::closedir(listing); }
};

}  // namespace

posix_files::~posix_files() {
  if (directory_ != none) ::close(directory_);
}

int posix_files::make_directory(const std::string& path) {
  const int made = persist([&] { return ::mkdir(path.c_str(), 0700); });
  if (made < 0) return made;
  const auto above = std::filesystem::path(path).parent_path();
  const int parent = persist(
      [&] { return ::open(above.empty() ? "." : above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (parent < 0) return parent;
  // The broker may be root now and not later; the folder above was made for whom it will be.
  struct stat about {};
  int done = persist([&] { return ::fstat(parent, &about); });
  if (done == 0 && ::geteuid() == 0)
    done = persist([&] { return ::chown(path.c_str(), about.st_uid, about.st_gid); });
  if (done == 0) done = persist([&] { return ::fsync(parent); });
  ::close(parent);
  return done;
}

int posix_files::open_directory(const std::string& path) {
  const int opened = persist([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (opened >= 0) directory_ = opened;
  return opened;
}

int posix_files::permissions() {
  struct stat about {};
  const int done = persist([&] { return ::fstat(directory_, &about); });
  return done < 0 ? done : static_cast<int>(about.st_mode & 07777);
}

int posix_files::lock() {
  return persist([&] { return ::flock(directory_, LOCK_EX | LOCK_NB); });
}

int posix_files::list(std::vector<entry>& into) {
  const int again = persist([&] { return ::openat(directory_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (again < 0) return again;
  const std::unique_ptr<DIR, close_listing> listing(::fdopendir(again));
  if (!listing) {
    const int reason = -errno;
    ::close(again);
    return reason;
  }
  for (;;) {
    errno = 0;
    const dirent* found = ::readdir(listing.get());
    if (found == nullptr) return -errno;
    struct stat about {};
    if (::fstatat(directory_, found->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0) return -errno;
    if (S_ISREG(about.st_mode)) into.push_back({found->d_name, static_cast<std::uint64_t>(about.st_size)});
  }
}

int posix_files::sync_directory() {
  return persist([&] { return ::fsync(directory_); });
}

files::handle posix_files::create(const std::string& name) {
  return persist([&] {
    return ::openat(directory_, name.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  });
}

files::handle posix_files::open(const std::string& name) {
  return persist([&] { return ::openat(directory_, name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC); });
}

files::handle posix_files::open_to_read(const std::string& name) {
  return persist([&] { return ::openat(directory_, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC); });
}

void posix_files::close(handle file) {
  mapped_.leave(file);
  ::close(file);
}

int posix_files::rename(const std::string& from, const std::string& to) {
  return persist([&] { return ::renameat(directory_, from.c_str(), directory_, to.c_str()); });
}

int posix_files::unlink(const std::string& name) {
  return persist([&] { return ::unlinkat(directory_, name.c_str(), 0); });
}

std::int64_t posix_files::write(handle file, std::string_view bytes, std::uint64_t offset) {
  return persist([&] { return ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
}

std::int64_t posix_files::read(handle file, char* into, std::size_t count, std::uint64_t offset) {
  return persist([&] { return ::pread(file, into, count, static_cast<off_t>(offset)); });
}

int posix_files::truncate(handle file, std::uint64_t size_bytes) {
  return persist([&] { return ::ftruncate(file, static_cast<off_t>(size_bytes)); });
}

int posix_files::allocate(handle file, std::uint64_t size_bytes) {
  return persist([&] { return ::fallocate(file, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size_bytes)); });
}

void posix_files::will_need(handle file, std::uint64_t offset, std::uint64_t count) {
  ::posix_fadvise(file, static_cast<off_t>(offset), static_cast<off_t>(count), POSIX_FADV_WILLNEED);
}

int posix_files::sync_data(handle file) {
  return persist([&] { return ::fdatasync(file); });
}

int posix_files::random(char* into, std::size_t count) {
  while (count > 0) {
    const auto given = persist([&] { return ::getrandom(into, count, 0); });
    if (given < 0) return static_cast<int>(given);
    into += given;
    count -= static_cast<std::size_t>(given);
  }
  return 0;
}

}  // namespace restante
