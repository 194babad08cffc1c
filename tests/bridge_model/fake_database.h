// What PostgreSQL is to the bridge: profiles with versions, what the service has of each, and claims with
// leases. Several bridges share one; each has its own door, which can be shut.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bridge/core/ports.h"
#include "hand_clock.h"

namespace restante::bridge_model {

struct account_row {
  std::string name;
  account_status status = account_status::active;
  profile wanted;
  std::int64_t version = 1;
  // profile_sync
  std::int64_t synced_version = 0;
  remote_state remote = remote_state::unknown;
  std::string hash;
  int attempts = 0;
  std::optional<std::int64_t> due_us;  // none: nothing to do until the profile changes
  int claimed_by = 0;                  // 0: nobody, or given back
  std::int64_t claimed_version = 0;
  sync_result last = sync_result::released;
  std::string error;
};

class fake_database {
 public:
  explicit fake_database(const hand_clock& clock) : clock_(clock) {}

  std::int64_t add(std::string name, profile wanted);
  // A change of the profile or the status, as the trigger sees it.
  void change(std::int64_t id, profile wanted) { change(id, std::move(wanted), rows_.at(id).status); }
  void change(std::int64_t id, profile wanted, account_status status);

  const std::map<std::int64_t, account_row>& rows() const { return rows_; }
  const account_row& row(std::int64_t id) const { return rows_.at(id); }
  std::size_t due() const { return due_.size(); }

 private:
  friend class store_door;
  void set_due(std::int64_t id, account_row& row, std::optional<std::int64_t> due_us);

  const hand_clock& clock_;
  std::map<std::int64_t, account_row> rows_;
  std::set<std::pair<std::int64_t, std::int64_t>> due_;  // time, id
};

class store_door final : public sync_store {
 public:
  store_door(fake_database& database, int bridge, std::int64_t lease_us)
      : database_(database), bridge_(bridge), lease_us_(lease_us) {}

  std::optional<std::vector<sync_job>> claim(std::size_t limit) override;
  bool settle(std::span<const sync_outcome> outcomes) override;
  std::optional<std::chrono::milliseconds> next_due() override;

  bool is_shut = false;
  bool answers_are_lost = false;  // settle() does it, and says that it could not
  std::size_t claims = 0, settlements = 0;

 private:
  fake_database& database_;
  const int bridge_;
  const std::int64_t lease_us_;
};

}  // namespace restante::bridge_model
