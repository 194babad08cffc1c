// A file of its own, removed at the end, to be mapped, written and cut.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace restante::test {

inline std::filesystem::path new_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "restante-journal-XXXXXX").string();
  return ::mkdtemp(name.data());
}

class scratch_file {
 public:
  explicit scratch_file(const std::filesystem::path& folder)
      : handle_(::open((folder / "file").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    EXPECT_GE(handle_, 0);
  }
  ~scratch_file() { ::close(handle_); }
  scratch_file(const scratch_file&) = delete;
  scratch_file& operator=(const scratch_file&) = delete;

  int handle() const { return handle_; }
  bool keep_space(std::uint64_t bytes) const {
    return ::fallocate(handle_, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes)) == 0;
  }
  void cut(std::uint64_t bytes) const { EXPECT_EQ(::ftruncate(handle_, static_cast<off_t>(bytes)), 0); }
  std::uint64_t size_bytes() const { return static_cast<std::uint64_t>(about().st_size); }
  std::uint64_t kept_bytes() const { return static_cast<std::uint64_t>(about().st_blocks) * 512; }
  std::string content(std::uint64_t offset, std::size_t count) const {
    std::string bytes(count, '?');
    const auto got = ::pread(handle_, bytes.data(), count, static_cast<off_t>(offset));
    bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return bytes;
  }

 private:
  struct stat about() const {
    struct stat found {};
    EXPECT_EQ(::fstat(handle_, &found), 0);
    return found;
  }
  int handle_;
};

}  // namespace restante::test
