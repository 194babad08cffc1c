// A connection on which this broker is alone with the database, and has found it in order.
// Threads: one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/ports.h"
#include "postgres/connection.h"
#include "postgres/interruption.h"
#include "postgres/store_events.h"
#include "postgres/store_settings.h"

namespace restante {

// Why there is no session: one line, and whether another broker is the reason.
struct session_failure {
  std::string why;
  bool is_taken = false;
};

class store_session {
 public:
  // `breaks` ends its waits.
  store_session(const store_settings& settings, const interruption& breaks)
      : settings_(settings), breaks_(breaks) {}

  // Connects, takes the broker's lock, makes partitions, reads the mark and the clock. Keeps the connection
  // when only the lock is missing, so that asking again is cheap. Waits for two seconds at most for each
  // host, and for statements until their limit.
  result<store_ready, session_failure> open();
  void close();

  bool is_open() const noexcept { return is_ready_; }
  bool is_rolled() const noexcept {
    return is_rolled_;
  }                                            // partitions were made and detached when it was opened
  connection& wire() { return *connection_; }  // only when open
  std::int64_t clock_offset_us() const noexcept { return clock_offset_us_; }

 private:
  result<bool> take_lock();
  result<store_ready> look_around();

  const store_settings& settings_;
  const interruption& breaks_;
  std::optional<connection> connection_;
  bool is_ready_ = false;
  bool is_rolled_ = false;
  std::int64_t clock_offset_us_ = 0;
};

std::int64_t wall_clock_us();

// Makes the partitions of the days ahead, detaches those that are over.
result<void> roll_partitions(connection& of, std::int64_t retention_us);

}  // namespace restante
