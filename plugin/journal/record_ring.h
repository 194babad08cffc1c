// The newest records, in a file that is memory too: what flush() took last and is not in its segment yet.
//
//   put()    the broker's thread copies records there: no system call, no page fault, no lock
//   copy()   the thread behind writes what is new to the segment, before it syncs that. The broker's thread
//            does too, where it cannot go on otherwise: the ring is full, or another segment begins
//
// A record stands at its position modulo the size of the file, and goes on at the beginning where that ends.
// Its checksum covers its position, so nothing that stood there a turn earlier is taken for it; and the file
// is made anew at each start, so nothing from an earlier life is. So when the process was killed, what
// follows the last record of the last segment is found in the ring without knowing anything else
// (inspection.h).
//
// Threads: the broker's, but for copy() and copied().
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "core/journal_record.h"
#include "journal/files.h"

namespace restante {

inline constexpr auto ring_name = "ring";
inline constexpr std::size_t largest_ring_bytes = 512 << 10;

class record_ring {
 public:
  explicit record_ring(files& in) : in_(in) {}
  ~record_ring();
  record_ring(const record_ring&) = delete;
  record_ring& operator=(const record_ring&) = delete;

  // At most as large as the largest. The next record will stand at `end`. Nothing is put before the directory
  // is synced. Where there can be no such file, put() says no.
  void make(std::uint64_t size_bytes, journal_position end);
  // Takes the file away; all is copied.
  void remove();

  // False: not now, or no more. Then copy() all and put it again, or write it to the segment and skip() it.
  bool put(journal_position at, std::string_view bytes);
  void skip(journal_position end);
  // A put has failed, so once all is copied it is to be removed.
  bool is_broken() const noexcept { return broken_; }

  bool holds(journal_position at) const noexcept;
  // Up to `count` bytes from `at` on, which it holds. Negative: the error.
  std::int64_t read(journal_position at, std::string& into, std::size_t count) const;

  // As opened by the broker's thread.
  files::handle file() const noexcept { return file_; }
  // Writes what is before `through`, and not written yet, to the segment that starts at `start`. Both files
  // as opened by the calling thread. Negative: the error; what was written before it counts as copied.
  std::int64_t copy(files::handle ring, files::handle segment, journal_position start,
                    journal_position through);
  // Everything before it is in a segment.
  journal_position copied() const noexcept { return copied_.load(std::memory_order_acquire); }

 private:
  files& in_;
  files::handle file_ = files::none;
  std::uint64_t size_bytes_ = 0;
  journal_position from_ = 0, end_ = 0;  // what was put without a gap
  bool broken_ = false;
  std::mutex guard_;  // of copying
  std::atomic<journal_position> copied_{0};
  std::string piece_;  // behind `guard_`
};

}  // namespace restante
