// The journal in files of one directory.
//
//   open()   while the broker starts, perhaps as root: makes the directory, locks it, reads and checks
//   everything,
//            cuts what a power loss tore. Reading and recall() work from then on
//   start()  on the broker's thread once it has its rights for good: begins a segment and starts the thread
//   behind then     the port, on the broker's thread ~        everything flushed is synced, and the thread
//   ends. Waits for the disk
//
// A record that does not fit into the segment makes the next flush begin another one, with all that was
// appended since the last: what is flushed together stands in one file. The file was made ahead, unless two
// were needed at once; then the broker's thread makes it.
//
// What append() says when not `ok`:
//   full    a record is larger than messages may be; the limit is reached (messages: fifteen sixteenths of
//   it); the
//           file system has no room; or what was flushed has waited more than 50 x sync_us for the disk
//           (messages only)
//   failed  the disk gave another error, once: see why_failed(). Only a new object, after the operator has
//   looked,
//           goes on
// What a flush wrote is the system's: it outlives the process, however that ends. Of a flush that was
// interrupted by its end, any bytes may be there. A flush that found no room leaves the file as it was
// before; `failed` leaves it to the next open().
//
// Ownership: `in` and `time` must outlive it. `time` and `in` are used on both threads.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "core/ports.h"
#include "journal/files.h"
#include "journal/inspection.h"
#include "journal/journal_error.h"
#include "journal/journal_format.h"
#include "journal/journal_state.h"
#include "journal/keeper.h"
#include "journal/record_ring.h"
#include "journal/segment_reader.h"

namespace restante {

class file_journal final : public journal {
 public:
  // `by_hand`: no thread; tests call tend().
  enum class behind { thread, by_hand };

  static std::variant<std::unique_ptr<file_journal>, journal_error> open(const journal_settings& settings,
                                                                         files& in, const clock& time);
  // Nothing: started. Once only.
  std::optional<journal_error> start(behind how = behind::thread);
  ~file_journal() override;
  file_journal(const file_journal&) = delete;
  file_journal& operator=(const file_journal&) = delete;

  // Where replay starts: nothing before it was still needed.
  journal_position begin() const { return begin_; }
  // The fingerprints that stood before begin() and are younger than the settings say, in no order, some
  // perhaps twice. Ones from the future are told as if from now.
  void recall(const std::function<void(const used_once&)>& each);
  // The same for the journal's whole life; nobody outside knows it.
  restante::hash_key hash_key() const { return state_.key; }
  // One line, or empty.
  std::string why_failed() const;
  // What was found and mended that the operator may want to know, a line each; each is told once.
  std::vector<std::string> take_notes();
  void tend() { keeper_.tend(); }

  journal_status append(const envelope& accepted, const fingerprint& known) override;
  journal_status append(const removal_list& gone) override;
  journal_status append(const removal_by_key& gone) override;
  journal_status append(const unresolved_receipt& told) override;
  journal_status append(const used_once& publish) override;
  journal_position end() const override { return flushed_ + pending_bytes(); }
  journal_status flush() override;
  journal_chunk read(journal_position from, std::size_t bytes) override { return reader_.read(from, bytes); }
  void trim(journal_position keep) override;
  std::uint64_t size_bytes() const override { return state_.file_bytes; }

 private:
  // The segment that the next flush begins.
  struct next_segment {
    files::handle file = files::none;
    std::uint64_t capacity_bytes = 0;
    bool spare = false;  // the one made ahead
  };

  file_journal(const journal_settings& settings, files& in, const clock& time, inspection found);
  void load_recent();
  std::optional<journal_error> begin_first_segment();

  template <typename Encode>
  journal_status take(bool is_message, bool has_fingerprint, Encode encode);
  bool is_over_limit(bool is_message) const;
  std::int64_t now_us() const;
  bool disk_is_behind() const;
  journal_status make_room(std::uint64_t pending_bytes, bool even_over_limit);
  journal_status grow_current(std::uint64_t needed_bytes, bool even_over_limit);
  journal_status take_next(std::uint64_t needed_bytes, bool even_over_limit);
  journal_status give_up(std::string_view doing, std::int64_t error);

  std::size_t pending_bytes() const { return buffer_.size() - journal_format::header_bytes; }
  std::uint64_t used_here_bytes() const { return journal_format::header_bytes + (flushed_ - current_.start); }
  std::optional<journal_format::mark> mark_due();
  journal_status make_room_for_mark();
  bool lets_a_segment_go();
  void mark_the_end();
  void forget();
  journal_status copy_ring();
  journal_status write_here();
  journal_status write_next();
  journal_status take_spare();
  void drop_next();
  void publish();
  bool call_for_sync();
  void call_for_sync_surely();
  void wake_keeper();

  mutable journal_state state_;
  record_ring ring_;
  keeper keeper_;
  segment_reader reader_;
  std::thread thread_;
  const journal_format::seal seal_;
  journal_position begin_ = 0;

  // The broker's thread only:
  std::string buffer_;  // room for a header, then what was appended since the last flush
  journal_position flushed_ = 0;
  std::int64_t newest_us_ = 0;              // of what was appended
  std::uint64_t fingerprints_ = 0;          // in the current segment
  std::uint64_t pending_fingerprints_ = 0;  // in the buffer
  current_segment current_;
  std::optional<next_segment> next_;
  journal_position keep_ = 0, keep_written_ = 0, synced_written_ = 0;
  bool began_segment_ = false;   // since the thread behind was woken
  bool may_be_unheard_ = false;  // by a sync that begins while a flush ends
  bool is_behind_ = false;       // the disk, when a flush had nothing to write, as one has in each loop
  bool started_ = false;
};

}  // namespace restante
