// What is accepted and not yet stored, and what is acknowledged and not yet deleted, in the order in which it
// must reach the store. Pure bookkeeping: post_office takes batches from it and gives them to the store, one
// at a time.
//
// Everything in it is in the journal too. So when `limits.messages` or `limits.bytes` are reached, what is
// pushed stays in the journal only (the overflow), and is read back in order when there is room: then
// wants_more(), and the caller gives each message of the journal from overflow_from() on to take_back().
//
// Bounds: `limits.messages` and `limits.bytes` of messages, in flight included; `limits.removals`, beyond
// which callers must refuse; as many hashes of what is struck in the overflow. The
// journal bounds the rest. Threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <vector>

#include "core/hashed_map.h"
#include "core/keyed_hash.h"
#include "core/ports.h"
#include "core/string_map.h"

namespace restante {

struct store_queue_limits {
  std::size_t messages = 5'000;
  std::size_t bytes = 32u << 20;
  std::size_t removals = 1'000'000;
  std::size_t batch_messages = 1'000;
  // So few are taken all at once: the broker has little to do, and its next loop may be long in coming.
  std::size_t few_messages = 100;
  std::size_t lingering_messages = 2'500;  // beyond these, or half of `bytes`, none lingers
  std::size_t batch_removals = 4'000;
  std::size_t batch_bytes = 16u << 20;
};

class store_queue {
 public:
  // What to do when it is known whether a removal by key found something.
  using after_removal = std::function<void(const batch_result::outcome&)>;

  // `key`: for the hashes of what is struck in the overflow.
  store_queue(store_queue_limits limits, hash_key key) : limits_(limits), key_(key) {}

  bool has_room_for_removals(std::size_t count) const noexcept;
  // Deliveries of this sender that are queued, not counting those in flight.
  std::size_t queued_by(std::string_view sender) const noexcept;

  // Numbers and positions must grow from call to call. `counts`: for its sender's limit.
  void push(envelope accepted, journal_position at, bool counts, std::int64_t now_us);
  // Takes one recipient off a message that is not in flight yet. False: it is not here.
  enum class struck { no, here, in_overflow };
  struck strike(std::string_view account, message_number number, std::string_view sender);
  void remove(removal gone, journal_position at, std::int64_t now_us);
  // Waits until messages up to `gone.through` are stored.
  void remove(removal_by_key gone, journal_position at, after_removal then, std::int64_t now_us);
  bool is_being_removed(std::string_view account, message_number number) const;
  bool is_being_removed(std::string_view account, const message& what) const;

  // The next batch, if none is in flight and one is due: its oldest entry has waited `linger_us`, or too many
  // linger. Of many, those that have waited for less than half of it stay: their acknowledgement may be near.
  // `last_accepted`: the last number accepted.
  std::optional<store_batch> take(std::int64_t now_us, std::int64_t linger_us, message_number last_accepted);
  // The batch in flight is committed. Runs what waited for removals by key.
  void stored(const batch_result& result);

  // The overflow.
  bool wants_more() const noexcept;
  journal_position overflow_from() const noexcept { return overflow_from_; }
  void take_back(envelope accepted, journal_position at, std::int64_t now_us);
  // All before `next` was taken back.
  void taken_back(journal_position next);

  // Everything in the journal before this is settled. `end`: of the journal.
  journal_position settled_to(journal_position end) const noexcept;

  // At the start: of a message that may be stored already, by a batch of which nobody heard.
  void restore(removal gone, journal_position at);
  // Then: messages up to here turn out to be stored.
  void forget_through(message_number stored_through);
  // Every accepted message up to here is stored (or never will be).
  message_number watermark(message_number last_accepted) const noexcept;
  bool empty() const noexcept {
    return messages_.empty() && removals_.empty() && by_key_.empty() && !busy_ && !has_overflow_;
  }
  std::size_t messages() const noexcept { return message_count_; }
  std::size_t removals() const noexcept { return removal_count_; }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct queued_message {
    message_number number;
    journal_position at;
    envelope what;  // no message any more once every recipient is struck
    std::size_t bytes;
    std::size_t deliveries;  // that count for the sender
    std::size_t left;        // recipients; those struck have no name
    std::size_t next;        // behind the one struck last: they come in the same order again and again
    std::int64_t since_us;
  };
  struct nothing {};
  struct queued_removal {
    removal what;
    journal_position at;
    std::int64_t since_us;
  };
  struct queued_by_key {
    removal_by_key what;
    journal_position at;
    after_removal then;
    std::int64_t since_us;
  };

  message_number watermark(message_number last_accepted, message_number in_flight) const noexcept;
  static std::size_t size_of(const envelope& what) noexcept;
  void keep(envelope accepted, journal_position at, std::size_t deliveries, std::int64_t now_us);
  bool is_crowded() const noexcept {
    return messages_.size() >= limits_.lingering_messages || bytes_ >= limits_.bytes / 2;
  }
  void take_messages(store_batch& batch, std::int64_t accepted_by_us);
  void take_removals(store_batch& batch);
  void forget_sender(std::string_view sender, std::size_t deliveries);
  std::uint64_t delivery_name(std::string_view account, message_number number) const noexcept;
  bool is_due(std::int64_t now_us, std::int64_t linger_us) const noexcept;

  store_queue_limits limits_;
  hash_key key_;
  std::deque<queued_message> messages_;
  std::deque<queued_removal> removals_;
  std::deque<queued_by_key> by_key_;
  string_map<std::size_t> queued_by_;
  hashed_map<nothing> removing_;  // delivery_name()s
  std::multimap<std::tuple<std::string, std::string, std::string>, message_number>
      removing_by_key_;  // to through
  std::size_t message_count_ = 0;
  std::size_t removal_count_ = 0;
  std::size_t bytes_ = 0;

  // The overflow: all messages of the journal from `overflow_from_` on; no number is below `overflow_first_`.
  bool has_overflow_ = false;
  journal_position overflow_from_ = 0;
  journal_position overflow_last_ = 0;  // where its last message stands
  message_number overflow_first_ = 0;
  message_number forgotten_through_ = 0;
  std::unordered_set<std::uint64_t> struck_in_overflow_;  // delivery_name()s
  std::unordered_set<message_number> open_in_overflow_;   // whose audience is known when they are stored

  message_number uncounted_through_ = 0;  // these do not count for their senders
  std::vector<queued_removal> restored_;  // struck in the overflow, until it is known what is stored

  // The batch in flight.
  bool busy_ = false;
  message_number in_flight_first_ = 0;
  journal_position in_flight_at_ = 0;
  std::size_t in_flight_messages_ = 0;
  std::size_t in_flight_bytes_ = 0;
  std::vector<removal> in_flight_removals_;
  std::vector<queued_by_key> in_flight_by_key_;
};

}  // namespace restante
