// All that the core needs from outside. One file composes the real ones (plugin/broker/plugin.cpp); tests
// give fakes that stall, reorder and fail on request.
//
// Threads: every method is called on the broker's thread and must return without waiting for disk (but the
// journal) or network. Results come back as calls of `post_office` on the broker's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "message.h"

namespace restante {

// Wall clock, microseconds since 1970; and a steady one for waits, microseconds since anything.
class clock {
 public:
  virtual ~clock() = default;
  virtual std::int64_t now_us() const = 0;
  virtual std::int64_t steady_us() const = 0;
};

enum class log_level { debug, info, warning, error };

class log {
 public:
  virtual ~log() = default;
  virtual void write(log_level level, std::string_view line) = 0;
};

// A delivery that is over: acknowledged, handed off, or withdrawn.
struct removal {
  std::string account;
  message_number number = 0;
};

// An acknowledgement of a message that the core does not hold: found by its key in the account's mailbox.
struct removal_by_key {
  std::string account;
  message_key key;
  message_number through = 0;  // only what was accepted up to here: nobody acknowledges what is yet to come
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
  // For each removal by key, in order: whether such a delivery waited, and the group it was sent to ("":
  // direct).
  struct outcome {
    bool found = false;
    std::string group;
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
  full,    // refuse, so that the sender tries again
  failed,  // the disk failed: refuse until the operator has looked
};

// Local, append-only: what was accepted, until it is stored.
class journal {
 public:
  virtual ~journal() = default;
  virtual journal_status append(const envelope& accepted) = 0;
  // Acknowledged before it was stored.
  virtual journal_status append(const removal& acknowledged) = 0;
  // Everything up to `stored_through` may be forgotten.
  virtual void trim(message_number stored_through) = 0;
};

// The broker, towards its clients.
class outbox {
 public:
  virtual ~outbox() = default;
  // Publishes to this one client, whatever its subscriptions. `what` comes with accepted-at.
  virtual void publish(std::string_view client_id, const message& what, int qos) = 0;
  // Closes the client's connection; its session stays if it is persistent.
  virtual void kick(std::string_view client_id) = 0;
};

}  // namespace restante
