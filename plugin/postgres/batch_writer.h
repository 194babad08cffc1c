// Writes one batch at a time, as often as it takes, so that it is in the database exactly once.
//
//   give -> attempt -> failed: the connection or the server is at fault; attempt again, on a new connection
//   if need be
//                   -> batch_result
//
// A batch is one transaction. Should its connection break around the commit, the next attempt first asks the
// server what became of that transaction. Should PostgreSQL refuse the values, the batch is halved until what
// it refuses stands alone and goes to the dead letters as `refused`, so that nothing is tried for ever; what
// cannot even be that is dropped with a line in the log.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports.h"
#include "postgres/batch_statements.h"
#include "postgres/connection.h"
#include "postgres/mailbox_room.h"
#include "postgres/outgoing.h"

namespace restante {

struct batch_settings {
  std::int64_t retention_us = 0;
  std::int64_t mailbox_limit = 0;
};

class batch_writer {
 public:
  using log_function = std::function<void(log_level, std::string)>;

  batch_writer(batch_settings settings, log_function log);

  // Only when idle.
  void give(store_batch batch);
  bool is_idle() const noexcept { return !batch_; }
  // Only when not idle; idle again once it returns a result. `clock_offset_us`: the server's clock less ours.
  result<batch_result> attempt(connection& to, std::int64_t clock_offset_us);
  // Dead letters that the batch of the last result settled.
  const std::vector<std::int64_t>& settled() const noexcept { return settled_; }

 private:
  using outgoing_span = std::span<const outgoing>;

  result<void> make_ready(connection& to, std::int64_t clock_offset_us);
  result<batch_result> write_at_once(connection& to, outgoing_span messages);
  result<batch_result> write_piecemeal(connection& to);
  result<void> store_or_refuse(connection& to, outgoing_span messages);
  result<void> refuse(connection& to, const outgoing& message, const database_error& why);
  result<bool> make_missing_days(connection& to, const database_error& why);
  result<batch_result> remove(connection& to);
  batch_result finish(batch_result result);

  const batch_settings settings_;
  const log_function log_;
  mailbox_room room_;

  std::optional<store_batch> batch_;
  std::optional<std::vector<outgoing>> ready_;
  bool days_made_ = false;  // for the present batch
  bool piecemeal_ = false;  // something in it is refused
  std::vector<std::int64_t> settled_;

  // A commit that was not answered, and what it would have returned.
  std::optional<std::string> in_doubt_;
  batch_result doubtful_result_;
};

// Whether an error means that the values are at fault, and not the server or the way to it.
bool is_refusal(const database_error& error);

}  // namespace restante
