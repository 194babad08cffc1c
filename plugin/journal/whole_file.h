// Whole files and pieces of them.
#pragma once

#include <errno.h>

#include <cstdint>
#include <string>

#include "journal/files.h"

namespace restante {

// One open file, closed at the end.
class open_file {
 public:
  open_file() = default;
  open_file(files& in, files::handle file) : in_(&in), file_(file) {}
  open_file(open_file&& other) noexcept : in_(other.in_), file_(other.file_) { other.file_ = files::none; }
  open_file& operator=(open_file&& other) noexcept {
    if (this != &other) {
      close();
      in_ = other.in_;
      file_ = other.file_;
      other.file_ = files::none;
    }
    return *this;
  }
  ~open_file() { close(); }

  bool ok() const { return file_ >= 0; }
  files::handle get() const { return file_; }  // negative: why it is not open
  void close() {
    if (ok()) in_->close(file_);
    file_ = files::none;
  }

 private:
  files* in_ = nullptr;
  files::handle file_ = files::none;
};

// Up to `count` bytes; fewer only at the file's end. `into` has what was read.
inline std::int64_t read_fully(files& in, files::handle file, std::string& into, std::size_t count,
                               std::uint64_t offset) {
  into.resize(count);
  std::size_t had = 0;
  while (had < count) {
    const auto got = in.read(file, into.data() + had, count - had, offset + had);
    if (got <= 0) {
      into.resize(had);
      if (got < 0) return got;
      break;
    }
    had += static_cast<std::size_t>(got);
  }
  return static_cast<std::int64_t>(had);
}

// Until all is written, or an error; what was written before it stays.
inline std::int64_t write_fully(files& in, files::handle file, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const std::int64_t done = in.write(file, bytes, offset);
    if (done < 0) return done;
    if (done == 0) return -ENOSPC;  // nobody defines it; better than to try for ever
    bytes.remove_prefix(static_cast<std::size_t>(done));
    offset += static_cast<std::uint64_t>(done);
  }
  return 0;
}

// An empty file with space for so much, or the error.
inline files::handle make_segment_file(files& in, const std::string& name, std::uint64_t capacity_bytes) {
  const files::handle file = in.create(name);
  if (file < 0) return file;
  const int done = in.allocate(file, capacity_bytes);
  if (done >= 0 || done == -EOPNOTSUPP) return file;
  in.close(file);
  in.unlink(name);
  return done;
}

// Not for now, rather than never: what the journal waits for.
inline bool is_out_of_room(std::int64_t error) {
  return error == -ENOSPC || error == -EDQUOT || error == -EMFILE || error == -ENFILE || error == -ENOMEM;
}

}  // namespace restante
