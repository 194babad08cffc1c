// What is done behind the broker's back: syncs, segments made ahead, fingerprints put aside, files removed.
//
// In this order whenever it is called, so that nothing counts as safe before what it builds on is:
//   1. the rest of closed segments is synced, the oldest first; then the directory, if a segment was begun;
//   then
//      the current segment, after what the ring alone had, and with it the marks in it
//   2. fingerprints of a segment before the `keep` of a mark that is on disk are written to a file of their
//   own,
//      which is synced, and the directory
//   3. such segments are removed, and fingerprints that are too old
//   4. a spare segment is made, if there is none
// Fingerprints for which the disk has had no room for a second, though no spare is left, are forgotten: they
// matter after a restart only, and their segments would never go. An error of 1 is for good: a disk that
// failed to sync once may forget what it was given, and say yes the next time (what PostgreSQL learnt in
// 2018). Whatever else finds no room is tried again, at least each second.
//
// It opens by their names the files that the broker's thread writes: it may have files of its own.
//
// Threads: one; not the broker's while that runs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "journal/journal_state.h"
#include "journal/record_ring.h"
#include "journal/whole_file.h"

namespace restante {

class keeper {
 public:
  keeper(journal_state& state, record_ring& ring) : state_(state), ring_(ring) {}

  void tend();
  // 1 alone. False: failed for good.
  bool sync();
  // Goes on until stop(), then syncs once more. Waits half of `sync_us` from the first unsynced byte on, so
  // that with the sync itself about all of it has passed.
  void run();
  void stop();  // from any thread

 private:
  static constexpr std::int64_t patience_us = 1'000'000;

  std::int64_t open_to_sync(journal_position start);
  std::int64_t copy_ring(journal_position start, journal_position through);
  bool sync_failed(std::string_view doing, std::int64_t error);
  bool sync_later(std::string_view doing, std::int64_t error);
  void keep_fingerprints();
  void keep_fingerprints_of(const closed_segment& segment);
  bool may_have_room_later(std::int64_t error);
  bool give_back_spare();  // false: there is none
  void note_forgotten();
  void note_failure(std::string_view doing, std::int64_t error);
  void remove_trimmed();
  void remove_old_fingerprints();
  void make_spare();

  journal_state& state_;
  record_ring& ring_;
  bool stopping_ = false;                                 // behind the state's guard
  bool failure_noted_ = false, forgotten_noted_ = false;  // one line is enough
  std::int64_t out_of_room_since_us_ = 0;                 // for fingerprints (steady); 0: not
  open_file synced_file_;                                 // the segment that was synced last
  journal_position synced_start_ = 0;
  open_file ring_file_;
};

}  // namespace restante
