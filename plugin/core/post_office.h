// The mailbox: takes durable messages in, decides who may hear them live, keeps them on their way to the
// store, hands over what waited, and forgets what is acknowledged.
//
// It is told of events by the broker's edge and of results by the store, and acts through the ports. A
// session is either live, and hears the broker's own routing through a valve, or behind, and is given pages
// read from the store, never more than a window of unacknowledged messages in either state. What it promises:
//   1. an accepted message is, for each of its audience, acknowledged, expired, withdrawn, or handed over in
//      finitely many steps once the recipient stays connected;
//   2. first hand-over is in order of numbers;
//   3. never more than a window unacknowledged;
//   4. nothing outside the audience;
//   5. what was acknowledged is not handed over again;
//   6. all memory is bounded.
//
// What is published at QoS 0 is heard by those who are there and not kept. Each account remembers, while it
// is connected, the last `window` of those that it was given (4,096 at most), so that its receipts of
// them are passed on at once.
//
// Threads: all calls on the broker's thread. Nothing here waits. No exceptions but std::bad_alloc.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/lately_found.h"
#include "core/options.h"
#include "core/policy.h"
#include "core/ports.h"
#include "core/profile_desk.h"
#include "core/recent_publishes.h"
#include "core/session.h"
#include "core/store_queue.h"
#include "core/string_map.h"
#include "core/topic.h"

namespace restante {

struct ports {
  clock& time;
  log& lines;
  store& mail;
  journal& records;
  outbox& clients;
  profile_source* profiles = nullptr;  // null: none are to be had
};

struct post_office_settings {
  options values;
  store_queue_limits queue;
  hash_key
      key;  // random, so that nobody can craft colliding ids; the journal's, whose hashes are made with it
  std::size_t recent_limit = 1'500'000;        // publishes remembered in each half of the dedupe memory
  std::size_t pages_at_once = 64;              // page queries under way
  std::size_t parked_sessions = 100'000;       // offline sessions whose filters are remembered
  std::size_t filters_a_session = 1'000;       // on durable topics: each is looked at for each message
  std::size_t missed_bytes = 8u << 20;         // of what sessions missed lately and need not be read again
  std::size_t removals_before_pages = 20'000;  // no page is read while so much waits to be removed
};

// One PUBLISH as the broker shows it.
struct publication {
  session_handle from = 0;
  std::string_view topic;  // prefix included
  std::string_view payload;
  std::string_view properties;  // as message::properties
  int qos = 0;
  std::int64_t expires_in_us = 0;  // the publisher's own expiry; 0: none
};

enum class acceptance {
  ordinary,  // not a durable topic: the rules alone decide
  accepted,  // answer with success; whoever may hear it live is known to hear_routed()
  refused,   // not allowed or malformed
  busy,      // not now: the publisher must try again, so it must not see success
};
struct acceptance_result {
  acceptance what = acceptance::ordinary;
  message_number number = 0;  // not 0: tell recipients it was accepted then
  std::string why;            // refused or busy: for the log
};

class post_office {
 public:
  post_office(post_office_settings settings, ports outside);
  ~post_office();
  post_office(const post_office&) = delete;
  post_office& operator=(const post_office&) = delete;

  // ---- sessions
  // ------------------------------------------------------------------------------------------------ A client
  // id that another account's open connection holds must not be taken over.
  bool client_id_is_taken(std::string_view client_id, std::string_view account) const;
  // A login that was granted. `clean`: the client asked for a new session. `may_persist`: the broker may keep
  // the session when the connection ends.
  // `takes_properties`: it is told by MQTT 5 properties when a message was accepted.
  void connect(session_handle handle, std::string_view client_id, shared_policy rights, bool clean,
               bool may_persist, bool takes_properties = true);
  // For sessions that are not clean, once after connect(), and after each subscribe() while needs_count().
  void told_subscription_count(session_handle handle, std::size_t count);
  bool needs_count(session_handle handle) const;
  // The broker is about to resend this to a client that reconnects: it may, if the message is for it.
  bool hear_resent(session_handle handle, std::string_view topic, std::size_t payload_bytes);
  void disconnect(session_handle handle);
  // Rules must have granted the filter. False: the session has as many durable filters as it may.
  bool subscribe(session_handle handle, std::string_view filter, int qos);
  void unsubscribe(session_handle handle, std::string_view filter);
  // Null if there is no such session.
  const shared_policy* rights_of(session_handle handle) const;
  std::string_view client_id_of(session_handle handle) const;
  std::size_t session_count() const noexcept { return sessions_.size(); }

  // ---- accounts
  // ------------------------------------------------------------------------------------------------ The
  // directory's newest word on an account that may have sessions: in force from now on.
  void set_rights(shared_policy rights);
  void set_roster(roster members);
  std::vector<std::string> groups_with_rosters() const;
  // Profiles of these accounts may have changed, or who may read them; or any.
  void profiles_changed(const std::vector<std::string>& accounts) { profiles_.changed(accounts); }
  void all_profiles_changed() { profiles_.changed_all(); }
  void profile_read(const profile_answer& answer);
  // Those with sessions: all, or among the named accounts and the members of the named groups.
  std::vector<std::string> connected_accounts() const;
  std::vector<std::string> connected_among(const std::vector<std::string>& accounts,
                                           const std::vector<std::string>& groups) const;
  // Groups with connected members: all, or among the named.
  std::vector<std::string> groups_in_use() const;
  std::vector<std::string> in_use_among(const std::vector<std::string>& groups) const;

  // ---- messages
  // ------------------------------------------------------------------------------------------------
  // A publish on this topic (prefix included) may be about to come: it is parsed, which holds until the next
  // call or publish(), and what it will look at is fetched meanwhile.
  const parsed_topic& expect_publish(std::string_view topic);
  acceptance_result publish(const publication& what);
  // The same, where expect_publish() was told of its topic last.
  acceptance_result publish_expected(const publication& what);
  // May this session hear the message that the last publish() accepted and the broker now routes? At most
  // once each.
  bool hear_routed(session_handle handle);
  // Whether any of those takes properties.
  bool routes_properties() const noexcept { return routing_.takes_properties; }
  // The broker has finished routing it (any other event came).
  void end_routing();

  // ---- time and results
  // ---------------------------------------------------------------------------------------- Once in each
  // loop of the broker.
  void tick();
  // Before store_ready(), from the journal: first what was used once, then all records, in the order in which
  // they were written.
  void restore(const used_once& publish);
  void restore(journal_position at, journal_record record);
  // The store is reached for the first time. `clock_offset_us`: the database's clock less ours.
  void store_ready(message_number stored_through, std::int64_t clock_offset_us);
  bool is_ready() const noexcept { return ready_; }
  void stored(const batch_result& result);
  void page_read(page read);
  void page_failed(std::uint64_t token);
  void expired_due(const std::vector<expired_delivery>& expired);
  // The broker is ending: no session is left, and what is accepted is stored without lingering.
  void close();
  // Nothing is left to be stored.
  bool is_drained() const noexcept { return queue_.empty(); }

  // Null if there is no such session.
  const session* session_of(session_handle handle) const { return find(handle); }
  // For tests and statistics.
  std::size_t queued_entries() const noexcept { return queue_.messages() + queue_.removals(); }
  std::size_t remembered_publishes() const noexcept { return recent_.size(); }

 private:
  struct group_state {
    std::shared_ptr<const std::string> name;
    std::vector<account_state*> present;
    std::shared_ptr<const roster> members;
    std::shared_ptr<const account_names> names;  // theirs, for the queue
  };
  struct parked_session {
    std::string client_id, account;
    std::vector<subscription> filters, profiles;
    bool filters_unknown;
  };
  struct name_of_account {
    std::string_view operator()(const account_state& each) const noexcept { return each.name; }
  };
  // A message with what is worth finding out once for all who hear it.
  struct mail {
    shared_message what;
    message_name name = 0;
    waiting_place place = unknown_place;       // in the queue
    bool until_handed_over = false;            // a receipt or an answer: nobody acknowledges it
    std::shared_ptr<const std::string> group;  // null: to one account
  };
  // The publish that is about to come.
  struct foreseen_publish {
    std::string topic;  // with the prefix
    parsed_topic parsed;
    std::string_view rest;  // behind the prefix, if it is no ordinary one
    fingerprint used;       // of a message: what must not be used again
  };
  struct routing_state {
    mail routed;
    std::vector<session*> expected;
    bool takes_properties = false;  // any of them
  };
  // post_office.cpp
  session* find(session_handle handle) const;
  session*& found_lately(session_handle handle) const noexcept;
  account_state* find_account(std::string_view name);  // null: it has no sessions
  account_state& open_account(const shared_policy& rights);
  void close_account_if_unused(account_state& account);
  void join_groups(account_state& account);
  void leave_groups(account_state& account);
  bool subscribe_to_profile(session& here, std::string_view account, int qos);
  void forget_profiles(session& of);
  std::string account_of(session_handle handle) const;
  void park(const session& gone);
  bool unpark(session& back);
  void report(std::int64_t now_us);
  void say(log_level level, const std::string& line) { outside_.lines.write(level, line); }

  // acceptance.cpp
  acceptance_result accept_message(session& from, const publication& what);
  std::string why_busy(account_state& sender, std::size_t deliveries, std::int64_t steady_us);
  bool spend_allowance(account_state& sender, std::int64_t deliveries, std::int64_t steady_us);
  message_number next_number(std::int64_t now_us);
  std::shared_ptr<message> make_message(const std::string& sender, const publication& what,
                                        std::int64_t now_us);
  void keep_for_reuse(shared_message routed) noexcept;
  // Nothing: the journal does not take it.
  std::optional<waiting_place> keep(const envelope& accepted, const fingerprint& known,
                                    std::int64_t steady_us, roster_audience audience = {});
  void remember(const fingerprint& known);
  mail describe(shared_message what, const parsed_topic& parsed) const;
  mail describe(shared_message what, const parsed_topic& parsed, message_name name) const;
  void route(mail what, const parsed_topic& parsed, bool natively);
  void offer(session& to, const mail& what, bool natively);
  void note_heard(account_state& by, const mail& what);
  template <typename Visit>
  void for_each_listener(const parsed_topic& parsed, Visit visit);

  // acknowledgement.cpp
  acceptance_result take_acknowledgements(session& from, std::string_view payload);
  bool is_unkept(const account_state& account, message_name name);
  acceptance_result take_receipt(session& by, std::string_view topic, const receipt_topic& parsed,
                                 const publication& what);
  // False: it was not kept, so nothing was recorded.
  bool acknowledge_one(account_state& account, message_name name, std::string_view sender,
                       std::string_view id);
  // Between collect_removals() of the account and record_removals(), as remove().
  bool acknowledge(account_state& account, message_name name, std::string_view sender, std::string_view id);
  const held_message* held_by(const account_state& account, message_name name) const;
  message_number pass_on(std::shared_ptr<message> told, const parsed_topic& parsed, const fingerprint& known,
                         bool natively, std::int64_t steady_us);
  void resolve(const unresolved_receipt& told, const batch_result::outcome& outcome);
  void queue(removal_by_key gone, journal_position at);
  void queue(const unresolved_receipt& told, journal_position at);
  void note_acknowledging(account_state& account);
  void discard(const std::string& account, message_number number, std::string_view sender,
               waiting_place place = unknown_place);
  void collect_removals(const std::string& account);
  void remove(const std::string& account, message_number number, std::string_view sender,
              waiting_place place);
  void record_removals();
  template <typename Record>
  journal_position record(const Record& what);

  // delivery.cpp
  bool takes_by_handoff(const account_state& account) const;
  bool needs_no_acknowledgement(const account_state& account, bool until_handed_over) const;
  void hand_off_held(session& of);
  bool has_room(session& to, const mail& what);
  void hand_over(session& to, const mail& what);
  void record_hand_over(session& to, const mail& what);
  void deny(session& to, const shared_message& what, bool may_be_caught_up);
  void miss(session& to, const shared_message& what);
  void forget_oldest_missed(session& of);
  void forget_missed(account_state& account, message_number number);
  void forget_missed(account_state& account, std::string_view sender, std::string_view id);
  void catch_up(session& of);
  void restart(session& of);
  void consider(session& of);
  void await_commit(session& of);
  void consider_later(session& of);
  void ask_for_page(session& of);
  void settle_resent(session& of, const page& read);
  bool take_row(session& to, const shared_message& row);
  bool is_for(const account_state& account, const parsed_topic& what) const;
  message_name name_of(std::string_view sender, std::string_view id) const;
  message_name name_of(std::string_view key_text) const noexcept {
    return keyed_hash(settings_.key, key_text);
  }
  void flush();
  void trim();
  void attend(session& to);
  message_number watermark() const noexcept { return queue_.watermark(last_number_); }

  post_office_settings settings_;
  ports outside_;
  topic_prefix prefix_;
  recent_publishes recent_;
  store_queue queue_;

  std::unordered_map<session_handle, std::unique_ptr<session>> sessions_;
  // Those found lately, by their handles: null, or in sessions_. Of each packet the broker asks several
  // times.
  mutable std::array<session*, 256> found_lately_{};
  string_map<session_handle> by_client_;
  string_map<std::unique_ptr<account_state>> accounts_;
  lately_found<account_state, name_of_account> found_accounts_;  // of those
  string_map<group_state> groups_;
  profile_desk profiles_;
  string_map<account_state*> services_;  // those whose account is connected
  std::list<parked_session> parked_;     // most recent first
  string_map<std::list<parked_session>::iterator> parked_by_client_;

  foreseen_publish foreseen_;
  // Of the last publish, if nobody else has it: their texts have their room already, which saves five
  // allocations a message.
  std::shared_ptr<message> reusable_message_;
  envelope reusable_envelope_;
  routing_state routing_;
  message_number last_number_ = 0;
  journal_position trimmed_to_ = 0;
  std::int64_t trimmed_at_us_ = 0;
  bool unreadable_ = false;                 // the journal, as was said
  bool unrecorded_ = false;                 // something that it did not take
  removal_list removals_;                   // collected
  std::vector<message_name> acknowledged_;  // by the `ack` at hand
  journal_position removals_at_ = 0;
  std::uint64_t loop_ = 1;
  bool ready_ = false;
  bool clock_is_trusted_ = true;
  bool hurried_ = false;
  std::int64_t reported_us_ = 0;
  std::size_t missed_bytes_ = 0;

  std::unordered_map<std::uint64_t, session_handle> pages_;  // under way, by token
  std::uint64_t last_token_ = 0;
  std::vector<session_handle> attention_, after_commit_, later_;
  std::vector<session_handle> attended_;  // empty between ticks: each list uses the other's memory
  std::int64_t later_looked_at_us_ = 0;
  std::deque<session_handle> line_;  // for a page
};

}  // namespace restante
