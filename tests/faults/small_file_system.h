// A file system of a size that a test can fill, seen by this process and its children alone.
#pragma once

#include <sched.h>
#include <sys/mount.h>

#include <filesystem>
#include <string>

namespace restante::faults {

class small_file_system {
 public:
  // Over `folder`, with `size` as tmpfs takes it. Nothing is mounted where that is not allowed.
  small_file_system(std::filesystem::path folder, const std::string& size) : folder_(std::move(folder)) {
    is_mounted_ = ::unshare(CLONE_NEWNS) == 0 &&
                  ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                  ::mount("none", folder_.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
  }
  ~small_file_system() {
    if (is_mounted_) ::umount2(folder_.c_str(), MNT_DETACH);
  }
  small_file_system(const small_file_system&) = delete;
  small_file_system& operator=(const small_file_system&) = delete;

  bool is_mounted() const { return is_mounted_; }

 private:
  std::filesystem::path folder_;
  bool is_mounted_ = false;
};

}  // namespace restante::faults
