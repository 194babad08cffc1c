// All that the journal does with the file system: files in one directory. Tests give one that loses power,
// runs full and hangs.
//
// Results: not negative: done; negative: the error's number (errno.h), negated. Names are those of files in
// the directory, without a slash.
//
// Threads: any, but one at a time for a handle's writes. A handle is of use to the thread that it was opened
// on: others may have files of their own, see threads/background_thread.h. What was written, made, renamed or
// removed lasts over a power loss only after sync_data() and sync_directory().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace restante {

class files {
 public:
  using handle = int;
  static constexpr handle none = -1;

  struct entry {
    std::string name;
    std::uint64_t size_bytes = 0;
  };

  virtual ~files() = default;

  // What a thread with files of its own must be given: descriptors.
  virtual std::vector<int> shared_descriptors() const { return {}; }

  // The directory, before all others. It is made, for its owner alone and with the owner of the folder it is
  // in, if that is there.
  virtual int make_directory(const std::string& path) = 0;
  virtual int open_directory(const std::string& path) = 0;
  virtual int permissions() = 0;  // of the directory, as chmod takes them
  virtual int lock() = 0;         // -EWOULDBLOCK: another process has it. Held until this object ends
  virtual int list(std::vector<entry>& into) = 0;
  virtual int sync_directory() = 0;

  virtual handle create(
      const std::string& name) = 0;                  // empty, whether or not it was there; to read and write
  virtual handle open(const std::string& name) = 0;  // to read and write
  virtual handle open_to_read(const std::string& name) = 0;
  virtual void close(handle file) = 0;
  virtual int rename(const std::string& from, const std::string& to) = 0;  // replaces
  virtual int unlink(const std::string& name) = 0;

  // How many bytes; may be fewer than were asked for.
  virtual std::int64_t write(handle file, std::string_view bytes, std::uint64_t offset) = 0;
  // The file, which has so many bytes and space for all of them, is memory from now on, until it is closed.
  // One at a time. Negative: not to be had here.
  virtual int map(handle file, std::size_t size_bytes) = 0;
  // write() to the mapped file, without a system call. A process that is killed within may leave any of the
  // bytes and not others. False: some may be missing, also of those stored before, since the file was cut or
  // the disk has failed; read() tells what is there. Nothing can be stored any more then. Threads: that of
  // map().
  virtual bool store(handle file, std::string_view bytes, std::uint64_t offset) = 0;
  virtual std::int64_t read(handle file, char* into, std::size_t count, std::uint64_t offset) = 0;
  virtual int truncate(handle file, std::uint64_t size_bytes) = 0;
  // Makes sure of space for so many bytes, and leaves the size as it is. -EOPNOTSUPP: cannot be promised
  // here.
  virtual int allocate(handle file, std::uint64_t size_bytes) = 0;
  virtual void will_need(handle file, std::uint64_t offset, std::uint64_t count) = 0;  // a hint
  virtual int sync_data(handle file) = 0;

  virtual int random(char* into, std::size_t count) = 0;  // from the system, all of them
};

}  // namespace restante
