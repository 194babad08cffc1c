// What is accepted and not yet stored, and what is acknowledged and not yet deleted, in the order in which it
// must reach the store. Pure bookkeeping: post_office takes batches from it and gives them to the store, one
// at a time.
//
// Bounds: `limits.entries` and `limits.bytes`, in flight included. Messages may fill fifteen sixteenths; the
// rest is kept for removals, so that acknowledging goes on when storing does not. When it is full, callers
// must refuse. Threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "core/ports.h"

namespace restante {

struct store_queue_limits {
  std::size_t entries = 100'000;
  std::size_t bytes = 256u << 20;
  std::size_t batch_messages = 500;
  std::size_t batch_removals = 2'000;
  std::size_t batch_bytes = 16u << 20;
};

class store_queue {
 public:
  // What to do when it is known whether a removal by key found something.
  using after_removal = std::function<void(const batch_result::outcome&)>;

  explicit store_queue(store_queue_limits limits) : limits_(limits) {}

  bool has_room_for_message(std::size_t bytes) const noexcept;
  bool has_room_for_removals(std::size_t count) const noexcept;
  // Deliveries of this sender that are queued, not counting those in flight.
  std::size_t queued_by(std::string_view sender) const noexcept;

  // Numbers must grow from call to call.
  void push(envelope accepted, std::int64_t now_us);
  // Takes one recipient off a message that is not in flight yet. False: it is not here.
  bool strike(std::string_view account, message_number number);
  void remove(removal gone, std::int64_t now_us);
  // Waits until messages up to `gone.through` are stored.
  void remove(removal_by_key gone, after_removal then, std::int64_t now_us);
  bool is_being_removed(std::string_view account, message_number number) const;
  bool is_being_removed(std::string_view account, const message& what) const;

  // The next batch, if none is in flight and one is due: full, or its oldest entry has waited `linger_us`.
  // `last_accepted`: the last number accepted.
  std::optional<store_batch> take(std::int64_t now_us, std::int64_t linger_us, message_number last_accepted);
  // The batch in flight is committed. Runs what waited for removals by key.
  void stored(const batch_result& result);

  // At the start: messages up to here turn out to be stored.
  void forget_through(message_number stored_through);
  // Every accepted message up to here is stored (or never will be).
  message_number watermark(message_number last_accepted) const noexcept;
  bool empty() const noexcept { return messages_.empty() && removals_.empty() && by_key_.empty() && !busy_; }
  std::size_t entries() const noexcept { return entries_; }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct queued_message {
    message_number number;
    envelope what;  // no message any more once every recipient is struck
    std::size_t deliveries;
    std::int64_t since_us;
  };
  struct queued_removal {
    removal what;
    std::int64_t since_us;
  };
  struct queued_by_key {
    removal_by_key what;
    after_removal then;
    std::int64_t since_us;
  };

  static std::size_t size_of(const envelope& what) noexcept;
  void take_messages(store_batch& batch);
  void forget_sender(const queued_message& gone, std::size_t deliveries);
  bool is_due(std::int64_t now_us, std::int64_t linger_us) const noexcept;

  store_queue_limits limits_;
  std::deque<queued_message> messages_;
  std::deque<queued_removal> removals_;
  std::deque<queued_by_key> by_key_;
  std::map<std::string, std::size_t, std::less<>> queued_by_;
  std::set<std::pair<std::string, message_number>, std::less<>> removing_;
  std::multimap<std::tuple<std::string, std::string, std::string>, message_number>
      removing_by_key_;  // to through
  std::size_t entries_ = 0;
  std::size_t bytes_ = 0;

  // The batch in flight.
  bool busy_ = false;
  message_number in_flight_first_ = 0;
  std::size_t in_flight_entries_ = 0;
  std::size_t in_flight_bytes_ = 0;
  std::vector<removal> in_flight_removals_;
  std::vector<queued_by_key> in_flight_by_key_;
};

}  // namespace restante
