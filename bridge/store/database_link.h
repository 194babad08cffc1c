// A connection that is opened when it is wanted, given up when it breaks, and tried again after a jittered
// pause that grows to 5 s. What goes wrong is logged once, until it goes well again.
//
// Threads: one, but for interrupt() and is_reachable().
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/core/ports.h"
#include "postgres/backoff.h"
#include "postgres/connection.h"
#include "postgres/interruption.h"

namespace restante {

// One line for the operator, with the remedy where there is one.
std::string describe_for_bridge(const database_error& error);

class database_link {
 public:
  // `what` names the connection in the log and to PostgreSQL. `log` outlives the link.
  database_link(std::string database, std::string what, bridge_log& log,
                std::chrono::milliseconds statement_timeout = std::chrono::seconds(10));

  // Null: the database cannot be reached just now. During the pause between two attempts at once; an attempt
  // takes 2 s for each host that does not answer.
  connection* get();
  // Run on each new connection before it is used.
  void prepare_with(std::function<result<void>(connection&)> prepare) { prepare_ = std::move(prepare); }

  // To be told of each error of a statement: one that more attempts may mend, or the end of the connection.
  void failed(const database_error& why);

  std::chrono::steady_clock::time_point next_attempt() const noexcept { return next_attempt_; }

  // Any thread. Ends the wait under way, and all that would come: get() is null from then on.
  void interrupt() { interruption_.trip(); }
  bool is_interrupted() const noexcept { return interruption_.tripped(); }
  int interruption_descriptor() const noexcept { return interruption_.descriptor(); }  // readable then
  // Any thread. Whether the last attempt to connect, or the last statement, went well.
  bool is_reachable() const noexcept { return reachable_; }

 private:
  void lose(const std::string& why);

  const std::string database_, what_;
  bridge_log& log_;
  const std::chrono::milliseconds statement_timeout_;
  std::function<result<void>(connection&)> prepare_;
  std::optional<connection> connection_;
  backoff pause_{std::chrono::milliseconds(100), std::chrono::seconds(5)};
  std::chrono::steady_clock::time_point next_attempt_{};
  std::string said_;  // what was logged last
  interruption interruption_;
  std::atomic<bool> reachable_ = false;
};

}  // namespace restante
