// What the mailbox knows of one connection and of one account that has connections.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/hashed_map.h"
#include "core/message.h"
#include "core/policy.h"
#include "core/recently_heard.h"
#include "core/waiting_messages.h"

namespace restante {

// The broker's name for a connection: never looked into, only compared. Client ids can be claimed by somebody
// who is then refused; these cannot.
using session_handle = std::uintptr_t;

struct account_state;

// How a session would hear a topic.
enum class hearing { not_at_all, live_only, kept };

struct subscription {
  std::string filter;  // prefix taken off
  int qos = 0;
};

// A keyed hash of `{sender}/{id}`: of few messages, those that one session holds, so collisions do not count.
using message_name = std::uint64_t;

// A message that was handed over and is not acknowledged.
struct held_message {
  message_number number = 0;                 // 0: the broker resent it and only its key is known
  waiting_place place = unknown_place;       // in the queue, when it was accepted
  std::shared_ptr<const std::string> group;  // null: to one account
  std::unique_ptr<message_key> key;          // while the number is not known
  std::uint32_t bytes = 0;
  bool repeated = false;  // another message has this key too: both go when it is acknowledged
};
static_assert(sizeof(held_message) <= 56, "with its name in one line of memory");

struct session {
  session_handle handle = 0;
  std::string client_id;
  account_state* account = nullptr;
  bool may_persist = false;
  bool takes_properties = true;  // MQTT 5

  std::vector<subscription> filters;   // durable topics only
  std::vector<subscription> profiles;  // their accounts; not among the filters, which are looked at often
  bool filters_unknown = false;        // resumed from before this process: it gets its whole mailbox
  bool awaits_count = false;           // its number of subscriptions is not told yet
  std::set<std::string> filters_seen;  // of any topic, while filters_unknown

  // Live: everything up to now is handed over, so the broker may route to it. Else behind: it is given pages.
  bool live = false;
  message_number cursor = 0;  // everything up to here was handed over, or is not wanted
  // While it is not live: all accepted up to `complete_through` was handed over or is not wanted; what was
  // denied lately is in `missed`, in order; and the rest of what was denied is not above `gap_through`. So
  // once the first reaches the last, `missed` is all that it lacks, and nothing need be read for that.
  message_number complete_through = 0;
  message_number gap_through = 0;
  std::deque<shared_message> missed;
  std::uint64_t page_token = 0;       // of the page under way; 0: none
  message_number page_watermark = 0;  // the watermark when that page was asked for
  bool page_resolves = false;         // that page was asked for the numbers of resent messages
  bool more_waiting = false;          // the last page did not end the mailbox
  bool in_line = false;               // waits for its turn to ask for a page
  bool in_attention = false, in_after_commit = false, in_later = false;  // on those lists of the post office
  std::int64_t not_before_us = 0;       // no page is asked for before (steady), unless there is much room
  std::int64_t read_again_us = 0;       // from the beginning then (steady), by when rights are known; 0: not
  bool retries = false;                 // and not even then: the last page failed, or handing off is too fast
  std::size_t needs_bytes = 0;          // the next message of the mailbox wants so much room
  std::uint64_t published_in_loop = 0;  // the broker's loop in which it was last published to directly
  message_number resolve_after = 0;     // resent messages without a row are gone once stored up to here

  hashed_map<held_message> held;
  std::size_t held_bytes = 0;
  std::size_t held_without_number = 0;
  bool window_reported = false;

  // Receipts, answers and `handoff` have no acknowledgement; so many may be handed over in each tenth of a
  // second.
  std::size_t handoffs = 0;
  std::int64_t handoffs_since_us = 0;

  // Routing under way: what READ is to be granted.
  message_number expected = 0;  // the number being routed; granted at most once
  bool expected_kept = false;   // joins `held` when granted

  hearing hears(std::string_view topic) const noexcept;
  int subscribed_qos(std::string_view topic) const noexcept;  // -1: not subscribed
  bool wants_mail() const noexcept { return filters_unknown || has_kept_filter(); }
  bool has_kept_filter() const noexcept;

  // What it holds now, until the next call of these. `group`: null: to one account.
  held_message& hold(message_name name, message_number number, std::size_t bytes,
                     const std::shared_ptr<const std::string>& group, waiting_place place = unknown_place);
  // False: it does not hold it.
  bool release(message_name name, held_message& was);
  bool release(message_name name);
};

struct account_state {
  std::string name;
  std::uint64_t queue_name = 0;  // store_queue::name_of()
  shared_policy rights;
  bool has_acknowledged = false;
  std::vector<session*> sessions;
  // Messages at QoS 0 that any of its sessions heard lately, by `message_name`: told of and not acknowledged.
  recently_heard unkept;

  // publish_rate: what is left of this second's allowance.
  std::int64_t allowance = 0;
  std::int64_t allowance_since_us = 0;
};

}  // namespace restante
