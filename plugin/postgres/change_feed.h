// What changed in the directory since it was asked last, whoever changed it.
//
// Changes are told apart by transaction snapshots, not by time or number: a transaction that commits late is
// seen when it commits. Nothing is missed over lost connections, but that all are told to have changed when
// that is cheaper or safer than a list: after half an hour without an answer (old changes are swept after an
// hour), on another server than before, and for more than ten thousand changes.
//
// Threads: that of the connection.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "postgres/connection.h"
#include "postgres/directory_events.h"

namespace restante {

class change_feed {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  // The first call only remembers from where on changes are wanted. Nothing: nothing changed.
  result<std::optional<directory_changed>> poll(connection& on, time_point now);

 private:
  std::optional<std::string> seen_;  // the snapshot of the last answer
  std::string server_;               // the timeline that it is of
  time_point seen_at_{};
};

}  // namespace restante
