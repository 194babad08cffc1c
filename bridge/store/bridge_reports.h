// What a bridge tells operators by way of the database, what it asks there for its metrics, and the little
// housekeeping there is.
//
// Threads: one, but for interrupt() and is_reachable().
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "bridge/core/ports.h"
#include "bridge/store/database_link.h"

namespace restante {

struct target_report {
  std::string target;
  bool available = true;
  std::string error;  // one line; empty when available
};

struct bridge_report {
  std::string name, version;
  std::optional<bool> mqtt_connected;  // none: it serves no requests
  std::chrono::milliseconds running{0};
};

struct sync_backlog {
  std::int64_t waiting = 0;           // claimed ones too
  double oldest_waiting_seconds = 0;  // 0: nothing waits
  std::int64_t parked = 0, gone = 0;
};

class bridge_reports {
 public:
  bridge_reports(std::string database, bridge_log& log);

  // Each: false, or no value, when the database cannot be reached just now.
  bool report(const bridge_report& of, std::span<const target_report> targets);
  std::optional<sync_backlog> backlog(const std::string& target);
  // Answers that were remembered for longer than a request may wait; at most 10,000 of them.
  bool prune_answers();

  void interrupt() { link_.interrupt(); }
  bool is_reachable() const noexcept { return link_.is_reachable(); }

 private:
  std::optional<rows> ask(const statement& what, std::initializer_list<parameter> parameters);
  database_link link_;
};

}  // namespace restante
