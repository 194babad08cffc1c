#include "journal/record_ring.h"

#include <errno.h>

#include <algorithm>

#include "journal/journal_format.h"
#include "journal/whole_file.h"

namespace restante {

namespace {

constexpr std::uint64_t most_at_once_bytes = 128 << 10;

}  // namespace

record_ring::~record_ring() {
  if (file_ >= 0) in_.close(file_);
}

void record_ring::make(std::uint64_t size_bytes, journal_position end) {
  from_ = end_ = end;
  copied_ = end;
  size_bytes_ = std::min<std::uint64_t>(size_bytes, largest_ring_bytes);
  const auto made = in_.create(ring_name);
  if (made < 0) return;
  // Without space for all of it a page is a promise that may turn out empty.
  if (in_.allocate(made, size_bytes_) == 0 && in_.truncate(made, size_bytes_) >= 0 &&
      in_.map(made, size_bytes_) == 0) {
    file_ = made;
    return;
  }
  in_.close(made);
  in_.unlink(ring_name);
}

void record_ring::remove() {
  if (file_ < 0) return;
  in_.close(file_);
  in_.unlink(ring_name);
  file_ = files::none;
}

bool record_ring::put(journal_position at, std::string_view bytes) {
  if (file_ < 0 || broken_ || at + bytes.size() - copied() > size_bytes_) return false;
  const std::uint64_t offset = at % size_bytes_;
  const auto here = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), size_bytes_ - offset));
  broken_ = !in_.store(file_, bytes.substr(0, here), offset) ||
            (here < bytes.size() && !in_.store(file_, bytes.substr(here), 0));
  if (broken_) return false;
  end_ = at + bytes.size();
  return true;
}

void record_ring::skip(journal_position end) {
  from_ = end_ = end;
  copied_.store(end, std::memory_order_release);
}

bool record_ring::holds(journal_position at) const noexcept {
  return file_ >= 0 && at >= from_ && at < end_ && end_ - at <= size_bytes_;
}

std::int64_t record_ring::read(journal_position at, std::string& into, std::size_t count) const {
  count = static_cast<std::size_t>(std::min<std::uint64_t>(count, end_ - at));
  const std::uint64_t offset = at % size_bytes_;
  const auto here = static_cast<std::size_t>(std::min<std::uint64_t>(count, size_bytes_ - offset));
  const auto got = read_fully(in_, file_, into, here, offset);
  if (got < 0 || static_cast<std::size_t>(got) < here || here == count) return got;
  std::string rest;
  const auto more = read_fully(in_, file_, rest, count - here, 0);
  if (more < 0) return more;
  into += rest;
  return got + more;
}

std::int64_t record_ring::copy(files::handle ring, files::handle segment, journal_position start,
                               journal_position through) {
  const std::lock_guard lock(guard_);
  for (auto at = copied(); at < through;) {
    const std::uint64_t offset = at % size_bytes_;
    const auto count = static_cast<std::size_t>(
        std::min({through - at, size_bytes_ - offset, std::uint64_t{most_at_once_bytes}}));
    const auto got = read_fully(in_, ring, piece_, count, offset);
    if (got < 0) return got;
    if (static_cast<std::size_t>(got) < count) return -EIO;  // somebody cut it
    const auto done = write_fully(in_, segment, piece_, journal_format::header_bytes + (at - start));
    if (done < 0) return done;
    at += count;
    copied_.store(at, std::memory_order_release);
  }
  return 0;
}

}  // namespace restante
