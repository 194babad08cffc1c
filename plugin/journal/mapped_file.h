// A file of a fixed size in memory, so that writing to it costs a copy and no system call.
//
// What is stored is the system's, as after write(): it outlives the process, and every reader of the file
// sees it. Its pages stay where they are, so stores cost no page faults either, but for the first one to a
// page after the system has written that to disk by itself, half a minute later by its defaults.
//
// Threads: one; leave() from any, for other files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <thread>

#include "journal/bus_guard.h"

namespace restante {

class mapped_file {
 public:
  mapped_file() = default;
  ~mapped_file() { leave(); }
  mapped_file(const mapped_file&) = delete;
  mapped_file& operator=(const mapped_file&) = delete;

  // The file has exactly so many bytes, and space for them. 0, or the error, negated.
  int map(int file, std::size_t size_bytes);
  // False: it is not mapped, or what was stored now or before may not be in the file: somebody cut it, or the
  // disk has failed. It is not mapped any more then. Cheapest where each store follows the one before, and
  // the first the last.
  bool store(int file, std::string_view bytes, std::uint64_t offset);
  // To be called before it is closed. On another thread the same number may be another file.
  void leave(int file) {
    if (file_ == file && owner_ == std::this_thread::get_id()) leave();
  }

 private:
  void ask_for_next(std::size_t offset, std::size_t count) const noexcept;
  void leave();

  int file_ = -1;
  char* begin_ = nullptr;
  std::size_t size_bytes_ = 0;
  std::thread::id owner_;  // who stores
  std::optional<bus_guard> guard_;
};

}  // namespace restante
