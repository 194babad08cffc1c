#include "journal/keeper.h"

#include <errno.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "journal/journal_error.h"
#include "journal/recent_writer.h"
#include "journal/segment_fingerprints.h"
#include "journal/whole_file.h"

namespace restante {

using namespace journal_format;

void keeper::run() {
  using std::chrono::microseconds;
  std::unique_lock lock(state_.guard);
  while (!stopping_) {
    const auto dirty = [&] { return state_.settings.sync_us > 0 && state_.unsynced_since_us != 0; };
    state_.wake.wait_for(lock, std::chrono::seconds(1),
                         [&] { return stopping_ || state_.work_waits || dirty(); });
    if (dirty())
      state_.wake.wait_for(lock, microseconds(state_.settings.sync_us / 2), [&] { return stopping_; });
    state_.work_waits = false;
    lock.unlock();
    tend();
    lock.lock();
  }
  lock.unlock();
  sync();
  synced_file_.close();  // they may be this thread's own
  ring_file_.close();
}

void keeper::stop() {
  {
    const std::lock_guard lock(state_.guard);
    stopping_ = true;
  }
  state_.wake.notify_all();
}

void keeper::tend() {
  if (state_.failed) return;
  if (state_.settings.sync_us > 0 && !sync()) return;
  keep_fingerprints();
  remove_trimmed();
  remove_old_fingerprints();
  make_spare();
}

bool keeper::sync() {
  if (state_.failed) return false;
  std::vector<closed_segment> tails;
  current_segment current;
  journal_position flushed = 0, keep = 0;
  bool directory_synced = true;
  {
    const std::lock_guard lock(state_.guard);
    for (const auto& segment : state_.closed) {
      if (!segment.synced) tails.push_back(segment);
    }
    current = state_.current;
    directory_synced = state_.directory_synced;
    // Before `flushed` is read: who advances it later starts the time again.
    state_.syncing_since_us = state_.unsynced_since_us.load();
    state_.unsynced_since_us = 0;
    keep = state_.keep_flushed;
    flushed = state_.flushed;
  }
  for (const auto& segment : tails) {
    if (const auto opened = open_to_sync(segment.start); opened < 0)
      return sync_later("opening a segment", opened);
    // What was allocated and not needed goes back; what is there stays.
    state_.in.truncate(synced_file_.get(), segment.used_bytes());
    if (const int done = state_.in.sync_data(synced_file_.get()); done < 0)
      return sync_failed("syncing a segment", done);
    synced_file_.close();
    const std::lock_guard lock(state_.guard);
    for (auto& known : state_.closed) {
      if (known.start != segment.start) continue;
      known.synced = true;
      known.file_bytes = known.used_bytes();
    }
    state_.count();
  }
  if (!directory_synced) {
    if (const int done = state_.in.sync_directory(); done < 0)
      return sync_failed("syncing the directory", done);
  }
  if (flushed > state_.synced) {
    if (const auto opened = open_to_sync(current.start); opened < 0)
      return sync_later("opening a segment", opened);
    if (const auto copied = copy_ring(current.start, flushed); copied < 0)
      return sync_later("writing", copied);
    if (const int done = state_.in.sync_data(synced_file_.get()); done < 0)
      return sync_failed("syncing a segment", done);
  }
  const std::lock_guard lock(state_.guard);
  // A segment begun meanwhile has its entry unsynced again; its data are not part of `flushed` here.
  if (state_.current.start == current.start) state_.directory_synced = true;
  state_.synced = flushed;
  state_.keep_synced = keep;
  state_.syncing_since_us = 0;
  return true;
}

// An error in writing that nobody was told of yet is told to whoever opens the file later, too (since
// Linux 4.17).
std::int64_t keeper::open_to_sync(journal_position start) {
  if (synced_file_.ok() && synced_start_ == start) return 0;
  synced_file_ = open_file(state_.in, state_.in.open(file_name(start, segment_ending)));
  synced_start_ = start;
  return synced_file_.ok() ? 0 : synced_file_.get();
}

std::int64_t keeper::copy_ring(journal_position start, journal_position through) {
  if (ring_.copied() >= through) return 0;
  if (!ring_file_.ok()) ring_file_ = open_file(state_.in, state_.in.open_to_read(ring_name));
  if (!ring_file_.ok()) return ring_file_.get();
  return ring_.copy(ring_file_.get(), synced_file_.get(), start, through);
}

bool keeper::sync_failed(std::string_view doing, std::int64_t error) {
  state_.fail(journal_failure(state_.settings.directory, doing, error).line);
  return false;
}

// Nothing was lost by that, and what waits for the disk is counted as waiting.
bool keeper::sync_later(std::string_view doing, std::int64_t error) {
  if (!is_out_of_room(error)) return sync_failed(doing, error);
  note_failure(doing, error);
  state_.unsynced_since_us = state_.syncing_since_us.exchange(0);
  return false;
}

void keeper::note_forgotten() {
  if (std::exchange(forgotten_noted_, true)) return;
  const std::lock_guard lock(state_.guard);
  state_.notes.push_back("journal: there is no room in " + state_.settings.directory +
                         ": fingerprints are forgotten, so after a restart repeats may be handed over again");
}

// One segment at a time, so that syncs do not wait for many.
void keeper::keep_fingerprints() {
  std::optional<closed_segment> waiting;
  {
    const std::lock_guard lock(state_.guard);
    for (const auto& segment : state_.closed) {
      if (segment.end > state_.keep_synced) break;
      if (!segment.synced || segment.fingerprints_kept) continue;
      if (waiting) {
        state_.work_waits = true;
        break;
      }
      waiting = segment;
    }
  }
  if (waiting) keep_fingerprints_of(*waiting);
}

void keeper::keep_fingerprints_of(const closed_segment& segment) {
  const auto now_us = state_.time.now_us();
  const auto is_old = [&](std::int64_t at_us) { return now_us - at_us >= state_.settings.dedupe_us; };
  recent_writer young(state_.in, state_.key, segment.start);
  std::int64_t newest_us = 0;
  const auto take = [&](used_once used) {
    used.at_us = believed_us(used.at_us, now_us);
    if (is_old(used.at_us)) return;
    newest_us = std::max(newest_us, used.at_us);
    young.add(used);
  };
  if (!is_old(segment.newest_us) &&
      !each_fingerprint(state_.in, state_.key, segment.start, segment.end, take)) {
    young.drop();
    return;
  }
  const std::int64_t written = young.finish();
  if (written < 0) {
    if (may_have_room_later(written)) return;
    // Or a journal that has filled its file system by itself would stay full for ever.
    note_forgotten();
  } else if (written > 0) {
    out_of_room_since_us_ = 0;
    int done = young.sync();
    if (done >= 0) done = state_.in.sync_directory();
    if (done < 0) {
      state_.fail(journal_failure(state_.settings.directory, "syncing fingerprints", done).line);
      return;
    }
  }
  const std::lock_guard lock(state_.guard);
  for (auto& known : state_.closed) {
    if (known.start == segment.start) known.fingerprints_kept = true;
  }
  std::erase_if(state_.recent, [&](const auto& file) { return file.start == segment.start; });
  if (written > 0) {
    state_.recent.push_back({segment.start, static_cast<std::uint64_t>(written), newest_us});
  }
  state_.count();
}

// What did not let fingerprints be put aside. True: try again; false: there is no room and will be none.
bool keeper::may_have_room_later(std::int64_t error) {
  if (error != -ENOSPC && error != -EDQUOT) {
    note_failure("putting fingerprints aside", error);
    return true;
  }
  const auto now_us = state_.time.steady_us();
  if (give_back_spare() || out_of_room_since_us_ == 0) {
    out_of_room_since_us_ = now_us;
    return true;
  }
  return now_us - out_of_room_since_us_ < patience_us;
}

// Tried again with the next round; without it the journal grows to its limit.
void keeper::note_failure(std::string_view doing, std::int64_t error) {
  if (std::exchange(failure_noted_, true)) return;
  const std::lock_guard lock(state_.guard);
  state_.notes.push_back(journal_failure(state_.settings.directory, doing, error).line);
}

// Where the file system is full, what is trimmed cannot go before its fingerprints have room.
bool keeper::give_back_spare() {
  std::optional<spare_segment> given;
  {
    const std::lock_guard lock(state_.guard);
    if (state_.spare_taken) return true;  // its segment is about to begin
    given = std::exchange(state_.spare, std::nullopt);
    state_.count();
  }
  if (!given) return false;
  state_.in.unlink(spare_name);
  return true;
}

void keeper::remove_trimmed() {
  std::vector<closed_segment> over;
  {
    const std::lock_guard lock(state_.guard);
    for (const auto& segment : state_.closed) {
      if (segment.end > state_.keep_synced) break;
      if (segment.synced && segment.fingerprints_kept) over.push_back(segment);
    }
  }
  for (const auto& segment : over) {
    if (const int done = state_.in.unlink(file_name(segment.start, segment_ending));
        done < 0 && done != -ENOENT)
      return note_failure("removing a segment", done);
    const std::lock_guard lock(state_.guard);
    std::erase_if(state_.closed, [&](const auto& known) { return known.start == segment.start; });
    state_.count();
  }
}

void keeper::remove_old_fingerprints() {
  std::vector<recent_file> old;
  const auto now_us = state_.time.now_us();
  {
    const std::lock_guard lock(state_.guard);
    for (const auto& file : state_.recent) {
      if (now_us - file.newest_us >= state_.settings.dedupe_us) old.push_back(file);
    }
  }
  for (const auto& file : old) {
    if (const int done = state_.in.unlink(file_name(file.start, recent_ending)); done < 0 && done != -ENOENT)
      return note_failure("removing fingerprints", done);
    const std::lock_guard lock(state_.guard);
    std::erase_if(state_.recent, [&](const auto& known) { return known.start == file.start; });
    state_.count();
  }
}

void keeper::make_spare() {
  std::optional<std::uint64_t> capacity;
  {
    const std::lock_guard lock(state_.guard);
    if (state_.spare) return;
    capacity = state_.size_of_next(0);
    if (!capacity) return;
    state_.reserved_bytes += *capacity;
    state_.count();
  }
  const open_file made(state_.in, make_segment_file(state_.in, spare_name, *capacity));
  const std::lock_guard lock(state_.guard);
  state_.reserved_bytes -= *capacity;
  if (made.ok()) state_.spare = spare_segment{*capacity};
  state_.count();
}

}  // namespace restante
