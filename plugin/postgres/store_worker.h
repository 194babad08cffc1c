// What runs on the store's thread.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "postgres/account_ids.h"
#include "postgres/backoff.h"
#include "postgres/batch_writer.h"
#include "postgres/event_queue.h"
#include "postgres/interruption.h"
#include "postgres/maintenance.h"
#include "postgres/store_events.h"
#include "postgres/store_requests.h"
#include "postgres/store_session.h"
#include "postgres/store_settings.h"

namespace restante {

class store_worker {
 public:
  using steady = std::chrono::steady_clock;

  store_worker(store_settings settings, store_requests& requests, event_queue<store_event>& results,
               interruption& breaks);

  // Returns once asked to stop with nothing left to write, or interrupted.
  void run();

 private:
  bool is_over() const;
  steady::time_point next_step() const;
  void step();
  void connect();
  void lose(const std::string& why);
  // What a failed statement calls for; `try_again`: when the same is worth another attempt on this
  // connection.
  void fail(const database_error& why);

  void write_batch();
  void read_pages();
  void read_some(std::span<const page_request> wanted);
  void fail_pages();
  void remember_accounts();
  void write_report();
  void maintain();
  void complain(log_level level, std::string line);

  const store_settings settings_;
  store_requests& requests_;
  event_queue<store_event>& results_;
  interruption& breaks_;

  store_session session_;
  account_ids ids_;  // of that session
  batch_writer writer_;
  maintenance maintenance_;
  backoff reconnect_pause_;
  backoff retry_pause_;
  steady::time_point connect_at_{};
  steady::time_point write_at_{};  // not before, after a conflict
  int conflicts_ = 0;              // of the present batch, without a pause
  std::chrono::milliseconds statement_timeout_;
  std::string lost_because_;  // as said last; empty: connected
  std::string short_of_;      // as said last; empty: of nothing
};

}  // namespace restante
