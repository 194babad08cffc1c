// What the journal keeps, as values.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/message.h"

namespace restante {

// A place in the journal: bytes appended before it, ever. It grows with each record.
using journal_position = std::uint64_t;

// What must be used once, and where it was used, as keyed hashes; {0, 0}: nothing.
struct fingerprint {
  std::uint64_t identity = 0, topic = 0;
  friend bool operator==(const fingerprint&, const fingerprint&) = default;
};

// A durable message was accepted.
struct accepted_message {
  envelope what;
  fingerprint known;
};

// Deliveries of one account that are over: acknowledged, handed off, or withdrawn.
struct removal_list {
  std::string account;
  std::vector<message_number> numbers;
};

// A message that the core does not hold, to be found by its key in the account's mailbox.
struct removal_by_key {
  std::string account;
  message_key key;
  message_number through = 0;  // only what was accepted up to here: nobody acknowledges what is yet to come
  bool find_only = false;      // tell of it, and leave it where it is
};

// An accepted receipt whose message is found by its key first.
struct unresolved_receipt {
  message told;       // without a number: it gets one when it is passed on. Its key: who tells, and the id
  message_key about;  // what it tells of
  message_number through = 0;
  bool may_message = false;  // passed on even if no such message waits
  fingerprint known;
};

// A publish that left nothing to be stored, or whose message is forgotten: only that it must not be used
// again.
struct used_once {
  fingerprint known;
  std::int64_t at_us = 0;  // since 1970
};

using journal_record =
    std::variant<accepted_message, removal_list, removal_by_key, unresolved_receipt, used_once>;

// Records from one place on, in the order in which they were appended.
struct journal_chunk {
  std::vector<std::pair<journal_position, journal_record>> records;
  journal_position next = 0;  // where to read on
  bool failed = false;        // the disk failed; what was read before is there
};

}  // namespace restante
