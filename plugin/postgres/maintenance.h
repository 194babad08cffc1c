// What the store does between batches and pages, a bounded piece at a time: expiring, telling senders,
// withdrawing, sweeping, partitions.
//
//   each second   expired deliveries go to the dead letters, a few hundred at most, and more often while
//                 there are more, in a tenth of the time; then senders hear `expired` of a hundred dead
//                 letters at most, and of no more before those are settled or half a minute has passed. Both
//                 in one task, so that no sender can tell by the time why a message was not delivered
//                 What was stored behind the back of those who left is withdrawn (late_withdrawal.h), and in
//                 a quarter of the time while there is more to look at
//   each minute   bodies that nobody waits for and old dead letters are swept, a thousand looked at
//                 each time; the pauses between two sweeps grow with what they take, so that they
//                 take a twentieth of the time. More often where dead letters are kept for less
//   each hour     partitions are made and detached; a minute later when that failed
//
// Threads: one.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <span>

#include "postgres/connection.h"
#include "postgres/late_withdrawal.h"
#include "postgres/store_events.h"
#include "postgres/store_settings.h"

namespace restante {

class maintenance {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  using post_function = std::function<void(store_event)>;

  maintenance(const store_settings& settings, post_function post);

  // A new connection; `is_rolled`: partitions were made and detached just now.
  void begin(time_point now, bool is_rolled);
  time_point next_due() const;
  // The task that is due the longest, if any is. On an error it is due again later.
  result<void> run_due(connection& on, time_point now);

  // A batch that settles these dead letters was committed.
  void settled(std::span<const std::int64_t> dead_letters, time_point now);

 private:
  struct task {
    time_point due;
    result<void> (maintenance::*run)(connection&, task&, time_point);
  };
  result<void> expire(connection& on, task& self, time_point now);
  result<void> tell_senders(connection& on, task& self, time_point now);
  result<void> withdraw(connection& on, task& self, time_point now);
  result<void> sweep(connection& on, task& self, time_point now);
  result<void> roll(connection& on, task& self, time_point now);

  const store_settings& settings_;
  const post_function post_;
  task expire_, withdraw_, sweep_, roll_;
  late_withdrawal late_;

  std::set<std::int64_t> offered_;  // dead letters that are not settled yet
  time_point offered_at_;
  std::int64_t swept_through_ = 0;                  // 0: between two sweeps
  std::chrono::steady_clock::duration sweeping_{};  // what the present sweep has taken
};

}  // namespace restante
