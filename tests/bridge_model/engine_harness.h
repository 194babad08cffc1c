// An engine between a database in memory, a target whose answers the test writes down, and a clock moved by
// hand.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bridge/core/sync_engine.h"
#include "fake_database.h"
#include "hand_clock.h"

namespace restante::bridge_model {

// Accounts are put, stopped (a blocked account) or dropped (a deleted one). The test answers each request in
// one word of answer_kind, and may name a culprit and a task.
class told_target final : public target {
 public:
  std::array<target_operation, 4> all = {target_operation{"put", 100}, target_operation{"stop", 10},
                                         target_operation{"start", 10}, target_operation{"drop", 10}};
  std::span<const target_operation> operations() const override { return all; }

  sync_step next_step(const sync_job& job) const override {
    using kind = sync_step::kind;
    const bool is_nowhere =
        job.remote == remote_state::absent || (job.remote == remote_state::unknown && !job.in_doubt);
    const std::string content = job.account + "=" + job.wanted.name.value_or("");
    if (job.wanted.name == "unspeakable")
      return {.what = kind::refuse, .why = "no service would take that name"};
    if (job.status != account_status::active) {
      const bool drop = job.status == account_status::deleted;
      const auto end = drop ? remote_state::deleted : remote_state::deactivated;
      if (is_nowhere || job.remote == end) return {};
      return {kind::request, drop ? 3U : 1U, job.account, end, drop ? "dropped" : "stopped", {}};
    }
    if (job.remote == remote_state::deleted) return {.what = kind::gone, .why = "deleted there"};
    if (job.remote == remote_state::deactivated)
      return {kind::request, 2, job.account, remote_state::active, {}, {}};
    if (job.synced_hash == content) return {};
    return {kind::request, 0, content, remote_state::active, content, {}};
  }
  http_request request(std::size_t operation, std::span<const sync_item> items) const override {
    http_request made;
    made.method = std::string(all.at(operation).name);
    for (const auto& each : items) made.body += (made.body.empty() ? "" : ",") + each.step.content;
    return made;
  }
  http_request task_request(std::string_view task) const override {
    http_request made;
    made.method = "task";
    made.body = task;
    return made;
  }
  sync_answer judge(std::size_t, std::span<const sync_item>, const http_response& response,
                    bool) const override {
    if (response.failure != http_failure::none) return {answer_kind::unavailable, response.error};
    return next_answer;
  }
  void renew_credentials() override { ++renewals; }
  std::string_view credentials_remedy() const override { return "set the right key"; }

  sync_answer next_answer;
  int renewals = 0;
};

class kept_transport final : public transport {
 public:
  struct sent {
    std::uint64_t number = 0;
    http_request request;
    std::int64_t at_us = 0;
  };
  explicit kept_transport(const hand_clock& clock) : clock_(clock) {}
  void send(std::uint64_t number, http_request request) override {
    open.push_back({number, std::move(request), clock_.steady_us()});
    ++count;
  }
  std::deque<sent> open;
  std::size_t count = 0;

 private:
  const hand_clock& clock_;
};

class engine_harness : public testing::Test {
 protected:
  void start(sync_settings settings = {}) {
    door = std::make_unique<store_door>(database, 1, std::chrono::microseconds(settings.lease).count());
    engine = std::make_unique<sync_engine>(settings, service, *door, out, clock, chance, log, observer);
    next_us = clock.steady;
  }
  std::int64_t add(const std::string& name, const std::string& shown = "shown") {
    return database.add(name, {.name = shown});
  }
  void add_many(int count) {
    for (int i = 0; i < count; ++i) add("a" + std::to_string(i));
  }
  void change(std::int64_t id, const std::string& shown) { database.change(id, {.name = shown}); }

  void step() {
    for (int i = 0; i < 100; ++i) {
      next_us = engine->step();
      if (next_us > clock.steady) return;
    }
    FAIL() << "step() has always more to do";
  }
  // Moves on as the engine asked to, until a request is out or `longest` has passed.
  bool wait_for_request(std::chrono::milliseconds longest = std::chrono::minutes(10)) {
    const std::int64_t end_us = clock.steady + std::chrono::microseconds(longest).count();
    for (step(); out.open.empty(); step()) {
      if (next_us > end_us) {
        clock.steady = end_us;
        step();
        return !out.open.empty();
      }
      clock.steady = next_us;
    }
    return true;
  }
  // The oldest request that is not answered; waits for it.
  std::string request() {
    if (!wait_for_request()) return "none";
    return out.open.front().request.method + " " + out.open.front().request.body;
  }
  void answer(sync_answer said, http_headers headers = {}) {
    if (!wait_for_request()) FAIL() << "there is no request";
    const auto number = out.open.front().number;
    out.open.pop_front();
    service.next_answer = std::move(said);
    engine->answered(number, {.status = 200, .headers = std::move(headers)});
    step();
  }
  void answer(answer_kind what) {
    answer(sync_answer{what, what == answer_kind::done ? "" : "the service says so"});
  }
  void lose(http_failure how) {
    if (!wait_for_request()) FAIL() << "there is no request";
    const auto number = out.open.front().number;
    out.open.pop_front();
    engine->answered(number, {.failure = how, .error = "nobody is there"});
    step();
  }
  void pass(std::chrono::milliseconds time) {
    clock.steady += std::chrono::microseconds(time).count();
    step();
  }

  hand_clock clock;
  fake_database database{clock};
  told_target service;
  kept_transport out{clock};
  seeded_chance chance{1};
  kept_log log;
  counting_observer observer;
  std::unique_ptr<store_door> door;
  std::unique_ptr<sync_engine> engine;
  std::int64_t next_us = 0;
};

}  // namespace restante::bridge_model
