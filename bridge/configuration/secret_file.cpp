#include "bridge/configuration/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace restante {

std::variant<std::string, configuration_error> read_secret_file(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return configuration_error{path + " cannot be read: " + strerror(errno)};
  struct stat about {};
  char bytes[1'026];
  const bool is_known = fstat(file, &about) == 0;
  const ssize_t count = is_known && S_ISREG(about.st_mode) ? read(file, bytes, sizeof bytes) : -1;
  close(file);
  if (count < 0) return configuration_error{path + " is no regular file"};
  if ((about.st_mode & 0027) != 0) {
    return configuration_error{path + " can be read or changed by others; run `chmod 600 " + path + "`"};
  }
  if (about.st_uid != geteuid() && about.st_uid != 0) {
    return configuration_error{path + " belongs to another user; it has to be the bridge's or root's"};
  }
  std::string secret(bytes, static_cast<std::size_t>(count));
  secret.resize(std::min(secret.find('\n'), secret.size()));
  if (!secret.empty() && secret.back() == '\r') secret.pop_back();
  if (secret.empty() || secret.size() > 1'024) {
    return configuration_error{path + " has to hold the secret as its first line, of at most 1024 bytes"};
  }
  return secret;
}

}  // namespace restante
