// A broker, its clients, a store and a clock, all by hand, around one real post_office; and the checks of
// what it promises. Each step of a script does one small thing; what cannot be done then (say, publishing
// while not connected) does nothing.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/post_office.h"
#include "fake_store.h"
#include "reference.h"
#include "script.h"

namespace restante::model {

inline const std::vector<std::string> accounts{"anna", "bert", "cleo", "dora"};

struct world_settings {
  std::size_t window = 5;
  std::size_t window_bytes = 1500;
  std::size_t missed_bytes = 1u << 20;
  std::size_t queue_messages = 60;  // in memory; the rest in the journal
  std::int64_t linger_us = 20'000;
  bool knows_rosters = false;        // from the start; else only of groups that change
  bool routes_a_loop_later = false;  // as Mosquitto 2.1 does with what plugins publish
};
// Settings that vary with the seed.
world_settings settings_of(std::uint64_t seed);

class world final : private clock, private log, private outbox {
 public:
  explicit world(world_settings settings);
  ~world() override;

  void apply(const step& one);
  // Faults end, every account connects, reads and acknowledges all: everything owed must arrive.
  void settle();
  const std::string& broken() const { return truth_.broken(); }

  struct totals {
    std::size_t accepted = 0, handed_over = 0, acknowledged = 0, pages = 0, routed = 0, resent = 0, busy = 0;
    std::size_t told_unkept = 0;  // receipts of what was heard at QoS 0
  };
  const totals& counted() const { return totals_; }

 private:
  struct item {  // on its way from the broker to a client
    std::string topic;
    message_key key;
    message_number number;
    std::size_t bytes;
    bool kept;
    int filters_of = 0;             // the client's filters_changed when it was given
    session_handle connection = 0;  // that it was given to
  };
  struct client {
    std::string account, id;
    session_handle handle = 0;
    bool connected = false;
    bool clean = true;
    bool needs_count = false;
    std::map<std::string, int> filters;
    std::deque<item> outgoing;
    int filters_changed = 0;  // how often its filters grew, which starts its mailbox anew
    int last_filters_of = 0;
    message_number last_number = 0;  // of what this connection was given last
    std::set<message_key> held;      // given to this connection and to be acknowledged
  };
  struct past_publish {
    std::string topic, id;
  };

  // What the core sees.
  std::int64_t now_us() const override { return now_us_; }
  std::int64_t steady_us() const override { return now_us_; }
  void write(log_level, std::string_view) override {}
  void publish(std::string_view client_id, const message& what, int qos) override;
  void kick(std::string_view) override {}

  // Tells the reference of each message that is taken.
  class recording_journal final : public journal {
   public:
    explicit recording_journal(world& owner) : owner_(owner), real_(owner.journal_) {}
    journal_status append(const envelope& accepted, const fingerprint& known) override;
    journal_status append(const removal_list& gone) override { return real_.append(gone); }
    journal_status append(const removal_by_key& gone) override { return real_.append(gone); }
    journal_status append(const unresolved_receipt& told) override { return real_.append(told); }
    journal_status append(const used_once& publish) override { return real_.append(publish); }
    journal_position end() const override { return real_.end(); }
    journal_status flush() override { return real_.flush(); }
    journal_chunk read(journal_position from, std::size_t bytes) override { return real_.read(from, bytes); }
    void trim(journal_position keep) override { real_.trim(keep); }
    std::uint64_t size_bytes() const override { return real_.size_bytes(); }

   private:
    world& owner_;
    fake_journal& real_;
  };

  void open_office();
  shared_policy rights_of(const std::string& account) const;
  void note_accepted(const envelope& accepted);
  void check_receipt(const std::string& topic, const std::string& state);
  std::string id_for(const client& from, const step& one, int qos, bool answers);
  void do_publish(client& from, const step& one);
  void do_publish_again(client& from, const step& one);
  void do_acknowledge(client& from, const step& one);
  void do_receipt(client& from, const step& one);
  void do_subscribe(client& of, const std::string& filter, int qos);
  void do_connect(client& of, bool clean);
  void do_disconnect(client& of);
  void do_loop(std::int64_t passes_us);
  void do_restart(bool keeps_sessions, bool batch_got_through);
  void do_expire(const std::string& account, std::size_t which);
  void change_membership(const std::string& account, bool joins);
  void grant_service(const std::string& account);
  void client_reads(client& of, std::size_t count, bool confirms);
  bool deliver_result();
  void acknowledge_keys(client& from, const std::vector<message_key>& keys);
  void route(const std::string& topic, const message_key& key, message_number number, std::size_t bytes,
             int qos);
  void route_what_the_plugin_published();
  void arrive(client& at, item what, bool resent);
  void check_window(client& of);
  bool is_owed(const client& to) const;  // by the filters that it has
  void run_until_nothing_is_owed(bool hears_all);
  bool is_handoff(const std::string& account) const { return account == "dora"; }
  std::vector<std::string> filters_for(const std::string& account) const;

  world_settings settings_;
  std::int64_t now_us_ = 1'700'000'000'000'000;
  std::map<std::string, std::set<std::string>> groups_;
  std::string granted_ = "bert";  // the account of service `desk`; empty: nobody
  std::vector<client> clients_;
  std::map<std::string, std::vector<message_key>> received_;  // by account
  std::map<std::string, std::vector<past_publish>> published_;
  std::map<std::string, std::vector<std::string>> published_unkept_;  // ids used at QoS 0 only
  std::set<std::string> told_;                                        // receipts and states, kept ones
  std::deque<std::pair<std::string, item>> plugin_queue_;
  session_handle last_handle_ = 0;
  std::int64_t last_id_ = 0, last_dead_letter_ = 0;
  fake_store store_;
  fake_journal journal_;
  recording_journal records_{*this};
  reference truth_;
  totals totals_;
  std::unique_ptr<post_office> office_;
};

}  // namespace restante::model
