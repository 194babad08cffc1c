// The files of this machine.
#pragma once

#include "journal/files.h"
#include "journal/mapped_file.h"

namespace restante {

class posix_files final : public files {
 public:
  posix_files() = default;
  ~posix_files() override;
  posix_files(const posix_files&) = delete;
  posix_files& operator=(const posix_files&) = delete;

  std::vector<int> shared_descriptors() const override { return {directory_}; }
  int make_directory(const std::string& path) override;
  int open_directory(const std::string& path) override;
  int permissions() override;
  int lock() override;
  int list(std::vector<entry>& into) override;
  int sync_directory() override;
  handle create(const std::string& name) override;
  handle open(const std::string& name) override;
  handle open_to_read(const std::string& name) override;
  void close(handle file) override;
  int rename(const std::string& from, const std::string& to) override;
  int unlink(const std::string& name) override;
  std::int64_t write(handle file, std::string_view bytes, std::uint64_t offset) override;
  int map(handle file, std::size_t size_bytes) override { return mapped_.map(file, size_bytes); }
  bool store(handle file, std::string_view bytes, std::uint64_t offset) override {
    return mapped_.store(file, bytes, offset);
  }
  std::int64_t read(handle file, char* into, std::size_t count, std::uint64_t offset) override;
  int truncate(handle file, std::uint64_t size_bytes) override;
  int allocate(handle file, std::uint64_t size_bytes) override;
  void will_need(handle file, std::uint64_t offset, std::uint64_t count) override;
  int sync_data(handle file) override;
  int random(char* into, std::size_t count) override;

 private:
  int directory_ = none;
  mapped_file mapped_;
};

}  // namespace restante
