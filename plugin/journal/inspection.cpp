#include "journal/inspection.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "journal/ring_recovery.h"
#include "journal/whole_file.h"

namespace restante {
namespace {

using namespace journal_format;

// One segment file, read once from its beginning.
struct scanned {
  journal_position start = 0;
  journal_position limit = 0;  // where the next one starts, or where the file ends
  std::uint64_t file_bytes = 0;
  std::optional<header> head;
  journal_position end = 0;  // where records stop, from the start on
  flaw why = flaw::cut_short;
  std::uint64_t written_bytes = 0;  // to the last byte that is not zero
  std::uint64_t fingerprints = 0;
  std::int64_t newest_us = 0;
};

class inspector {
 public:
  inspector(files& in, const std::string& path) : in_(in), path_(path) {}

  std::variant<inspection, journal_error> run() {
    if (auto error = list()) return *error;
    if (segments_.empty()) return found_;
    if (auto error = find_key()) return *error;
    for (auto& segment : segments_) {
      if (auto error = scan(segment)) return *error;
    }
    if (auto error = take_newest()) return *error;
    if (auto error = walk()) return *error;
    if (auto error = cut()) return *error;
    return found_;
  }

 private:
  std::string name_of(const scanned& segment) const {
    return path_ + '/' + file_name(segment.start, segment_ending);
  }

  std::optional<journal_error> list() {
    std::vector<files::entry> entries;
    if (const int done = in_.list(entries); done < 0) return journal_failure(path_, "listing files", done);
    for (const auto& entry : entries) {
      if (const auto start = parse_file_name(entry.name, segment_ending)) {
        segments_.emplace_back();
        segments_.back().start = segments_.back().end = *start;
        segments_.back().file_bytes = entry.size_bytes;
      } else if (const auto of = parse_file_name(entry.name, recent_ending)) {
        found_.recent.push_back({*of, entry.size_bytes});
      }
    }
    const auto by_start = [](const auto& one, const auto& other) { return one.start < other.start; };
    std::sort(segments_.begin(), segments_.end(), by_start);
    std::sort(found_.recent.begin(), found_.recent.end(), by_start);
    for (std::size_t index = 0; index < segments_.size(); ++index) {
      auto& segment = segments_[index];
      const std::uint64_t held = segment.file_bytes > header_bytes ? segment.file_bytes - header_bytes : 0;
      segment.limit = held > std::numeric_limits<journal_position>::max() - segment.start
                          ? std::numeric_limits<journal_position>::max()
                          : segment.start + held;
      if (index + 1 < segments_.size()) segment.limit = std::min(segment.limit, segments_[index + 1].start);
    }
    return std::nullopt;
  }

  std::optional<journal_error> find_key() {
    for (auto& segment : segments_) {
      const open_file file(in_, in_.open_to_read(file_name(segment.start, segment_ending)));
      if (!file.ok()) return journal_failure(path_, "opening a segment", file.get());
      if (const auto got = read_fully(in_, file.get(), bytes_, header_bytes, 0); got < 0)
        return journal_failure(path_, "reading a segment", got);
      const auto head = decode_header(bytes_);
      if (!head || head->start != segment.start || !is_honest(mark{head->keep, head->synced}, head->start))
        continue;
      if (found_.has_key && (head->key.low != found_.key.low || head->key.high != found_.key.high))
        return journal_error{"journal: " + name_of(segment) +
                             " belongs to another journal: move away the files that do not belong here"};
      segment.head = head;
      found_.key = head->key;
      found_.has_key = true;
      learn({head->keep, head->synced});
    }
    if (found_.has_key) return std::nullopt;
    return journal_error{"journal: no segment in " + path_ +
                         " has a header that can be read: restore one, or move the files away to begin anew "
                         "without what they hold"};
  }

  // It tells of what was before it.
  static bool is_honest(const std::optional<mark>& what, journal_position at) {
    return what && what->keep <= at && what->synced <= at;
  }

  void learn(const mark& what) {
    keeps_.push_back(what.keep);
    synced_ = std::max(synced_, what.synced);
  }

  std::optional<journal_error> load(const scanned& segment) {
    const open_file file(in_, in_.open_to_read(file_name(segment.start, segment_ending)));
    if (!file.ok()) return journal_failure(path_, "opening a segment", file.get());
    if (const auto got = read_fully(in_, file.get(), bytes_, segment.file_bytes, 0); got < 0)
      return journal_failure(path_, "reading a segment", got);
    bytes_.resize(segment.file_bytes, '\0');
    return std::nullopt;
  }

  // Where records stop, from `at` on, in the segment that was loaded. `each` is called with every one.
  template <typename Each>
  journal_position follow(const scanned& segment, journal_position at, flaw& why, Each each) const {
    const seal sealed(found_.key);
    const auto records = std::string_view(bytes_).substr(std::min(header_bytes, bytes_.size()));
    for (;;) {
      if (at >= segment.limit) {
        why = flaw::cut_short;
        return at;
      }
      const auto offset = static_cast<std::size_t>(at - segment.start);
      const auto left = static_cast<std::size_t>(segment.limit - at);
      const auto frame = read_frame(records.substr(offset, left), sealed, at);
      if (const auto* wrong = std::get_if<flaw>(&frame)) {
        why = *wrong;
        return at;
      }
      const auto& found = std::get<framed>(frame);
      if (found.kind == record_kind::mark ? !is_honest(decode_mark(found), at) : !decode_record(found)) {
        why = flaw::bad_body;
        return at;
      }
      each(at, found);
      at += found.size;
    }
  }

  std::optional<journal_error> scan(scanned& segment) {
    if (auto error = load(segment)) return error;
    segment.written_bytes = bytes_.find_last_not_of('\0') + 1;  // npos + 1: 0
    if (segment.head) {
      segment.end = follow(segment, segment.start, segment.why, [&](journal_position, const framed& found) {
        if (const auto noted = decode_mark(found)) learn(*noted);
        if (const auto used = decode_used(found)) {
          ++segment.fingerprints;
          segment.newest_us = std::max(segment.newest_us, used->at_us);
        }
      });
    } else {
      segment.why = flaw::bad_checksum;
    }
    const std::size_t rest = std::min<std::size_t>(
        bytes_.size(),
        segment.head ? header_bytes + static_cast<std::size_t>(segment.end - segment.start) : 0);
    if (segment.end < segment.limit && segment.written_bytes > rest)
      look_for_marks(segment, std::max(rest, header_bytes));
    return std::nullopt;
  }

  // What was flushed last stands in the ring alone when the process was killed.
  std::optional<journal_error> take_newest() {
    for (std::size_t index = segments_.size(); index-- > 0;) {
      if (!segments_[index].head) continue;
      return take_newest(segments_[index]);
    }
    return std::nullopt;
  }

  std::optional<journal_error> take_newest(scanned& last) {
    journal_position at = last.end;
    // What replay does not need may be damaged, and the end is behind that.
    const auto keep = *std::max_element(keeps_.begin(), keeps_.end());
    if (keep > at && keep <= last.limit) {
      if (auto error = load(last)) return error;
      flaw why{};
      at = follow(last, keep, why, [](journal_position, const framed&) {});
    }
    std::string newest;
    if (const auto done = read_newest_records(in_, seal(found_.key), at, newest); done < 0)
      return journal_failure(path_, "reading the ring", static_cast<int>(done));
    if (newest.empty()) return std::nullopt;
    const open_file file(in_, in_.open(file_name(last.start, segment_ending)));
    if (!file.ok()) return journal_failure(path_, "opening the last segment", file.get());
    const auto offset = header_bytes + (at - last.start);
    if (const auto done = write_fully(in_, file.get(), newest, offset); done < 0)
      return journal_failure(path_, "writing what was in the ring", static_cast<int>(done));
    last.file_bytes = std::max<std::uint64_t>(last.file_bytes, offset + newest.size());
    last.limit = std::max(last.limit, at + newest.size());
    last.fingerprints = 0;
    return scan(last);
  }

  // Behind damage nobody knows where records begin.
  void look_for_marks(const scanned& segment, std::size_t from) {
    const seal sealed(found_.key);
    const auto end = std::min<std::size_t>(
        bytes_.size(), header_bytes + static_cast<std::size_t>(segment.limit - segment.start));
    for (std::size_t offset = from; offset + mark_bytes <= end; ++offset) {
      const auto here = std::string_view(bytes_).substr(offset, mark_bytes);
      if (static_cast<unsigned char>(here[0]) != mark_bytes - frame_bytes ||
          here[frame_bytes] != static_cast<char>(record_kind::mark))
        continue;
      const auto at = segment.start + (offset - header_bytes);
      const auto frame = read_frame(here, sealed, at);
      const auto* found = std::get_if<framed>(&frame);
      if (found == nullptr) continue;
      if (const auto noted = decode_mark(*found); is_honest(noted, at)) learn(*noted);
    }
  }

  // The segment in which the record at `at` stands, or would stand.
  std::optional<std::size_t> segment_with(journal_position at) const {
    for (std::size_t index = segments_.size(); index-- > 0;) {
      const auto& segment = segments_[index];
      if (segment.start > at) continue;
      // Its end is fine too: that is where the next record stands, if the journal ends there.
      if (at <= std::max(segment.limit, segment.end)) return index;
      return std::nullopt;
    }
    return std::nullopt;
  }

  // The beginning of replay is within this one: a record must begin there, whatever stands before.
  std::optional<journal_error> resume(scanned& segment, journal_position from) {
    if (auto error = load(segment)) return error;
    const auto stopped = segment.end;
    segment.end = follow(segment, from, segment.why, [](journal_position, const framed&) {});
    if (stopped > from) {
      if (segment.end == from) segment.why = flaw::bad_body;  // a mark points into a record
      return std::nullopt;
    }
    note_damage(segment, stopped);
    return std::nullopt;
  }

  std::optional<journal_error> walk() {
    std::sort(keeps_.begin(), keeps_.end(), std::greater<>());
    const journal_position wanted = keeps_.front();
    std::optional<std::size_t> first;
    journal_position from = 0;
    for (const auto keep : keeps_) {
      if ((first = segment_with(keep))) {
        from = keep;
        break;
      }
    }
    if (!first) {
      first = 0;
      from = segments_.front().start;
      if (from > wanted) return missing(wanted);
    }
    last_ = *first;
    for (auto& segment : segments_)
      found_.segments.push_back(
          {segment.start, segment.limit, segment.file_bytes, segment.fingerprints, segment.newest_us});
    for (;; ++last_) {
      auto& segment = segments_[last_];
      if (segment.end != from && from > segment.start) {
        if (auto error = resume(segment, from)) return error;
      }
      end_ = segment.end;
      if (last_ + 1 == segments_.size() || segments_[last_ + 1].start != segment.end) break;
      from = segment.end;
    }
    if (segments_[last_].why == flaw::bad_body && end_ < segments_[last_].limit) {
      return journal_error{
          "journal: " + name_of(segments_[last_]) + " holds at byte " +
          std::to_string(byte_of(segments_[last_], end_)) +
          " what this version does not know: use the version that wrote it, or move the journal "
          "away to begin anew without what it holds"};
    }
    if (end_ < synced_) {
      const auto& segment = segments_[last_];
      if (end_ == segment.limit && last_ + 1 < segments_.size()) return missing(end_);
      return journal_error{
          "journal: " + name_of(segment) + " is damaged at byte " + std::to_string(byte_of(segment, end_)) +
          " (" + std::string(describe(segment.why)) +
          "), before data that was safely on disk: restore it, or move the journal away to begin anew "
          "without what it holds"};
    }
    found_.end = end_;
    found_.begin = std::min(wanted, end_);
    for (std::size_t index = 0; index < *first; ++index) {
      const auto& segment = segments_[index];
      if (segment.end != segment.limit || !segment.head) note_damage(segment, segment.end);
    }
    return std::nullopt;
  }

  void note_damage(const scanned& segment, journal_position at) {
    found_.notes.push_back("journal: " + name_of(segment) + " is damaged at byte " +
                           std::to_string(byte_of(segment, at)) +
                           ", where nothing was needed any more but what tells repeats");
  }

  static std::uint64_t byte_of(const scanned& segment, journal_position at) {
    return at == segment.start && !segment.head ? 0 : header_bytes + (at - segment.start);
  }

  journal_error missing(journal_position from) const {
    return {
        "journal: what follows position " + std::to_string(from) + " is missing in " + path_ +
        ": restore the segment that held it, or move the journal away to begin anew without what it holds"};
  }

  // Takes away what follows the end, so that it can never be taken for the journal's; then makes sure that
  // the rest is on disk. The last file goes first: a journal that was cut halfway is cut at the same place
  // again.
  std::optional<journal_error> cut() {
    std::uint64_t lost = 0;
    bool removed = false;
    for (std::size_t index = segments_.size(); index-- > last_ + 1;) {
      lost += segments_[index].written_bytes;
      if (const int done = in_.unlink(file_name(segments_[index].start, segment_ending)); done < 0)
        return journal_failure(path_, "removing a torn segment", done);
      removed = true;
    }
    segments_.resize(last_ + 1);
    auto& last = segments_[last_];
    const std::uint64_t kept = header_bytes + (end_ - last.start);
    if (!last.head && end_ == last.start) {
      lost += last.written_bytes;
      if (const int done = in_.unlink(file_name(last.start, segment_ending)); done < 0)
        return journal_failure(path_, "removing a torn segment", done);
      segments_.pop_back();
      removed = true;
    } else {
      lost += std::max(last.written_bytes, kept) - kept;
      const open_file file(in_, in_.open(file_name(last.start, segment_ending)));
      if (!file.ok()) return journal_failure(path_, "opening the last segment", file.get());
      if (const int done = in_.truncate(file.get(), kept); done < 0)
        return journal_failure(path_, "cutting the last segment", done);
      last.file_bytes = kept;
    }
    found_.segments.resize(segments_.size());
    if (!found_.segments.empty()) {
      found_.segments.back().end = end_;
      found_.segments.back().file_bytes = segments_.back().file_bytes;
    }
    for (auto& segment : found_.segments) {
      if (segment.end < synced_) continue;
      const open_file file(in_, in_.open(file_name(segment.start, segment_ending)));
      if (!file.ok()) return journal_failure(path_, "opening a segment", file.get());
      if (const int done = in_.sync_data(file.get()); done < 0)
        return journal_failure(path_, "syncing a segment", done);
    }
    if (removed) {
      if (const int done = in_.sync_directory(); done < 0)
        return journal_failure(path_, "syncing the directory", done);
    }
    if (lost > 0) {
      found_.notes.push_back("journal: cut " + std::to_string(lost) + " bytes behind position " +
                             std::to_string(end_) + " that had not reached the disk whole");
    }
    return std::nullopt;
  }

  files& in_;
  const std::string& path_;
  std::vector<scanned> segments_;
  std::vector<journal_position> keeps_;  // of all marks and headers
  journal_position synced_ = 0;          // the largest of them
  std::size_t last_ = 0;                 // the segment in which the journal ends
  journal_position end_ = 0;
  std::string bytes_;
  inspection found_;
};

}  // namespace

std::variant<inspection, journal_error> inspect(files& in, const std::string& path) {
  return inspector(in, path).run();
}

}  // namespace restante
