#include "journal/segment_reader.h"

#include <algorithm>
#include <utility>

#include "journal/journal_error.h"

namespace restante {

using namespace journal_format;

namespace {

constexpr std::size_t read_ahead_bytes = 1 << 20;
// Who reads so much at once reads on. For a few records the hint would cost far more than they do.
constexpr std::size_t long_read_bytes = 256 << 10;
constexpr std::size_t most_kept_bytes = 512 << 10;  // of a buffer, when a large message made it grow

}  // namespace

journal_chunk segment_reader::read(journal_position from, std::size_t bytes) {
  journal_chunk chunk;
  chunk.next = from;
  std::size_t taken = 0;
  place where;
  while (taken < std::max<std::size_t>(bytes, 1) && locate(chunk.next, where)) {
    if (!read_some(where, bytes, chunk, taken)) break;
  }
  if (buffer_.capacity() > most_kept_bytes) std::string().swap(buffer_);
  return chunk;
}

// False: nothing is flushed there yet.
bool segment_reader::locate(journal_position at, place& found) {
  const std::lock_guard lock(state_.guard);
  if (at >= state_.flushed) return false;
  if (at >= state_.current.start) {
    found = {state_.current.start, state_.flushed, true};
    return true;
  }
  for (const auto& segment : state_.closed) {
    if (at < segment.end) {
      found = {segment.start, segment.end, false};
      return true;
    }
  }
  return false;
}

bool segment_reader::open(journal_position start) {
  if (file_.ok() && file_start_ == start) return true;
  file_ = open_file(state_.in, state_.in.open_to_read(file_name(start, segment_ending)));
  file_start_ = start;
  return file_.ok();
}

// Into the buffer.
std::int64_t segment_reader::load(const place& where, journal_position at, std::size_t count) {
  if (ring_.holds(at)) return ring_.read(at, buffer_, count);
  if (at + count > ring_.copied()) {
    const auto copied = ring_.copy(ring_.file(), state_.current.file, state_.current.start, state_.flushed);
    if (copied < 0) return copied;
  }
  return read_fully(state_.in, file_.get(), buffer_, count, header_bytes + (at - where.start));
}

bool segment_reader::failed(journal_position at, const std::string& why, journal_chunk& into) {
  state_.fail("journal: position " + std::to_string(at) + " in " + state_.settings.directory +
              " cannot be read back (" + why + "): check the disk, then start the broker again");
  into.failed = true;
  return false;
}

// Records of one segment, until there are enough. False: no more for now.
bool segment_reader::read_some(const place& where, std::size_t bytes, journal_chunk& into,
                               std::size_t& taken) {
  into.next = std::max(into.next, where.start);  // what was before is trimmed
  // Too many open files, or no room for what is copied first: that passes.
  if (!open(where.start)) {
    return is_out_of_room(file_.get()) ? false : failed(into.next, "it cannot be opened", into);
  }
  const seal sealed(state_.key);
  std::size_t wanted = bytes > taken ? bytes - taken : 1;
  while (into.next < where.end && taken < std::max<std::size_t>(bytes, 1)) {
    const auto count = static_cast<std::size_t>(
        std::min<std::uint64_t>(std::max<std::size_t>(wanted, 4'096), where.end - into.next));
    const auto got = load(where, into.next, count);
    if (is_out_of_room(got)) return false;
    if (got < 0)
      return failed(into.next, journal_failure(state_.settings.directory, "reading", got).line, into);
    std::string_view rest(buffer_);
    bool had_one = false;
    while (!rest.empty() && taken < std::max<std::size_t>(bytes, 1)) {
      const auto frame = read_frame(rest, sealed, into.next);
      if (const auto* wrong = std::get_if<flaw>(&frame)) {
        if (*wrong == flaw::cut_short && rest.size() < where.end - into.next)
          break;  // the rest of it is not read yet
        return failed(into.next, std::string(describe(*wrong)), into);
      }
      const auto& found = std::get<framed>(frame);
      if (found.kind != record_kind::mark) {
        auto record = decode_record(found);
        if (!record) return failed(into.next, std::string(describe(flaw::bad_body)), into);
        into.records.emplace_back(into.next, std::move(*record));
        taken += found.size;
      }
      into.next += found.size;
      rest.remove_prefix(found.size);
      had_one = true;
    }
    if (!had_one) {
      if (static_cast<std::size_t>(got) < count) return failed(into.next, "the file is too short", into);
      wanted = std::max(wanted, size_of_record(buffer_).value_or(0));
      if (wanted <= count) return failed(into.next, std::string(describe(flaw::bad_length)), into);
    }
  }
  if (bytes >= long_read_bytes) {
    state_.in.will_need(file_.get(), header_bytes + (into.next - where.start), read_ahead_bytes);
  }
  return true;
}

}  // namespace restante
