// The statements that store and remove mail, one function each. None opens or ends a transaction.
//
// Tables grow from nothing to millions of rows between two looks of the statistics collector, and a plan made
// for empty tables would read them whole. So in what is prepared every table is reached by a scalar or
// lateral subquery from the values given, which leaves the planner one order; what joins freely is planned
// afresh. All of them may be run twice.
//
// Threads: that of the connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports.h"
#include "postgres/connection.h"

namespace restante {

// Settings of a session for these statements; to be executed once when it begins.
extern const std::string_view fast_path_settings;

// Rows for one statement, in the parallel arrays that it takes.
class message_rows {
 public:
  // `recipient`: empty for group bodies.
  void push(const message& what, std::string_view recipient, std::optional<std::int64_t> expires_at_us,
            bool is_full = false);
  bool empty() const noexcept { return numbers_.empty(); }
  // Large enough to be sent.
  bool is_full() const noexcept { return numbers_.size() >= 5'000 || payloads_.size_bytes() >= (8u << 20); }
  void clear();

 private:
  friend result<void> store_singles(connection&, const message_rows&, std::int64_t);
  friend result<std::vector<message_number>> store_bodies(connection&, const message_rows&);
  friend result<void> bury(connection&, const message_rows&, std::string_view, std::int64_t);

  int64_array numbers_, expiries_;
  text_array recipients_, topics_, senders_, ids_;
  bytea_array payloads_, properties_;
  int16_array qos_, full_;
};

class delivery_rows {
 public:
  void push(message_number number, std::string_view recipient, bool is_full);
  bool empty() const noexcept { return numbers_.empty(); }
  bool is_full() const noexcept { return numbers_.size() >= 10'000; }
  void clear();

 private:
  friend result<void> store_deliveries(connection&, const delivery_rows&, std::int64_t);
  int64_array numbers_;
  text_array recipients_;
  int16_array full_;
};

// Messages with their bodies, each for one recipient. Those whose recipient is unknown, departed, has blocked
// the sender, or is full become dead letters; their senders hear of it when the message would have expired,
// at the latest `retention_us` after its acceptance.
result<void> store_singles(connection& to, const message_rows& rows, std::int64_t retention_us);

// Bodies of group messages. Returns those that were not stored, since no account has the sender's name.
result<std::vector<message_number>> store_bodies(connection& to, const message_rows& rows);

// Who gets those bodies; they must be stored before. Judges recipients as store_singles() does.
result<void> store_deliveries(connection& to, const delivery_rows& rows, std::int64_t retention_us);

// Straight to the dead letters.
result<void> bury(connection& to, const message_rows& rows, std::string_view reason,
                  std::int64_t retention_us);

// A delivery that waits.
struct found_delivery {
  std::string account;
  message_key key;  // not for receipts
  message_number number = 0;
  bool passes_receipts = true;
};

// Receipts older than `number` that wait on the same topic, to be replaced.
struct newer_receipt {
  std::string_view recipient, topic;
  message_number number = 0;
};
result<std::vector<found_delivery>> find_older_receipts(connection& in, std::span<const newer_receipt> newer);

// Everything but receipts that waits under one of the keys, lowest number first. A key with a name that no
// account can have is passed over.
struct wanted_key {
  std::string_view account;
  const message_key* key = nullptr;
};
result<std::vector<found_delivery>> find_by_key(connection& in, std::span<const wanted_key> wanted);

result<void> remove_deliveries(connection& from, std::span<const removal> gone);

// Their senders have been told.
result<void> settle_dead_letters(connection& in, std::span<const std::int64_t> ids);

// Raises the broker's mark and returns the name of the transaction, for asking later whether it was
// committed.
result<std::string> mark_stored_through(connection& in, message_number number);

// Whether that transaction was committed, and the mark with it.
result<bool> was_committed(connection& in, std::string_view transaction, message_number marked);

// How many deliveries wait for each of `accounts`, counted no further than `limit`.
struct mailbox_count {
  std::string account;
  std::int64_t waiting = 0;
};
result<std::vector<mailbox_count>> count_mailboxes(connection& in, std::span<const std::string> accounts,
                                                   std::int64_t limit);

// The members of each group, departed ones included. Groups that do not exist have none.
struct group_member {
  std::string group, account;
};
result<std::vector<group_member>> list_members(connection& in, std::span<const std::string> groups);

}  // namespace restante
