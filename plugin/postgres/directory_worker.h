// What runs on the directory's thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "postgres/backoff.h"
#include "postgres/change_feed.h"
#include "postgres/connection.h"
#include "postgres/directory_events.h"
#include "postgres/directory_requests.h"
#include "postgres/directory_thread.h"
#include "postgres/event_queue.h"
#include "postgres/interruption.h"

namespace restante {

class directory_worker {
 public:
  using steady = std::chrono::steady_clock;

  directory_worker(directory_settings settings, directory_thread::verify_function verify,
                   directory_requests& requests, event_queue<directory_event>& results, interruption& breaks);

  // Returns once interrupted.
  void run();

 private:
  void step();
  steady::time_point next_step() const;
  void connect();
  void lose(const std::string& why);
  // The connection is closed if it is to blame, or if the server is.
  void fail(const database_error& why);

  void answer_lookups();
  lookup_result answer(const lookup& asked);
  result<lookup_result> look_up(const lookup& asked);
  bool verify(const lookup& asked, const std::optional<std::string>& hash) const;
  void watch_changes();
  void load_accounts();
  void load_rosters();
  void load_profiles();

  const directory_settings settings_;
  const directory_thread::verify_function verify_;
  directory_requests& requests_;
  event_queue<directory_event>& results_;
  interruption& breaks_;

  std::optional<connection> connection_;
  change_feed feed_;
  backoff reconnect_pause_;
  steady::time_point connect_at_{};
  steady::time_point poll_at_{};
  std::string lost_because_;  // as said last; empty: connected
};

}  // namespace restante
