// A directory of a test's own, removed with everything in it.
#pragma once

#include <filesystem>
#include <string>

namespace restante::support {

// Directly in /dev/shm where there is memory to spare, since making the two thousand files of a cluster takes
// a disk five times as long, else in /tmp: a Unix socket's path may have no more than 107 bytes. Other users
// may enter it.
class temporary_directory {
 public:
  explicit temporary_directory(const std::string& owner = "");  // owner: a user's name, when run as root
  ~temporary_directory();
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string read_file(const std::filesystem::path& file);  // empty when there is none
void write_file(const std::filesystem::path& file, const std::string& text);

}  // namespace restante::support
