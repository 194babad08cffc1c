// Keeps one target equal with the store: claims what is due, asks the target for each account's next step,
// sends requests as the service's limits allow, and settles what came of them.
//
// Sans I/O: the composer calls step() when told to, answered() when an answer is there, wake() when something
// may be due. Nothing here waits but for the store (ports.h).
//
// Bounds: at most `held` accounts are held at a time, each in one place: waiting, in a request, in a task, or
// with its outcome not yet settled. A held account is never claimed again, so there is at most one request
// under way for it; none is sent that could outlive its lease. Dropping an engine at any moment loses
// nothing: the leases end, and others do its work.
//
// Threads: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "bridge/core/pacer.h"
#include "bridge/core/ports.h"
#include "bridge/core/target.h"
#include "bridge/core/target_health.h"

namespace restante {

struct sync_settings {
  std::size_t concurrent = 4;  // requests under way
  std::size_t held = 2'000;    // accounts; at least a batch
  std::chrono::milliseconds request_timeout{30'000};
  std::chrono::milliseconds lease{120'000};  // the store's; more than twice request_timeout
  int attempts = 10;                         // of an account's own failures, then it is parked
  std::chrono::milliseconds own_shortest{5'000}, own_longest{3'600'000};  // between them
  std::chrono::milliseconds credentials_pause{60'000};
  std::chrono::milliseconds look{5'000};  // for work at least so often, although nobody called wake()
  std::chrono::milliseconds task_poll{1'000}, task_longest{60'000};
};

class sync_engine {
 public:
  // All are to outlive the engine.
  sync_engine(sync_settings settings, target& service, sync_store& store, transport& out,
              const bridge_clock& clock, randomness& chance, bridge_log& log, sync_observer& observer);

  // Does what can be done now. Returns the steady time (microseconds) at which to call it again; before that
  // only after answered(), wake() or stop(). Not later than in `look`.
  std::int64_t step();
  void answered(std::uint64_t number, const http_response& response);
  void wake() noexcept { next_claim_us_ = 0; }

  // No more requests. What is not under way is given back at the next step(); the engine is idle when the
  // rest has been answered and settled.
  void stop() noexcept { stopping_ = true; }
  // Waits for no answer any more: what is under way is given back as in doubt at the next step(). Later
  // answers change nothing.
  void abandon();
  bool is_idle() const noexcept { return flights_.empty() && held_.empty(); }

  std::size_t accounts_held() const noexcept { return held_.size(); }
  std::size_t under_way() const noexcept { return flights_.size(); }

 private:
  // Accounts that go together into one request.
  struct unit {
    std::size_t operation = 0;
    std::vector<sync_item> items;
    std::string task;                         // started, and asked for
    std::int64_t due_us = 0, give_up_us = 0;  // of a task
    int troubles = 0;                         // answers that said that the service does not work
    std::int64_t trouble_us = 0;
  };
  struct flight {
    unit what;
    std::int64_t sent_us = 0;
  };
  struct holding {
    std::int64_t lease_end_us = 0;
    int steps = 0;
  };

  // Sending: sync_engine.cpp
  void settle(std::int64_t now_us);
  void give_back_lapsing(std::int64_t now_us);
  void give_back_crowded(std::int64_t now_us);
  void give_back_waiting();
  void send_all(std::int64_t now_us);
  std::optional<unit> next_unit(std::int64_t now_us);
  std::optional<unit> take_piece(std::int64_t now_us, bool untroubled_only);
  std::optional<unit> full_or_any(std::int64_t now_us, bool full_only);
  unit take_batch(std::size_t operation);
  bool claim(std::int64_t now_us);
  bool may_claim(std::int64_t now_us) const;
  void send(unit what, std::int64_t now_us);
  std::int64_t next_time(std::int64_t now_us) const;
  std::vector<sync_item> take_lapsing(std::vector<sync_item>& items, std::int64_t now_us);
  std::int64_t store_pause_us();
  std::int64_t sendable_until(const sync_item& item) const;
  std::size_t waiting() const;
  std::size_t task_pacer() const { return waiting_.size(); }

  // Answers: sync_engine_answers.cpp
  void went_well(unit what, const sync_answer& said, std::int64_t now_us);
  void started(unit what, const sync_answer& said, std::int64_t now_us);
  void went_wrong(unit what, const sync_answer& said, std::int64_t now_us);
  void one_went_wrong(sync_item item, const sync_answer& said, std::int64_t now_us);
  void divide(unit what, std::optional<std::size_t> culprit);
  void service_is_away(unit what, const sync_answer& said, bool by_status, std::int64_t sent_us,
                       std::int64_t now_us);
  void credentials_refused(unit what, const sync_answer& said, std::int64_t sent_us, std::int64_t now_us);
  void put_back(unit what, std::int64_t now_us, bool first = false);
  void give_back(sync_item item, std::string error = {},
                 std::chrono::milliseconds delay = std::chrono::milliseconds(0));
  void in_doubt(unit& what);
  void plan(sync_item item);
  void finish(sync_item item, sync_result how, std::string error,
              std::chrono::milliseconds delay = std::chrono::milliseconds(0));
  void say(bridge_log_level level, std::string_view event, std::string_view error) const;
  void own_failure(sync_item item, const std::string& error);

  const sync_settings settings_;
  target& target_;
  sync_store& store_;
  transport& out_;
  const bridge_clock& clock_;
  randomness& chance_;
  bridge_log& log_;
  sync_observer& observer_;

  std::vector<std::deque<sync_item>> waiting_;  // by operation, not in a unit yet
  std::deque<unit> pieces_;                     // of refused requests, and what is to be sent again
  std::vector<unit> tasks_;                     // to be asked for
  std::unordered_map<std::uint64_t, flight> flights_;
  std::vector<sync_outcome> outcomes_;
  std::unordered_map<std::int64_t, holding> held_;  // by account_id

  std::vector<pacer> pacers_;  // by operation; the last is of tasks
  service_clock service_clock_;
  target_health health_;
  std::uint64_t last_number_ = 0;
  std::int64_t next_claim_us_ = 0;
  std::int64_t next_settle_us_ = 0;
  std::int64_t next_lapse_us_ = 0;
  int store_failures_ = 0;
  bool renewed_ = false;  // the credentials, since it last went well
  std::int64_t renewed_us_ = -1;
  int forbidden_in_a_row_ = 0;
  bool ever_went_well_ = false;
  bool stopping_ = false;
};

}  // namespace restante
