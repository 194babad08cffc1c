// All that the core needs from outside. One file composes the real ones (plugin/broker/plugin.cpp); tests
// give fakes that stall, reorder and fail on request.
//
// Threads: every method is called on the broker's thread and must return without waiting for disk (but the
// journal) or network. Results come back as calls of `post_office` on the broker's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/journal_record.h"
#include "core/message.h"

namespace restante {

// Wall clock, microseconds since 1970; and a steady one for waits, microseconds since anything.
class clock {
 public:
  virtual ~clock() = default;
  virtual std::int64_t now_us() const = 0;
  virtual std::int64_t steady_us() const = 0;

  // Both, of this loop of the broker: the first look in it may hold for all of it, which is cheaper.
  struct moment {
    std::int64_t now_us, steady_us;
  };
  virtual moment look() const { return {now_us(), steady_us()}; }
};

enum class log_level { debug, info, warning, error };

class log {
 public:
  virtual ~log() = default;
  virtual void write(log_level level, std::string_view line) = 0;
};

// One of a removal_list.
struct removal {
  std::string account;
  message_number number = 0;
};

// What one transaction stores: first the messages, in order of number, then the removals.
// A receipt replaces a waiting one of the same topic.
struct store_batch {
  std::vector<envelope> messages;
  std::vector<removal> removals;
  std::vector<removal_by_key> removals_by_key;
  message_number stored_through = 0;  // every accepted message up to here is stored, or need not be
};

struct batch_result {
  // For each removal by key, in order: whether such a delivery waited, and as which number; and whether
  // receipts of it are passed on, which some groups do not want.
  struct outcome {
    bool found = false;
    message_number number = 0;
    bool passes_receipts = true;
  };
  std::vector<outcome> removals_by_key;
};

// Reads what waits for `account` in order of number.
struct page_request {
  std::uint64_t token = 0;  // comes back with the page
  std::string account;
  message_number after = 0;
  std::uint32_t limit = 0;           // rows, at least 1
  std::uint64_t limit_bytes = 0;     // payload bytes; the first row comes whatever its size
  std::vector<message_key> resolve;  // keys whose numbers are wanted, whether or not after `after`
};

struct page {
  std::uint64_t token = 0;
  std::vector<shared_message> rows;
  bool complete = false;  // nothing waited beyond the last row when this was read
  struct known_number {
    message_key key;
    message_number number;
  };
  std::vector<known_number> resolved;  // those of `resolve` that wait
};

// A dead letter whose sender is to hear `expired`.
struct expired_delivery {
  std::int64_t dead_letter = 0;
  std::string sender;
  std::string recipient;
  std::string id;
};

// What the broker says of itself, for operators.
struct broker_report {
  std::uint64_t sessions = 0;
  std::uint64_t journal_bytes = 0;
  std::vector<std::string> never_acknowledged;  // accounts with a full window and no acknowledgement ever
};

// PostgreSQL. Work is done in the order it was given where that matters: a page that is asked for after a
// batch was reported stored sees it, and results come back in the order in which their transactions ran. A
// batch is retried until it is committed (rows that can never be stored go to the dead letters), and is safe
// to store twice.
class store {
 public:
  virtual ~store() = default;
  // One batch at a time: the next only after post_office::stored().
  virtual void write(store_batch batch) = 0;
  // Answered by post_office::page_read(), or, when the page could not be read, by post_office::page_failed().
  virtual void read(page_request request) = 0;
  virtual void report(broker_report report) = 0;
  // The account has acknowledged for the first time.
  virtual void remember_acknowledging(std::string account) = 0;
};

enum class journal_status {
  ok,
  full,    // or the disk is far behind: refuse, so that the sender tries again
  failed,  // the disk failed: refuse until the operator has looked
};

// Local, append-only: what was accepted and what was acknowledged, until the store has it.
//
// Records are collected by append() and written together by flush(); what was flushed survives the end of
// this process, and the machine's after the time that the operator chose. Records may be anything but larger
// than a message may be. A sixteenth is kept free of messages, for all other records.
class journal {
 public:
  virtual ~journal() = default;
  // Takes it, unless full or failed; then nothing changes.
  virtual journal_status append(const envelope& accepted, const fingerprint& known) = 0;
  virtual journal_status append(const removal_list& gone) = 0;
  virtual journal_status append(const removal_by_key& gone) = 0;
  virtual journal_status append(const unresolved_receipt& told) = 0;
  virtual journal_status append(const used_once& publish) = 0;
  // Where the next record will stand.
  virtual journal_position end() const = 0;
  // Writes what was appended; `always`: and waits for the disk. Not ok: that is forgotten. With nothing
  // appended it makes sure that what was written is on its way to the disk, and looks how far that is behind,
  // so it is called in each loop too.
  virtual journal_status flush() = 0;
  // Records from `from` on, which was a record's place or end(): about `bytes` of them, at least one unless
  // there is none, or none to be had now.
  virtual journal_chunk read(journal_position from, std::size_t bytes) = 0;
  // Everything before `keep` may be forgotten, and is not told again after a restart; but fingerprints are,
  // for as long as the operator chose. Takes effect with the next flush(), or, on a full disk, once it makes
  // room.
  virtual void trim(journal_position keep) = 0;
  virtual std::uint64_t size_bytes() const = 0;  // on disk
};

// A profile, for those who subscribe to it.
struct profile_request {
  std::string account;
  std::vector<std::string> readers;  // accounts
};

struct profile_answer {
  std::string account;
  std::int64_t version = 0;          // 0: there is no such account
  std::string json;                  // as clients are given it
  std::vector<std::string> blocked;  // those of the readers that the account blocks
};

class profile_source {
 public:
  virtual ~profile_source() = default;
  // Answered by post_office::profile_read(), however long that takes. False: too many wait, ask again later.
  virtual bool read(profile_request request) = 0;
};

// The broker, towards its clients.
class outbox {
 public:
  virtual ~outbox() = default;
  // Publishes to this one client, whatever its subscriptions. `what` comes with accepted-at, if it has a
  // number.
  virtual void publish(std::string_view client_id, const message& what, int qos) = 0;
  // Closes the client's connection; its session stays if it is persistent.
  virtual void kick(std::string_view client_id) = 0;
};

}  // namespace restante
