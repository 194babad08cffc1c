// A store's thread on a database of the test's own, and what came out of it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "postgres/store_thread.h"
#include "support/eventually.h"
#include "support/failure.h"
#include "support/postgres_server.h"

namespace restante {

inline constexpr std::int64_t second_us = 1'000'000, day_us = 86'400 * second_us;

inline std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

inline store_settings usual_settings(const std::string& database) {
  return {.database = database,
          .retention_us = 30 * day_us,
          .dead_letter_us = day_us,
          .mailbox_limit = 100'000,
          .topic_prefix = "",
          .version = "test"};
}

class running_store {
 public:
  explicit running_store(store_settings settings) : store_(std::move(settings), [this] { wake(); }) {
    store_.start();
  }

  store_thread& thread() { return store_; }

  // The next event of this kind; others before it are kept for later.
  template <typename Event>
  Event next(std::chrono::milliseconds deadline = support::patience) {
    const auto end = std::chrono::steady_clock::now() + deadline;
    for (;;) {
      for (auto each = events_.begin(); each != events_.end(); ++each) {
        if (!std::holds_alternative<Event>(*each)) continue;
        Event found = std::get<Event>(std::move(*each));
        events_.erase(each);
        return found;
      }
      std::unique_lock lock(mutex_);
      if (!changed_.wait_until(lock, end, [this] { return is_woken_; })) {
        throw support::failure("the store did not say what was waited for");
      }
      is_woken_ = false;
      lock.unlock();
      for (store_event& each : store_.take_results()) events_.push_back(std::move(each));
    }
  }

  template <typename Event>
  bool has() {
    for (store_event& each : store_.take_results()) events_.push_back(std::move(each));
    for (const store_event& each : events_) {
      if (std::holds_alternative<Event>(each)) return true;
    }
    return false;
  }

  batch_result write(store_batch batch) {
    store_.write(std::move(batch));
    return next<batch_stored>().result;
  }

  page read(const std::string& account, message_number after = 0, std::uint32_t limit = 100,
            std::uint64_t limit_bytes = 4 << 20, std::vector<message_key> resolve = {}) {
    store_.read({++token_, account, after, limit, limit_bytes, std::move(resolve)});
    page got = next<page_ready>().read;
    if (got.token != token_) throw support::failure("a page came with another's token");
    return got;
  }

 private:
  void wake() {
    const std::lock_guard lock(mutex_);
    is_woken_ = true;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_woken_ = false;
  std::deque<store_event> events_;
  std::uint64_t token_ = 0;
  store_thread store_;
};

// anna, bert, carl and dora, all in the group `crew`; and `gone`, who is blocked by the operator.
inline void furnish(const support::database& with) {
  support::query(with.owner, R"(
    insert into restante.account (name) values ('anna'), ('bert'), ('carl'), ('dora'), ('gone');
    update restante.account set status = 'blocked' where name = 'gone';
    insert into restante.account_group (name) values ('crew');
    insert into restante.member (group_id, account_id)
      select g.id, a.id from restante.account_group g, restante.account a where a.name <> 'gone')");
}

// Numbers grow through a whole test.
inline message_number next_number() {
  static message_number last = 0;
  last = std::max(last + 1, now_us());
  return last;
}

inline envelope made(const std::string& topic, const std::string& sender, const std::string& id,
                     std::vector<std::string> recipients, const std::string& payload, message_number number) {
  auto what = std::make_shared<message>();
  what->number = number;
  what->topic = topic;
  what->payload = payload;
  what->key = {sender, id};
  return {std::move(what), std::move(recipients), {}, 0};
}

inline envelope direct(const std::string& to, const std::string& from, const std::string& id,
                       const std::string& payload = "hello", message_number number = next_number()) {
  return made("direct/" + to + "/" + from + "/" + id, from, id, {to}, payload, number);
}

inline envelope to_group(const std::string& group, const std::string& from, const std::string& id,
                         std::vector<std::string> recipients, message_number number = next_number()) {
  envelope sent =
      made("group/" + group + "/" + from + "/" + id, from, id, std::move(recipients), "hello all", number);
  sent.group = group;
  return sent;
}

inline envelope receipt(const std::string& from, const std::string& by, const std::string& id,
                        const std::string& state) {
  return made("receipt/" + from + "/" + by + "/" + id, by, id, {from}, state, next_number());
}

inline store_batch batch_of(std::vector<envelope> messages) {
  store_batch batch;
  for (const envelope& each : messages)
    batch.stored_through = std::max(batch.stored_through, each.what->number);
  batch.messages = std::move(messages);
  return batch;
}

inline std::vector<std::string> ids(const page& of) {
  std::vector<std::string> all;
  for (const shared_message& each : of.rows) all.push_back(each->key.id);
  return all;
}

// A database of its own for each test, with the rights that the plugin has.
class store_fixture : public testing::Test {
 protected:
  store_fixture() : database_(support::shared_postgres().create_database(support::migrated())) {
    furnish(database_);
  }

  std::string sql(const std::string& text) { return support::query(database_.owner, text); }

  std::string dead_letters() {
    return sql(
        "select recipient, reason, receipt_at is not null from restante.dead_letter order by number, id");
  }

  support::database database_;
};

}  // namespace restante
