// What is accepted and not yet stored, in order of number: of each message only where it stands in the
// journal and for whom it still is. Pure bookkeeping, for store_queue.
//
// Memory: 64 bytes a message, and for several recipients a bit each and 8 bytes for each name, which messages
// to one roster share; it is counted as if they did not. Those over in the middle stay until they are as many
// as the others, and more than 1,024. Threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/journal_record.h"
#include "core/message.h"
#include "core/ring_buffer.h"
#include "core/sender_counts.h"

namespace restante {

// Accounts, as keyed hashes (store_queue::name_of()).
using account_names = std::vector<std::uint64_t>;

// The recipients of a message, if they are known better than by their names: of one to a group all of a
// roster but one.
struct roster_audience {
  std::shared_ptr<const account_names> members;  // null: unknown, the message tells
  std::size_t without = 0;                       // the sender's place; members->size(): it is no member
  std::uint64_t only = 0;                        // the name of the only recipient; 0: the message tells
};

// Where an entry stood when it was put here. A hint alone: the entry itself is to be known by its number.
using waiting_place = std::uint64_t;
inline constexpr waiting_place unknown_place = 0;

struct alignas(64) waiting_message {
  // Which of several are struck.
  struct audience {
    roster_audience of;
    std::size_t next = 0;      // behind the one struck last: they come in the same order again and again
    std::vector<bool> struck;  // members; also the one who is no recipient
  };

  message_number number = 0;
  journal_position at = 0;
  std::int64_t since_us = 0;
  sender_count* counted = nullptr;    // where its deliveries count; null: they do not, or none is left
  std::uint64_t recipient = 0;        // if there is but one
  std::unique_ptr<audience> several;  // if there are more
  std::uint32_t left = 0;             // recipients that are not struck
  std::uint32_t record_bytes = 0;     // in the journal, about
  bool is_open = false;               // nobody knows its recipients before it is stored
  bool settles_dead_letter = false;   // so it is stored even if nobody is left

  bool is_wanted() const noexcept { return left != 0 || is_open || settles_dead_letter; }
  std::size_t deliveries() const noexcept { return is_open ? 1 : left; }
  std::size_t recipients() const noexcept;  // struck or not
  std::size_t bytes() const noexcept;       // of memory
  // False: it is no recipient, or is struck already.
  bool strike(std::uint64_t account) noexcept;
  // `recipients`: all, in the order in which they were given. Those struck go.
  void drop_struck(std::vector<std::string>& recipients) const;
};
static_assert(sizeof(waiting_message) == 64, "one line of memory");

class waiting_messages {
 public:
  bool empty() const noexcept { return messages_.empty(); }
  // With those over between the first and the last; the first and the last are wanted.
  std::size_t size() const noexcept { return messages_.size(); }
  std::size_t wanted() const noexcept { return wanted_; }
  std::size_t bytes() const noexcept { return bytes_; }  // of memory, for those wanted
  const waiting_message& operator[](std::size_t place) const { return messages_[place]; }
  const waiting_message& front() const { return messages_.front(); }
  waiting_message& front() { return messages_.front(); }

  // Before a push that is about to come.
  void prepare_to_push() const noexcept { messages_.prepare_to_push(); }
  // Its number is larger than all before; it is wanted.
  waiting_place push(waiting_message last);
  // The same without a copy: `fill(waiting_message&)` makes it where it stays. A copy of what was written a
  // moment before in smaller pieces waits until all writes before it are done.
  template <typename Fill>
  waiting_place push(message_number number, Fill fill) {
    waiting_message& last = messages_.push_back();
    last.number = number;
    try {
      fill(last);
    } catch (...) {
      messages_.pop_back();
      throw;
    }
    wanted_ += 1;
    bytes_ += last.bytes();
    return first_place_ + messages_.size() - 1;
  }
  // Null: it is not here, or over. `place`: as push() told it, if that is known.
  waiting_message* find(message_number number, waiting_place place = unknown_place) noexcept;
  // What was found is not wanted any more.
  void forget(waiting_message& over);
  void pop_front();

 private:
  std::size_t place_of(message_number number) const noexcept;
  void drop_first();
  void drop_over();

  ring_buffer<waiting_message> messages_;
  waiting_place first_place_ = 1;  // of the first; those behind it may have moved up since they were told
  std::size_t wanted_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace restante
