// What is accepted and not yet stored, and what is acknowledged and not yet deleted, in the order in which it
// must reach the store. Pure bookkeeping: post_office takes batches from it and gives them to the store, one
// at a time.
//
// The journal is the queue of messages: here is only where each stands and for whom it still is
// (waiting_messages.h). Most are acknowledged before they are ever stored. Those that are not are read back
// when a batch is taken. When `limits.messages` or `limits.bytes` are reached, what is pushed leaves no entry
// at all (the overflow), and refill() reads on in the journal when there is room again.
//
// Cost: take() reads the journal on the caller's thread, as a rule from what the system keeps of it in
// memory, since that was written lately. Measured: 0.3 us a message, 0.5 us more for each that is far from
// the one before, 9 ms for 16 MB of large messages. What waited long for a database that was away, or over a
// restart, may come from the disk: 17 ms for 16 MB on one that is not slow. A batch is bounded in messages,
// bytes and reads; refill() reads two megabytes.
//
// When the journal cannot be read back: is_unreadable(), and it is tried again once a second. What waits
// stays here, is not settled, and is stored after a restart at the latest. All else goes on.
//
// Bounds: `limits.messages` messages, those in flight included, and `limits.bytes` of memory for those that
// wait; `limits.removals`, beyond which callers must refuse; as many hashes of what is struck in the
// overflow; senders as sender_counts.h says. The journal bounds the rest.
// Threads: one. `records` must outlive it.
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
#include "core/sender_counts.h"
#include "core/waiting_messages.h"

namespace restante {

struct store_queue_limits {
  std::size_t messages = 8'000;
  std::size_t bytes = 32u << 20;
  std::size_t removals = 1'000'000;
  std::size_t batch_messages = 1'000;
  // So few are taken all at once: the broker has little to do, and its next loop may be long in coming.
  std::size_t few_messages = 100;
  std::size_t lingering_messages = 4'000;  // beyond these none lingers
  std::size_t batch_removals = 4'000;
  std::size_t batch_bytes = 16u << 20;  // of memory; the message that goes beyond is the last
  std::size_t batch_reads = 200;        // of the journal, for messages that are far apart in it
};

class store_queue {
 public:
  // What to do when it is known whether a removal by key found something.
  using after_removal = std::function<void(const batch_result::outcome&)>;

  // `key`: for the hashes of accounts and of what is struck in the overflow.
  store_queue(store_queue_limits limits, hash_key key, journal& records)
      : limits_(limits), key_(key), records_(records) {}

  bool has_room_for_removals(std::size_t count) const noexcept;
  // Deliveries of this sender that are queued, not counting those in flight.
  std::size_t queued_by(std::string_view sender) noexcept;
  // Of a recipient that gets many: roster_audience::only.
  std::uint64_t name_of(std::string_view account) const noexcept { return keyed_hash(key_, account); }
  // For rosters, so that not each message to a group has names of its own.
  std::shared_ptr<const account_names> names_of(const std::vector<std::string>& accounts) const;

  // Numbers and positions must grow from call to call. `counts`: for its sender's limit. `audience`: the same
  // recipients, if the caller knows them as all of a roster but one.
  waiting_place push(const envelope& accepted, journal_position at, bool counts, std::int64_t now_us,
                     roster_audience audience = {});
  // Before a push that is about to come.
  void prepare_to_push() const noexcept { waiting_.prepare_to_push(); }
  // Takes one recipient off a message that is not in flight yet. `place`: as push() told it, if that is
  // known.
  enum class struck { no, here, in_overflow };
  struck strike(std::string_view account, message_number number, std::string_view sender,
                waiting_place place = unknown_place);
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

  // Takes back from the overflow, in order, if there is room: to be called again and again.
  void refill(std::int64_t now_us);
  bool is_unreadable() const noexcept { return unreadable_; }

  // Everything in the journal before this is settled. `end`: of the journal.
  journal_position settled_to(journal_position end) const noexcept;

  // At the start: of a message that may be stored already, by a batch of which nobody heard.
  void restore(removal gone, journal_position at);
  // Then: messages up to here turn out to be stored.
  void forget_through(message_number stored_through);
  // Every accepted message up to here is stored (or never will be).
  message_number watermark(message_number last_accepted) const noexcept;
  bool empty() const noexcept {
    return waiting_.empty() && removals_.empty() && by_key_.empty() && !busy_ && !has_overflow_;
  }
  std::size_t messages() const noexcept { return waiting_.wanted() + in_flight_messages_; }
  std::size_t removals() const noexcept { return removal_count_; }
  std::size_t bytes() const noexcept { return waiting_.bytes(); }

 private:
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
  std::uint64_t name_of_striker(std::string_view account);
  std::uint64_t delivery_name(std::string_view account, message_number number) const noexcept;
  void describe(const envelope& accepted, journal_position at, std::int64_t now_us, roster_audience audience,
                waiting_message& made) const;
  void take_back(const envelope& accepted, journal_position at, std::int64_t now_us);
  bool is_crowded() const noexcept { return waiting_.wanted() >= limits_.lingering_messages; }
  bool is_due(std::int64_t now_us, std::int64_t linger_us) const noexcept;
  void take_messages(store_batch& batch, std::int64_t accepted_by_us, std::int64_t now_us);
  bool wants_more(std::int64_t now_us) const noexcept;
  bool may_read(std::int64_t now_us) const noexcept { return now_us >= read_again_us_; }
  void note_reading(bool was_whole, std::int64_t now_us) noexcept;
  void take_removals(store_batch& batch);
  static void uncount(waiting_message& over) noexcept;

  store_queue_limits limits_;
  hash_key key_;
  journal& records_;
  waiting_messages waiting_;
  sender_counts senders_;
  std::deque<queued_removal> removals_;
  std::deque<queued_by_key> by_key_;
  hashed_map<nothing> removing_;  // delivery_name()s
  std::multimap<std::tuple<std::string, std::string, std::string>, message_number>
      removing_by_key_;  // to through
  std::size_t removal_count_ = 0;
  bool unreadable_ = false;
  std::int64_t read_again_us_ = 0;
  std::string struck_last_by_;
  std::uint64_t struck_last_name_ = 0;

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
  std::vector<removal> in_flight_removals_;
  std::vector<queued_by_key> in_flight_by_key_;
};

}  // namespace restante
