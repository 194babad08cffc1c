// Preloaded into PostgreSQL: lets a disk be full on request. While the folder RESTANTE_NO_SPACE holds a file
// `base`, files of tables cannot grow; while it holds `pg_wal`, no file of the log can. What is there already
// can be overwritten, as on a disk that is full.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int grows_in(int file, off_t end, const char* part) {
  const char* folder = getenv("RESTANTE_NO_SPACE");
  if (folder == NULL) return 0;
  char name[PATH_MAX], link[64], path[PATH_MAX], part_of_path[32];
  snprintf(name, sizeof name, "%s/%s", folder, part);
  if (access(name, F_OK) != 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  snprintf(part_of_path, sizeof part_of_path, "/%s/", part);
  struct stat now;
  return strstr(path, part_of_path) != NULL && fstat(file, &now) == 0 && end > now.st_size;
}

static int is_full(int file, off_t end) {
  const int before = errno;
  const int full = grows_in(file, end, "base") || grows_in(file, end, "pg_wal");
  errno = full ? ENOSPC : before;
  return full;
}

static off_t size_of(const struct iovec* pieces, int count) {
  off_t size = 0;
  for (int i = 0; i < count; ++i) size += (off_t)pieces[i].iov_len;
  return size;
}

#define THE_REAL(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))

ssize_t pwrite(int file, const void* bytes, size_t size, off_t at) {
  return is_full(file, at + (off_t)size) ? -1 : THE_REAL(pwrite)(file, bytes, size, at);
}

ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t at) {
  return is_full(file, at + (off_t)size) ? -1 : THE_REAL(pwrite64)(file, bytes, size, at);
}

ssize_t pwritev(int file, const struct iovec* pieces, int count, off_t at) {
  return is_full(file, at + size_of(pieces, count)) ? -1 : THE_REAL(pwritev)(file, pieces, count, at);
}

ssize_t pwritev64(int file, const struct iovec* pieces, int count, off64_t at) {
  return is_full(file, at + size_of(pieces, count)) ? -1 : THE_REAL(pwritev64)(file, pieces, count, at);
}

int posix_fallocate(int file, off_t at, off_t size) {
  return is_full(file, at + size) ? ENOSPC : THE_REAL(posix_fallocate)(file, at, size);
}

int posix_fallocate64(int file, off64_t at, off64_t size) {
  return is_full(file, at + size) ? ENOSPC : THE_REAL(posix_fallocate64)(file, at, size);
}
