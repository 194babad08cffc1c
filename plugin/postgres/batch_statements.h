// The statements that store and remove mail, one function each. None opens or ends a transaction; those that
// take a pipeline wait for nothing, and what goes wrong is said when the pipeline is asked.
//
// Tables grow from nothing to millions of rows between two looks of the statistics collector, and a plan made
// for empty tables would read them whole. So every table is reached by a scalar or lateral subquery from the
// values given, which leaves the planner one order.
//
// Threads: that of the connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/ports.h"
#include "postgres/account_ids.h"
#include "postgres/connection.h"
#include "postgres/pipeline.h"

namespace restante {

// Settings of a session for these statements; to be executed once when it begins.
extern const std::string_view fast_path_settings;

// How to store: rows that stand there already are passed over when it is `again`, at two thirds more of the
// cost, and refused (23505) when it is the first time.
enum class attempt_kind { first, again };

// An account as a row names it.
struct named_account {
  std::string_view name;
  const account_place* place = nullptr;  // null: nobody has that name
};

// Rows for one statement, in the parallel arrays that it takes.
class message_rows {
 public:
  void push(const message& what, const named_account& recipient, const account_place* sender,
            std::optional<std::int64_t> expires_at_us, bool is_full = false);
  bool empty() const noexcept { return numbers_.empty(); }
  // Large enough to be sent.
  bool is_full() const noexcept { return numbers_.size() >= 250 || payloads_.size_bytes() >= (1u << 20); }
  void clear();

 private:
  friend void store_singles(pipeline&, const message_rows&, std::int64_t, attempt_kind);
  friend void store_bodies(pipeline&, const message_rows&, attempt_kind);
  friend void bury(pipeline&, const message_rows&, std::string_view, std::int64_t);

  int64_array numbers_, expiries_, account_ids_, mailbox_ids_, sender_ids_;
  text_array recipients_, topics_, senders_, ids_;
  bytea_array payloads_, properties_;
  int16_array qos_, full_;
};

class delivery_rows {
 public:
  void push(message_number number, std::string_view group, const named_account& recipient,
            const account_place* sender, std::optional<std::int64_t> expires_at_us, bool is_full);
  bool empty() const noexcept { return numbers_.empty(); }
  bool is_full() const noexcept { return numbers_.size() >= 10'000; }
  void clear();

 private:
  friend void store_deliveries(pipeline&, const delivery_rows&, std::int64_t, attempt_kind);
  int64_array numbers_, expiries_, account_ids_, mailbox_ids_, sender_ids_;
  text_array recipients_;
  int16_array full_;
  // Each group once, and for each row which of them it is, counted from 1.
  text_array groups_;
  int64_array group_places_;
  std::unordered_map<std::string, std::int64_t> known_groups_;
  std::string last_group_;
  std::int64_t last_place_ = 0;
};

// Messages with their bodies, each for one recipient. Those whose recipient is unknown, departed, has blocked
// the sender, or is full become dead letters; their senders hear of it when the message would have expired,
// at the latest `retention_us` after its acceptance.
void store_singles(pipeline& to, const message_rows& rows, std::int64_t retention_us, attempt_kind kind);

// Bodies of group messages, whose senders must have accounts.
void store_bodies(pipeline& to, const message_rows& rows, attempt_kind kind);

// Who gets those bodies; they must be stored before. Judges recipients as store_singles() does, and passes
// over those who are no members any more: they have left since the message was accepted.
void store_deliveries(pipeline& to, const delivery_rows& rows, std::int64_t retention_us, attempt_kind kind);

// Straight to the dead letters. What is there already is passed over.
void bury(pipeline& to, const message_rows& rows, std::string_view reason, std::int64_t retention_us);

// A delivery that waits.
struct found_delivery {
  std::size_t asked = 0;  // which of those that were asked for
  message_number number = 0;
  bool passes_receipts = true;
};

// Receipts older than `number` that wait on the same topic, to be replaced.
struct newer_receipt {
  const account_place* recipient = nullptr;
  std::string_view topic;
  message_number number = 0;
};
std::size_t find_older_receipts(pipeline& in, std::span<const newer_receipt> newer);

// Everything but receipts and answers that waits under one of the keys, lowest number first.
struct wanted_key {
  const account_place* account = nullptr;  // never null
  const account_place* sender = nullptr;   // never null
  std::string_view id;
};
std::size_t find_by_key(pipeline& in, std::span<const wanted_key> wanted);
result<std::vector<found_delivery>> find_by_key(connection& in, std::span<const wanted_key> wanted);

// Both of the above answer with these.
std::vector<found_delivery> read_found(const rows& answer);

// Days with a partition of their own, counted from 1970.
result<std::vector<std::int64_t>> list_days(connection& in);

struct delivery_place {
  std::int64_t mailbox_id = 0;
  message_number number = 0;
  friend auto operator<=>(const delivery_place&, const delivery_place&) = default;
};
std::int64_t day_of(message_number number);
// All of one day, which has a partition (42P01 else), in order.
void remove_deliveries(pipeline& from, std::int64_t day, std::span<const delivery_place> gone);

// Their senders have been told.
void settle_dead_letters(pipeline& in, std::span<const std::int64_t> ids);
result<void> settle_dead_letters(connection& in, std::span<const std::int64_t> ids);

// Raises the broker's mark, and says which batch did; to be asked later whether it was committed.
void mark_stored_through(pipeline& in, message_number number, std::int64_t batch);
result<bool> was_committed(connection& in, std::int64_t batch);

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

// Which account is granted each service, departed ones included. Services that nobody is granted are left
// out.
struct granted_service {
  std::string service, account;
};
result<std::vector<granted_service>> list_services(connection& in, std::span<const std::string> services);

}  // namespace restante
