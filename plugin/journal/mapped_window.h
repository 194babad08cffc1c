// A part of the file that is appended to, mapped into memory, so that appending costs a copy and no system
// call.
//
// The window moves along, and makes the file as large as its end: behind what was appended stand zeros. What
// was copied is the system's, as after write(): it outlives the process, and fdatasync() of the file takes it
// to disk, for a store makes its page dirty as write() does.
//
// The first store to a page, and the first after each sync, costs a page fault, some microseconds. prepare()
// takes them on another thread.
//
// Threads: one, but for prepare() and leave() of others' files.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <thread>

#include "journal/bus_guard.h"

namespace restante {

class mapped_window {
 public:
  static constexpr std::size_t size_bytes = 256 << 10;

  mapped_window() = default;
  ~mapped_window();
  mapped_window(const mapped_window&) = delete;
  mapped_window& operator=(const mapped_window&) = delete;

  enum class outcome {
    stored,
    not_here,  // write it otherwise; that also tells why, if the disk is the reason
    cut,       // somebody made the file shorter
  };
  // Nothing but zeros stands behind `offset`; the disk has room for so many bytes of the file.
  outcome store(int file, std::string_view bytes, std::uint64_t offset, std::uint64_t capacity_bytes);
  // To be called before it is closed or cut. On another thread the same number may be another file.
  void leave(int file) {
    if (file_ == file && owner_ == std::this_thread::get_id()) leave();
  }
  // About so many bytes will be stored next. From any thread.
  void prepare(int file, std::uint64_t count);

 private:
  bool reserve();
  bool move(int file, std::uint64_t offset, std::uint64_t needed_end, std::uint64_t capacity_bytes);
  static bool make_as_large(int file, std::uint64_t file_bytes);
  bool map(int protection, int flags, int file, std::uint64_t offset);
  void leave();
  outcome after_bus_error(int file);

  // The addresses stay the same until the end, so that prepare() never touches what is not the window's.
  char* begin_ = nullptr;
  bool is_ours_ = false;
  std::optional<bus_guard> guard_;
  bool given_up_ = false;
  std::uint64_t base_ = 0;                // the offset in the file that begin_ shows
  std::atomic<std::thread::id> owner_{};  // who stores
  std::atomic<int> file_{-1};
  std::atomic<std::size_t> next_ = 0, limit_ = 0;  // in the window: the next store; how far it may go
};

}  // namespace restante
