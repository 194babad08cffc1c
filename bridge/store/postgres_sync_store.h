// The sync_store of one target (core/ports.h) in PostgreSQL, by the functions of
// schemas/postgres/0004_bridge.sql.
//
// The first claim makes the target known, with a row for each account: seconds for a million accounts.
// Threads: the engine's, but for interrupt() and is_reachable().
#pragma once

#include <chrono>
#include <string>

#include "bridge/core/ports.h"
#include "bridge/store/database_link.h"

namespace restante {

class postgres_sync_store : public sync_store {
 public:
  struct settings {
    std::string database;  // libpq's conninfo or URI
    std::string target;    // its name
    std::string claimer;   // this process: no other may have the same, not even a former one
    std::chrono::milliseconds lease{120'000};
    bool adds_target = true;  // false: a second connection, beside one that does
  };
  // `log` outlives the store.
  postgres_sync_store(settings how, bridge_log& log);

  std::optional<std::vector<sync_job>> claim(std::size_t limit) override;
  bool settle(std::span<const sync_outcome> outcomes) override;
  std::optional<std::chrono::milliseconds> next_due() override;

  void interrupt() { link_.interrupt(); }
  bool is_reachable() const noexcept { return link_.is_reachable(); }

 private:
  bool add_target(connection& on);

  const settings settings_;
  database_link link_;
  bool is_complete_;  // no account lacks a row, nor will
  std::chrono::steady_clock::time_point look_at_{};
};

}  // namespace restante
