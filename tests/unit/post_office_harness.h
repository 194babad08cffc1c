// One real post office, with a clock that is moved, a store that is answered and clients that are watched by
// hand: for what is to be shown step by step. Random interleavings are the model's.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/post_office.h"

namespace restante {

class hand_clock final : public clock {
 public:
  std::int64_t now_us() const override { return wall_us; }
  std::int64_t steady_us() const override { return passed_us; }

  std::int64_t wall_us = 1'700'000'000'000'000;
  std::int64_t passed_us = 1'000'000'000;
};

class recording_log final : public log {
 public:
  void write(log_level level, std::string_view line) override { lines.emplace_back(level, line); }
  // How many lines of this level have `text` in them.
  std::size_t count(log_level level, std::string_view text) const {
    std::size_t found = 0;
    for (const auto& [of, line] : lines) found += of == level && line.find(text) != std::string::npos;
    return found;
  }

  std::vector<std::pair<log_level, std::string>> lines;
};

// Keeps what it is asked until the test answers.
class hand_store final : public store {
 public:
  void write(store_batch batch) override {
    EXPECT_FALSE(writing) << "a second batch before the first was stored";
    writing = std::move(batch);
  }
  void read(page_request request) override { reads.push_back(std::move(request)); }
  void report(broker_report report) override { reports.push_back(std::move(report)); }
  void remember_acknowledging(std::string account) override { acknowledging.push_back(std::move(account)); }

  std::optional<store_batch> writing;
  std::deque<page_request> reads;
  std::vector<broker_report> reports;
  std::vector<std::string> acknowledging;
};

// Places are counts of records.
class hand_journal final : public journal {
 public:
  journal_status append(const envelope& accepted, const fingerprint& known) override {
    if (messages_status == journal_status::ok) {
      messages.push_back(accepted);
      all.emplace_back(accepted_message{accepted, known});
    }
    return messages_status;
  }
  journal_status append(const removal_list& gone) override {
    if (others_status == journal_status::ok) {
      for (const auto number : gone.numbers) removals.push_back({gone.account, number});
    }
    return take(gone);
  }
  journal_status append(const removal_by_key& gone) override { return take(gone); }
  journal_status append(const unresolved_receipt& told) override { return take(told); }
  journal_status append(const used_once& publish) override { return take(publish); }
  journal_position end() const override { return all.size(); }
  journal_status flush() override {
    flushed = all.size();
    return journal_status::ok;
  }
  journal_chunk read(journal_position from, std::size_t) override {
    if (unreadable) return {{}, from, true};
    if (from >= flushed) return {{}, flushed, false};
    return {{{from, all[from]}}, from + 1, false};
  }
  void trim(journal_position keep) override { trimmed_to = keep; }
  std::uint64_t size_bytes() const override { return all.size(); }

  journal_status messages_status = journal_status::ok, others_status = journal_status::ok;
  std::vector<envelope> messages;
  std::vector<removal> removals;
  std::vector<journal_record> all;
  std::size_t flushed = 0;
  journal_position trimmed_to = 0;
  bool unreadable = false;

 private:
  journal_status take(journal_record record) {
    if (others_status == journal_status::ok) all.push_back(std::move(record));
    return others_status;
  }
};

class recording_outbox final : public outbox {
 public:
  struct handed {
    std::string client_id;
    message what;
    int qos;
  };
  void publish(std::string_view client_id, const message& what, int qos) override {
    published.push_back({std::string(client_id), what, qos});
  }
  void kick(std::string_view client_id) override { kicked.emplace_back(client_id); }

  std::vector<handed> published;
  std::vector<std::string> kicked;
};

// Accounts anna, bert, cleo and dora; groups `crew` of the first three, and `town` of all, which passes no
// receipts on.
class post_office_harness : public ::testing::Test {
 protected:
  static constexpr message_number stored_before = 1'000;  // rows below are there when it opens

  static post_office_settings small() {
    post_office_settings made;
    made.values.window = 3;
    made.values.window_bytes = 1'000;
    made.values.linger_us = 0;
    made.key = {1, 2};
    return made;
  }

  // Opens the post office, its store reached.
  void open(post_office_settings settings = small(), std::int64_t clock_offset_us = 0) {
    open_unready(std::move(settings));
    office->store_ready(stored_before, clock_offset_us);
  }

  // The same before the store is reached.
  void open_unready(post_office_settings settings = small()) {
    office = std::make_unique<post_office>(std::move(settings), ports{time, lines, mail, records, clients});
  }

  static shared_policy rights_of(const std::string& account,
                                 std::optional<acknowledge_mode> mode = std::nullopt) {
    account_record record;
    record.name = account;
    record.active = true;
    record.acknowledge = mode;
    if (account != "dora") record.groups.push_back({"crew", false, true});
    record.groups.push_back({"town", false, false});
    for (const auto& [action, filter] :
         {std::pair(rule_action::publish, "direct/+/%u/+"), std::pair(rule_action::publish, "group/%g/%u/+"),
          std::pair(rule_action::publish, "receipt/+/%u/+")}) {
      rule made;
      made.effect = rule_effect::allow;
      made.action = action;
      made.filter = filter;
      made.durable = true;
      record.rules.push_back(made);
    }
    return std::make_shared<const policy>(std::move(record), topic_prefix());
  }

  // A clean session; its client id is the account's name unless given.
  session_handle connect(const std::string& account, const std::string& client_id = "",
                         std::optional<acknowledge_mode> mode = std::nullopt) {
    office->connect(++last_handle_, client_id.empty() ? account : client_id, rights_of(account, mode), true,
                    false);
    return last_handle_;
  }
  // A session that the broker keeps; what it resends comes before told_subscription_count().
  session_handle resume(const std::string& account, const std::string& client_id) {
    office->connect(++last_handle_, client_id, rights_of(account), false, true);
    return last_handle_;
  }
  // Connected, subscribed to all that it may, its mailbox empty.
  session_handle listening(const std::string& account, const std::string& client_id = "",
                           std::optional<acknowledge_mode> mode = std::nullopt) {
    const auto handle = connect(account, client_id, mode);
    subscribe_to_all(handle, account);
    empty_mailboxes();
    EXPECT_TRUE(is_live(handle));
    return handle;
  }
  void subscribe_to_all(session_handle handle, const std::string& account) {
    for (const auto& filter : {"direct/" + account + "/#", std::string("group/crew/#"),
                               std::string("group/town/#"), "receipt/" + account + "/#"}) {
      office->subscribe(handle, filter, 1);
    }
  }
  // Rosters, as the directory tells them once somebody of the group is there.
  void tell_rosters() {
    office->set_roster({"crew", {"anna", "bert", "cleo"}, true});
    office->set_roster({"town", {"anna", "bert", "cleo", "dora"}, true});
  }

  acceptance_result publish(session_handle from, const std::string& topic, const std::string& payload = "",
                            int qos = 1) {
    return office->publish({from, topic, payload, {}, qos, 0});
  }
  // One loop of the broker.
  void loop(std::int64_t passes_us = 1'000) {
    time.wall_us += passes_us;
    time.passed_us += passes_us;
    office->tick();
  }
  // The batch that is being written.
  const store_batch& batch() {
    static const store_batch none;
    if (mail.writing) return *mail.writing;
    ADD_FAILURE() << "nothing is being written";
    return none;
  }
  void commit(const batch_result& result = {}) {
    mail.writing.reset();
    office->stored(result);
  }
  // Until nothing is on its way to the store, where no removal by key finds anything.
  void commit_all() {
    for (loop(); mail.writing; loop()) {
      batch_result nothing;
      nothing.removals_by_key.resize(mail.writing->removals_by_key.size());
      commit(nothing);
    }
  }
  // The oldest page that was asked for.
  page_request asked() {
    if (mail.reads.empty()) {
      ADD_FAILURE() << "no page was asked for";
      return {};
    }
    auto oldest = std::move(mail.reads.front());
    mail.reads.pop_front();
    return oldest;
  }
  void answer(const page_request& request, std::vector<shared_message> rows = {}, bool complete = true,
              std::vector<page::known_number> resolved = {}) {
    office->page_read({request.token, std::move(rows), complete, std::move(resolved)});
  }
  void empty_mailboxes() {
    for (loop(); !mail.reads.empty(); loop()) answer(asked());
  }
  static shared_message row(message_number number, const std::string& topic, const std::string& payload = "",
                            std::uint8_t qos = 1) {
    auto made = std::make_shared<message>();
    made->number = number;
    made->topic = topic;
    made->payload = payload;
    made->qos = qos;
    const auto parsed = parse_topic(topic);
    made->key = {std::string(speaker(parsed)), topic.substr(topic.rfind('/') + 1)};
    return made;
  }
  static shared_message row_of(const envelope& stored) { return stored.what; }

  bool is_live(session_handle handle) const { return office->session_of(handle)->live; }
  std::size_t held_by(session_handle handle) const { return office->session_of(handle)->held.size(); }
  // Topics handed over by the mailbox to this client, in order.
  std::vector<std::string> handed_to(const std::string& client_id) const {
    std::vector<std::string> topics;
    for (const auto& each : clients.published) {
      if (each.client_id == client_id) topics.push_back(each.what.topic);
    }
    return topics;
  }

  hand_clock time;
  recording_log lines;
  hand_store mail;
  hand_journal records;
  recording_outbox clients;
  std::unique_ptr<post_office> office;

 private:
  session_handle last_handle_ = 0;
};

}  // namespace restante
