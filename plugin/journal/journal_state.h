// What the broker's thread and the one behind it both know of a journal.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/keyed_hash.h"
#include "core/ports.h"
#include "journal/files.h"
#include "journal/journal_format.h"
#include "journal/recent_format.h"

namespace restante {

struct journal_settings {
  std::string directory;
  std::int64_t sync_us = 10'000;               // 0: flush() waits for the disk
  std::uint64_t limit_bytes = 4ULL << 30;      // segments and fingerprints together
  std::int64_t dedupe_us = 600LL * 1'000'000;  // how long fingerprints outlive their segments; 0: not at all
  std::uint64_t segment_bytes = 16ULL << 20;   // at most a sixteenth of the limit is used
};

// A clock that is set back makes what is remembered lie in the future until it is set right again; then it
// must not look older than it is. Times further ahead than this are no times.
inline constexpr std::int64_t most_ahead_us = 2LL * 3'600 * 1'000'000;
inline std::int64_t believed_us(std::int64_t at_us, std::int64_t now_us) {
  return at_us > now_us + most_ahead_us ? now_us : at_us;
}

// A file made ahead, with space behind it. It gets its name when it is begun.
struct spare_segment {
  std::uint64_t capacity_bytes = 0;
};
inline constexpr auto spare_name = "spare";  // made by the thread behind
inline constexpr auto next_name = "next";    // made by the broker's thread, which could not wait

// The segment that is being written.
struct current_segment {
  files::handle file = files::none;  // the broker's thread's
  journal_position start = 0;
  std::uint64_t capacity_bytes = 0;
};

// One that is complete.
struct closed_segment {
  journal_position start = 0, end = 0;
  std::uint64_t file_bytes = 0;  // on disk
  std::uint64_t fingerprints = 0;
  std::int64_t newest_us = 0;  // none of its fingerprints is younger
  bool synced = false;
  bool fingerprints_kept = false;  // outside of it, or it has none

  std::uint64_t used_bytes() const { return journal_format::header_bytes + (end - start); }
};

struct recent_file {
  journal_position start = 0;  // of the segment it was made from
  std::uint64_t file_bytes = 0;
  std::int64_t newest_us = 0;
};

struct journal_state {
  const journal_settings settings;
  files& in;
  const clock& time;
  hash_key key;

  std::mutex guard;
  std::condition_variable wake;

  // Behind `guard`:
  std::vector<closed_segment> closed;  // oldest first
  std::vector<recent_file> recent;     // oldest first
  current_segment current;
  std::optional<spare_segment> spare;
  bool spare_taken = false;          // the broker's thread begins it with its next flush
  std::uint64_t reserved_bytes = 0;  // for files that are being made
  journal_position keep_synced = 0;  // the last mark that is on disk
  bool directory_synced = true;
  bool work_waits = false;  // for the thread behind, other than to sync
  std::string why_failed;
  std::vector<std::string> notes;

  // The broker's thread advances `flushed` without `guard`, so that a flush takes no lock; what it counts is
  // written then, in a segment that is in `closed` or `current`. keep_flushed: as the last mark written says.
  std::atomic<journal_position> flushed{0}, keep_flushed{0};  // how far all is written
  std::atomic<journal_position> synced{0};                    // how far all is on disk

  // Each on its own:
  std::atomic<bool> failed{false};
  std::atomic<std::int64_t> unsynced_since_us{0};  // steady; 0: nothing is unsynced, or all is being synced
  std::atomic<std::int64_t> syncing_since_us{0};   // the same of what is being synced
  // What counts to the limit, of all but the current segment:
  std::atomic<std::uint64_t> used_elsewhere_bytes{0};
  std::atomic<std::uint64_t> file_bytes{0};  // on disk, all of it

  journal_state(journal_settings chosen, files& files_in, const clock& wall)
      : settings(std::move(chosen)), in(files_in), time(wall) {}

  // With `guard` held, after a change of what they count.
  void count();
  // With `guard` held. What another segment may have, or nothing: the limit is reached. Room is left for its
  // fingerprints, which take up to three quarters of what their records take.
  std::optional<std::uint64_t> size_of_next(std::uint64_t at_least) const;
  std::uint64_t allocated_bytes() const;
  // Kept free for marks, without which nothing could ever be trimmed.
  std::uint64_t margin_bytes() const { return settings.limit_bytes / 256; }
  std::uint64_t segment_bytes() const;
  std::uint64_t ring_bytes() const;

  // For good; the first reason stays. Without `guard`.
  void fail(const std::string& line);
};

}  // namespace restante
