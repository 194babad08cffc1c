// The store's thread as a benchmark drives it: one batch at a time, any number of pages, and what it costs.
#pragma once

#include <ctime>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "postgres/connection.h"
#include "postgres/store_thread.h"

namespace restante::bench {

[[noreturn]] inline void give_up(const std::string& why) {
  std::cerr << why << "\n";
  std::exit(1);
}

inline std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

inline std::int64_t steady_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Not thread-safe.
class store_driver {
 public:
  explicit store_driver(const std::string& database, std::int64_t retention_days = 30)
      : store_({.database = database,
                .retention_us = retention_days * 86'400'000'000,
                .dead_letter_us = 86'400'000'000,
                .mailbox_limit = 100'000,
                .topic_prefix = "",
                .version = "benchmark"},
               [this] { wake(); }),
        watcher_(connection::open({.database = database}).value()) {
    store_.start();
    wait_for([this] { return is_ready_; });
    const auto found = watcher_.execute(
        "select pid::bigint from pg_stat_activity where application_name = 'restante broker'"
        " and datname = current_database()");
    if (!found || found->size() != 1) give_up("the store's session is not to be seen");
    backend_ = (*found)[0].int64(0);
  }

  void write(store_batch batch) {
    give(std::move(batch));
    wait_for([this] { return stored_ == given_; });
  }
  void give(store_batch batch) {
    ++given_;
    store_.write(std::move(batch));
  }
  bool is_writing() const { return stored_ != given_; }

  void ask(page_request request) {
    ++asked_;
    request.token = asked_;
    store_.read(std::move(request));
  }
  page read(page_request request) {
    ask(std::move(request));
    wait_for([this] { return !pages_.empty(); });
    page got = std::move(pages_.back());
    pages_.pop_back();
    return got;
  }
  std::vector<page> take_pages() { return std::exchange(pages_, {}); }

  // Until something came, or for `longest`.
  void pump(std::chrono::milliseconds longest) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, longest, [this] { return is_woken_; });
      is_woken_ = false;
    }
    for (store_event& each : store_.take_results()) take(std::move(each));
  }
  void wait_for(const std::function<bool()>& met) {
    const std::int64_t until_us = steady_us() + 120'000'000;
    while (!met()) {
      if (steady_us() > until_us) give_up("the store does not answer");
      pump(std::chrono::milliseconds{1'000});
    }
  }

  // Nanoseconds of processor that the store's session has used in PostgreSQL, and this process.
  std::int64_t server_ns() const {
    std::ifstream file("/proc/" + std::to_string(backend_) + "/schedstat");
    std::int64_t used = 0;
    if (!(file >> used)) give_up("the session's schedstat cannot be read");
    return used;
  }
  static std::int64_t client_ns() {
    timespec used{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<std::int64_t>(used.tv_sec) * 1'000'000'000 + used.tv_nsec;
  }

  connection& watcher() { return watcher_; }

 private:
  void wake() {
    const std::lock_guard lock(mutex_);
    is_woken_ = true;
    changed_.notify_all();
  }
  void take(store_event event) {
    if (std::holds_alternative<store_ready>(event)) is_ready_ = true;
    if (std::holds_alternative<batch_stored>(event)) ++stored_;
    if (auto* got = std::get_if<page_ready>(&event)) pages_.push_back(std::move(got->read));
    if (std::holds_alternative<page_unreadable>(event)) give_up("a page could not be read");
    if (const auto* lost = std::get_if<store_lost>(&event)) give_up("the store was lost: " + lost->why);
    if (const auto* line = std::get_if<log_line>(&event)) std::cerr << line->text << "\n";
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_woken_ = false;
  bool is_ready_ = false;
  std::uint64_t given_ = 0, stored_ = 0, asked_ = 0;
  std::vector<page> pages_;
  std::int64_t backend_ = 0;
  store_thread store_;
  connection watcher_;
};

// Accounts are called a0, a1, ... .
inline std::string account(std::int64_t place) { return "a" + std::to_string(place); }

inline message_number next_number() {
  static message_number last = 0;
  last = std::max(last + 1, now_us());
  return last;
}

inline envelope letter(const std::string& topic, const std::string& from, const std::string& id,
                       std::vector<std::string> to, const std::string& payload) {
  auto what = std::make_shared<message>();
  what->number = next_number();
  what->topic = topic;
  what->payload = payload;
  what->key = {from, id};
  return {std::move(what), std::move(to), {}, 0};
}

inline void finish(store_batch& batch) {
  for (const envelope& each : batch.messages)
    batch.stored_through = std::max(batch.stored_through, each.what->number);
}

}  // namespace restante::bench
