// Writes one batch at a time, as often as it takes, so that it is in the database exactly once.
//
//   give -> attempt -> failed: the connection or the server is at fault; attempt again, on a new connection
//   if need be
//                   -> batch_result
//
// A batch is one transaction, and one round trip unless something must be found by its key first. It carries
// a name of its own, which the transaction leaves in the table `broker`. Should the connection break around
// the commit, the next attempt first looks whether that name stands there. Should PostgreSQL refuse the
// values, the batch is halved until what it refuses stands alone and goes to the dead letters as `refused`,
// so that nothing is tried for ever; what cannot even be that is dropped with a line in the log.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/ports.h"
#include "postgres/account_ids.h"
#include "postgres/batch_statements.h"
#include "postgres/connection.h"
#include "postgres/mailbox_room.h"
#include "postgres/outgoing.h"
#include "postgres/pipeline.h"

namespace restante {

struct batch_settings {
  std::int64_t retention_us = 0;
  std::int64_t mailbox_limit = 0;
};

class batch_writer {
 public:
  using log_function = std::function<void(log_level, std::string)>;

  // `ids`: of the session that attempts are made on; must outlive this.
  batch_writer(batch_settings settings, account_ids& ids, log_function log);

  // Only when idle.
  void give(store_batch batch);
  bool is_idle() const noexcept { return !batch_; }
  // Before the first attempt on a new connection.
  void begin_session();
  // Only when not idle; idle again once it returns a result. `clock_offset_us`: the server's clock less ours.
  result<batch_result> attempt(connection& to, std::int64_t clock_offset_us);
  // Dead letters that the batch of the last result settled.
  const std::vector<std::int64_t>& settled() const noexcept { return settled_; }

 private:
  using outgoing_span = std::span<const outgoing>;

  result<void> make_ready(connection& to, std::int64_t clock_offset_us);
  result<void> look_up(connection& to);
  result<batch_result> write(connection& to, outgoing_span messages);
  result<bool> mend(connection& to, const database_error& why);
  result<batch_result> write_piecemeal(connection& to);
  result<void> store_or_refuse(connection& to, outgoing_span messages);
  result<void> refuse(connection& to, const outgoing& message, const database_error& why);
  result<batch_result> remove(pipeline& from);
  struct wanted_keys;
  wanted_keys keys_wanted();
  void take_found(const wanted_keys& wanted, const std::vector<found_delivery>& found, batch_result& answer,
                  std::set<delivery_place>& gone) const;
  batch_result finish(batch_result result);

  const batch_settings settings_;
  const log_function log_;
  mailbox_room room_;
  account_ids& ids_;
  std::set<std::int64_t> days_;  // with partitions
  bool has_days_ = false;

  std::optional<store_batch> batch_;
  std::int64_t name_;  // of the present batch, or the last
  std::optional<std::vector<outgoing>> ready_;
  attempt_kind kind_ = attempt_kind::first;
  bool days_made_ = false;    // for the present batch
  bool days_listed_ = false;  // in this attempt
  bool piecemeal_ = false;    // something in it is refused
  std::vector<std::int64_t> settled_;

  // A commit was not answered; what it would have returned.
  std::optional<batch_result> in_doubt_;
};

// Whether an error means that the values are at fault, and not the server or the way to it.
bool is_refusal(const database_error& error);

}  // namespace restante
