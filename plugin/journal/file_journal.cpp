#include "journal/file_journal.h"

#include <errno.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "journal/recent_format.h"
#include "journal/segment_fingerprints.h"
#include "journal/whole_file.h"
#include "threads/background_thread.h"

namespace restante {

using namespace journal_format;

namespace {

constexpr std::size_t most_kept_bytes = 1 << 20;  // of a buffer, when a large message made it grow
constexpr std::size_t usual_buffer_bytes = 64 << 10;
constexpr std::int64_t most_syncs_behind = 50;

}  // namespace

file_journal::file_journal(const journal_settings& settings, files& in, const clock& time, inspection found)
    : state_(settings, in, time),
      ring_(in),
      keeper_(state_, ring_),
      reader_(state_, ring_),
      seal_(found.key),
      begin_(found.begin) {
  state_.key = found.key;
  state_.notes = std::move(found.notes);
  for (const auto& segment : found.segments) {
    closed_segment known;
    known.start = segment.start;
    known.end = segment.end;
    known.file_bytes = segment.file_bytes;
    known.fingerprints = segment.fingerprints;
    known.newest_us = segment.newest_us;
    known.synced = true;
    known.fingerprints_kept = segment.fingerprints == 0 || settings.dedupe_us == 0;
    state_.closed.push_back(known);
  }
  for (const auto& file : found.recent) state_.recent.push_back({file.start, file.file_bytes, 0});
  flushed_ = found.end;
  ring_.skip(found.end);
  state_.flushed = state_.synced = found.end;
  state_.current.start = found.end;
  state_.keep_flushed = state_.keep_synced = found.begin;
  keep_ = keep_written_ = found.begin;
  synced_written_ = found.end;
  buffer_.reserve(usual_buffer_bytes);
  buffer_.assign(header_bytes, '\0');
  state_.count();
}

std::variant<std::unique_ptr<file_journal>, journal_error> file_journal::open(
    const journal_settings& settings, files& in, const clock& time) {
  auto chosen = settings;
  while (chosen.directory.size() > 1 && chosen.directory.back() == '/') chosen.directory.pop_back();
  const auto& path = chosen.directory;
  if (const int made = in.make_directory(path); made < 0 && made != -EEXIST)
    return journal_failure(path, "making the directory", made);
  if (const int opened = in.open_directory(path); opened < 0)
    return journal_failure(path, "opening the directory", opened);
  const int permissions = in.permissions();
  if (permissions < 0) return journal_failure(path, "looking at the directory", permissions);
  if ((permissions & 077) != 0)
    return journal_error{"journal: others than its owner may use " + path +
                         ", in which messages stand: chmod 700 " + path};
  if (const int locked = in.lock(); locked == -EWOULDBLOCK)
    return journal_error{"journal: another broker uses " + path +
                         ": stop it, or choose another directory with the option journal"};
  else if (locked < 0)
    return journal_failure(path, "locking the directory", locked);
  auto found = inspect(in, path);
  if (auto* error = std::get_if<journal_error>(&found)) return std::move(*error);
  auto& inspected = std::get<inspection>(found);
  if (!inspected.has_key) {
    char bytes[16];
    if (const int done = in.random(bytes, sizeof bytes); done < 0)
      return journal_failure(path, "getting random bytes", done);
    std::copy_n(bytes, 8, reinterpret_cast<char*>(&inspected.key.low));
    std::copy_n(bytes + 8, 8, reinterpret_cast<char*>(&inspected.key.high));
  }
  std::unique_ptr<file_journal> made(new file_journal(chosen, in, time, std::move(inspected)));
  made->load_recent();
  return made;
}

// How old the fingerprints are, for the keeper; those from which nothing can be had count as old.
void file_journal::load_recent() {
  const auto now_us = state_.time.now_us();
  for (auto& file : state_.recent) {
    const auto name = file_name(file.start, recent_ending);
    const open_file opened(state_.in, state_.in.open_to_read(name));
    std::string bytes;
    if (!opened.ok() || read_fully(state_.in, opened.get(), bytes, file.file_bytes, 0) < 0) continue;
    const auto damaged = decode_recent(bytes, state_.key, file.start, [&](const used_once& used) {
      file.newest_us = std::max(file.newest_us, believed_us(used.at_us, now_us));
    });
    if (damaged > 0)
      state_.notes.push_back("journal: " + std::to_string(damaged) + " blocks of " +
                             state_.settings.directory + '/' + name +
                             " are damaged: repeats of what they told of may be handed over again");
  }
}

void file_journal::recall(const std::function<void(const used_once&)>& each) {
  std::vector<recent_file> recent;
  std::vector<closed_segment> closed;
  {
    const std::lock_guard lock(state_.guard);
    recent = state_.recent;
    closed = state_.closed;
  }
  const auto now_us = state_.time.now_us();
  const auto tell_young = [&](used_once used) {
    used.at_us = std::min(used.at_us, now_us);
    if (now_us - used.at_us < state_.settings.dedupe_us) each(used);
  };
  for (const auto& file : recent) {
    const open_file opened(state_.in, state_.in.open_to_read(file_name(file.start, recent_ending)));
    std::string bytes;
    if (opened.ok() && read_fully(state_.in, opened.get(), bytes, file.file_bytes, 0) >= 0)
      decode_recent(bytes, state_.key, file.start, tell_young);
  }
  for (const auto& segment : closed) {
    if (segment.start < begin_)
      each_fingerprint(state_.in, state_.key, segment.start, std::min(segment.end, begin_), tell_young);
  }
}

std::string file_journal::why_failed() const {
  const std::lock_guard lock(state_.guard);
  return state_.why_failed;
}

std::vector<std::string> file_journal::take_notes() {
  const std::lock_guard lock(state_.guard);
  return std::exchange(state_.notes, {});
}

std::optional<journal_error> file_journal::start(behind how) {
  if (auto error = begin_first_segment()) return error;
  started_ = true;
  if (how == behind::by_hand) return std::nullopt;
  try {
    thread_ = start_background_thread(state_.in.shared_descriptors(), [this] { keeper_.run(); });
  } catch (const std::system_error& error) {
    return journal_failure(state_.settings.directory, "starting a thread", -error.code().value());
  }
  return std::nullopt;
}

// Its header is on disk before it has its name, so a journal always has a header that can be read.
std::optional<journal_error> file_journal::begin_first_segment() {
  const auto& path = state_.settings.directory;
  auto& in = state_.in;
  for (const auto* left_behind : {spare_name, next_name}) {
    if (const int done = in.unlink(left_behind); done < 0 && done != -ENOENT)
      return journal_failure(path, "removing a spare segment", done);
  }
  // The directory is synced below, so that no power loss brings back an old one.
  if (const int done = in.unlink(ring_name); done < 0 && done != -ENOENT)
    return journal_failure(path, "removing the old ring", done);
  if (state_.settings.sync_us > 0) ring_.make(state_.ring_bytes(), flushed_);
  std::uint64_t capacity = state_.segment_bytes();
  {
    const std::lock_guard lock(state_.guard);
    capacity = state_.size_of_next(0).value_or(
        std::max<std::uint64_t>(capacity / 16, header_bytes + 16 * mark_bytes));
  }
  const files::handle file = make_segment_file(in, next_name, capacity);
  if (file < 0) return journal_failure(path, "making a segment", file);
  const auto name = file_name(flushed_, segment_ending);
  std::int64_t done = write_fully(in, file, encode_header({flushed_, begin_, flushed_, state_.key}), 0);
  if (done >= 0) done = in.sync_data(file);
  if (done >= 0) done = in.rename(next_name, name);
  if (done >= 0) done = in.sync_directory();
  if (done < 0) {
    in.close(file);
    return journal_failure(path, "beginning a segment", done);
  }
  const std::lock_guard lock(state_.guard);
  // An empty one may have stood there.
  std::erase_if(state_.closed, [&](const auto& segment) { return segment.start == flushed_; });
  current_ = {file, flushed_, capacity};
  state_.current = current_;
  state_.count();
  return std::nullopt;
}

file_journal::~file_journal() {
  if (thread_.joinable()) {
    keeper_.stop();
    thread_.join();
  } else if (started_) {
    keeper_.sync();
  }
  if (started_ && !state_.failed) mark_the_end();
  if (state_.synced == flushed_) ring_.remove();
  drop_next();
  if (state_.spare) state_.in.unlink(spare_name);
  if (current_.file >= 0) {
    state_.in.truncate(current_.file, used_here_bytes());
    state_.in.close(current_.file);
  }
}

// All is on disk now, and says so: whatever is found damaged later was damaged later.
void file_journal::mark_the_end() {
  forget();
  const mark last{keep_written_, state_.synced};
  if (last.synced <= synced_written_ || make_room(0, true) != journal_status::ok) return;
  encode(buffer_, seal_, end(), last);
  if ((next_ ? write_next() : write_here()) != journal_status::ok) return;
  publish();
  keeper_.sync();
}

bool file_journal::is_over_limit(bool is_message) const {
  const auto limit = state_.settings.limit_bytes;
  const std::uint64_t used = state_.used_elsewhere_bytes + used_here_bytes() + pending_bytes() +
                             recent_bytes(fingerprints_ + pending_fingerprints_ + 1);
  return used > (is_message ? limit / 16 * 15 : limit - state_.margin_bytes());
}

bool file_journal::disk_is_behind() const {
  if (state_.settings.sync_us == 0) return false;
  std::int64_t since = state_.syncing_since_us;
  if (since == 0) since = state_.unsynced_since_us;
  return since != 0 && state_.time.steady_us() - since > most_syncs_behind * state_.settings.sync_us;
}

template <typename Encode>
journal_status file_journal::take(bool is_message, bool has_fingerprint, Encode encode) {
  if (state_.failed || !started_) return journal_status::failed;
  if (is_message && is_behind_) return journal_status::full;
  const std::size_t before = buffer_.size();
  if (!encode(end())) return journal_status::full;
  const auto status = is_over_limit(is_message) ? journal_status::full : make_room(pending_bytes(), false);
  if (status != journal_status::ok) {
    buffer_.resize(before);
  } else if (has_fingerprint) {
    ++pending_fingerprints_;
  }
  return status;
}

journal_status file_journal::append(const envelope& accepted, const fingerprint& known) {
  newest_us_ = std::max(newest_us_, accepted.what->number);
  return take(true, known != fingerprint{},
              [&](journal_position at) { return encode(buffer_, seal_, at, accepted, known); });
}
// Numbers go on growing when the clock is set back.
std::int64_t file_journal::now_us() const { return std::max(state_.time.now_us(), newest_us_); }

journal_status file_journal::append(const removal_list& gone) {
  return take(false, false, [&](journal_position at) { return encode(buffer_, seal_, at, gone); });
}
journal_status file_journal::append(const removal_by_key& gone) {
  return take(false, false, [&](journal_position at) { return encode(buffer_, seal_, at, gone); });
}
journal_status file_journal::append(const unresolved_receipt& told) {
  return take(false, told.known != fingerprint{},
              [&](journal_position at) { return encode(buffer_, seal_, at, told, now_us()); });
}
journal_status file_journal::append(const used_once& publish) {
  return take(false, publish.known != fingerprint{},
              [&](journal_position at) { return encode(buffer_, seal_, at, publish); });
}

void file_journal::trim(journal_position keep) { keep_ = std::max(keep_, std::min(keep, end())); }

// Whether so much, and a mark, can be written by the next flush. If not, the next flush begins a segment.
journal_status file_journal::make_room(std::uint64_t pending_bytes, bool even_over_limit) {
  const std::uint64_t more = pending_bytes + mark_bytes;
  if (!next_ && used_here_bytes() + more <= current_.capacity_bytes) return journal_status::ok;
  if (next_ && header_bytes + more <= next_->capacity_bytes) return journal_status::ok;
  if (flushed_ == current_.start) return grow_current(header_bytes + more, even_over_limit);
  return take_next(header_bytes + more, even_over_limit);
}

// The current segment has no record yet, so another would have its name.
journal_status file_journal::grow_current(std::uint64_t needed_bytes, bool even_over_limit) {
  const std::uint64_t missing = needed_bytes - current_.capacity_bytes;
  std::optional<std::uint64_t> size;
  {
    const std::lock_guard lock(state_.guard);
    size = state_.size_of_next(missing);
  }
  if (!size && !even_over_limit) return journal_status::full;
  const std::uint64_t capacity = current_.capacity_bytes + size.value_or(missing);
  const int done = state_.in.allocate(current_.file, capacity);
  if (done < 0 && done != -EOPNOTSUPP)
    return is_out_of_room(done) ? journal_status::full : give_up("making a segment", done);
  current_.capacity_bytes = capacity;
  const std::lock_guard lock(state_.guard);
  state_.current = current_;
  state_.count();
  return journal_status::ok;
}

journal_status file_journal::take_next(std::uint64_t needed_bytes, bool even_over_limit) {
  auto& in = state_.in;
  const bool spare_is_too_small = next_ && next_->spare;
  if (spare_is_too_small) {  // it stays for another time
    in.close(next_->file);
    next_.reset();
  }
  const std::uint64_t had = next_ ? next_->capacity_bytes : 0;
  std::uint64_t more = 0;
  bool takes_spare = false;
  {
    const std::lock_guard lock(state_.guard);
    takes_spare = state_.spare_taken = !next_ && state_.spare && state_.spare->capacity_bytes >= needed_bytes;
    if (!takes_spare) {
      const auto size = state_.size_of_next(needed_bytes - had);
      if (!size && !even_over_limit) return journal_status::full;
      more = size.value_or(std::max(needed_bytes - had, state_.segment_bytes() / 16));
      state_.reserved_bytes += more;
      state_.count();
    }
  }
  if (takes_spare) return take_spare();
  int done = 0;
  if (next_) {
    done = in.allocate(next_->file, had + more);
    if (done == -EOPNOTSUPP) done = 0;
  } else {
    done = make_segment_file(in, next_name, more);
    if (done >= 0) next_ = next_segment{done, 0, false};
  }
  if (done >= 0) {
    next_->capacity_bytes = had + more;
    return journal_status::ok;
  }
  {
    const std::lock_guard lock(state_.guard);
    state_.reserved_bytes -= more;
    state_.count();
  }
  return is_out_of_room(done) ? journal_status::full : give_up("making a segment", done);
}

// With spare_taken set, so that it stays.
journal_status file_journal::take_spare() {
  const auto file = state_.in.open(spare_name);
  const std::lock_guard lock(state_.guard);
  if (file >= 0) {
    next_ = next_segment{file, state_.spare->capacity_bytes, true};
    return journal_status::ok;
  }
  state_.spare_taken = false;
  if (!is_out_of_room(file)) {
    // Somebody removed it: another is made.
    state_.spare.reset();
    state_.work_waits = true;
    state_.count();
  }
  return journal_status::full;
}

void file_journal::drop_next() {
  if (!next_) return;
  const auto dropped = *std::exchange(next_, std::nullopt);
  state_.in.close(dropped.file);
  state_.in.unlink(dropped.spare ? spare_name : next_name);
  const std::lock_guard lock(state_.guard);
  if (dropped.spare) {
    state_.spare.reset();
    state_.spare_taken = false;
  } else {
    state_.reserved_bytes -= dropped.capacity_bytes;
  }
  state_.count();
}

void file_journal::forget() {
  if (buffer_.capacity() > most_kept_bytes) {
    std::string(usual_buffer_bytes, '\0').swap(buffer_);
  }
  buffer_.resize(header_bytes);
  pending_fingerprints_ = 0;
  keep_ = std::min(keep_, flushed_);  // what stands there will be another record
}

journal_status file_journal::give_up(std::string_view doing, std::int64_t error) {
  state_.fail(journal_failure(state_.settings.directory, doing, error).line);
  return journal_status::failed;
}

// A mark goes with what is trimmed; and with other records when more of the journal is known to be on disk.
std::optional<mark> file_journal::mark_due() {
  const journal_position synced = state_.synced;
  if (keep_ <= keep_written_ && (pending_bytes() == 0 || synced <= synced_written_)) return std::nullopt;
  return mark{keep_, synced};
}

// The last for which there is room is kept for one that lets a segment go: where the disk is full, nothing
// else makes room.
journal_status file_journal::make_room_for_mark() {
  const auto status = make_room(pending_bytes() + mark_bytes, true);
  return status == journal_status::full && lets_a_segment_go() ? make_room(pending_bytes(), true) : status;
}

bool file_journal::lets_a_segment_go() {
  const std::lock_guard lock(state_.guard);
  return std::any_of(state_.closed.begin(), state_.closed.end(), [this](const closed_segment& each) {
    return each.end > keep_written_ && each.end <= keep_;
  });
}

journal_status file_journal::flush() {
  if (state_.failed || !started_) {
    forget();
    return journal_status::failed;
  }
  const auto due = mark_due();
  bool marked = false;
  if (due) {
    const auto status = make_room_for_mark();
    if (status == journal_status::failed) {
      forget();
      return status;
    }
    marked = status == journal_status::ok && encode(buffer_, seal_, end(), *due);
  }
  if (pending_bytes() == 0) {
    is_behind_ = disk_is_behind();
    if (std::exchange(may_be_unheard_, false)) call_for_sync_surely();
    return journal_status::ok;
  }
  if (const auto status = next_ ? write_next() : write_here(); status != journal_status::ok) {
    forget();
    return status;
  }
  if (marked) {
    keep_written_ = due->keep;
    synced_written_ = due->synced;
  }
  publish();
  if (state_.settings.sync_us == 0 && !keeper_.sync()) return journal_status::failed;
  return journal_status::ok;
}

// Before anything else is written to the segment, or instead of the thread behind.
journal_status file_journal::copy_ring() {
  const auto done = ring_.copy(ring_.file(), current_.file, current_.start, flushed_);
  if (done < 0) {
    return is_out_of_room(done) ? journal_status::full : give_up("writing", done);
  }
  if (ring_.is_broken()) ring_.remove();
  return journal_status::ok;
}

journal_status file_journal::write_here() {
  const auto bytes = std::string_view(buffer_).substr(header_bytes);
  if (ring_.put(flushed_, bytes)) return journal_status::ok;
  if (const auto copied = copy_ring(); copied != journal_status::ok) return copied;
  if (ring_.put(flushed_, bytes)) return journal_status::ok;
  const auto done = write_fully(state_.in, current_.file, bytes, used_here_bytes());
  if (done >= 0) {
    ring_.skip(end());
    return journal_status::ok;
  }
  const int cut = state_.in.truncate(current_.file, used_here_bytes());
  if (!is_out_of_room(done)) return give_up("writing", done);
  if (cut < 0) return give_up("cutting back what had no room", cut);
  // Cutting gave back the space behind it as well.
  current_.capacity_bytes = used_here_bytes();
  const std::lock_guard lock(state_.guard);
  state_.current = current_;
  state_.count();
  return journal_status::full;
}

// It has its name only when all is written, so a file with a name has a header, but for a power loss.
journal_status file_journal::write_next() {
  if (const auto copied = copy_ring(); copied != journal_status::ok) return copied;
  const auto front = encode_header({flushed_, keep_written_, synced_written_, state_.key});
  std::copy(front.begin(), front.end(), buffer_.begin());
  std::int64_t done = write_fully(state_.in, next_->file, buffer_, 0);
  if (done >= 0) {
    done = state_.in.rename(next_->spare ? spare_name : next_name, file_name(flushed_, segment_ending));
  }
  if (done < 0) {
    drop_next();
    return is_out_of_room(done) ? journal_status::full : give_up("beginning a segment", done);
  }
  ring_.skip(end());
  state_.in.close(current_.file);
  const std::lock_guard lock(state_.guard);
  closed_segment closed;
  closed.start = current_.start;
  closed.end = flushed_;
  closed.file_bytes = current_.capacity_bytes;
  closed.fingerprints = fingerprints_;
  closed.newest_us = now_us();
  closed.fingerprints_kept = fingerprints_ == 0 || state_.settings.dedupe_us == 0;
  state_.closed.push_back(closed);
  if (next_->spare) {
    state_.spare.reset();
    state_.spare_taken = false;
  } else {
    state_.reserved_bytes -= next_->capacity_bytes;
  }
  current_ = {next_->file, flushed_, next_->capacity_bytes};
  state_.current = current_;
  state_.directory_synced = false;
  state_.work_waits = true;
  state_.count();
  next_.reset();
  began_segment_ = true;
  fingerprints_ = 0;
  return journal_status::ok;
}

void file_journal::publish() {
  flushed_ = end();
  fingerprints_ += pending_fingerprints_;
  state_.flushed.store(flushed_, std::memory_order_release);
  if (state_.keep_flushed.load(std::memory_order_relaxed) != keep_written_)
    state_.keep_flushed = keep_written_;
  const bool wake = std::exchange(began_segment_, false);
  may_be_unheard_ = !call_for_sync() && !wake;
  if (wake) wake_keeper();
  forget();
}

// True: nothing was unsynced, so the thread behind was woken.
bool file_journal::call_for_sync() {
  if (state_.unsynced_since_us.load(std::memory_order_relaxed) != 0) return false;
  state_.unsynced_since_us = state_.time.steady_us();
  wake_keeper();
  return true;
}

// A sync that begins just now may have seen neither what publish() flushed nor let that see that it has
// begun: a processor may do a load before an earlier store. What prevents it costs a tenth of a microsecond,
// so it is done once for all flushes since the last.
void file_journal::call_for_sync_surely() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  call_for_sync();
}

void file_journal::wake_keeper() {
  // Else it might look before and wait after.
  { const std::lock_guard lock(state_.guard); }
  state_.wake.notify_one();
}

}  // namespace restante
