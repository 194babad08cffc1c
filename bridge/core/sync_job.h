// One account's work for one target: what is wanted, what the service has, and how it went.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "bridge/core/profile.h"

namespace restante {

// What the service is known to have of the account.
enum class remote_state { unknown, active, deactivated, deleted };

// As claimed from the store.
struct sync_job {
  std::int64_t account_id = 0;
  std::string account;  // its name
  account_status status = account_status::active;
  profile wanted;
  std::int64_t version = 0;  // of `wanted`
  remote_state remote = remote_state::unknown;
  std::string synced_hash;  // of what the service was given last; empty: nothing yet
  int attempts = 0;         // failures of this account's own since its profile last changed
};

enum class sync_result {
  synced,    // the service has `version`
  again,     // this account's own failure: not before `delay` has passed
  released,  // nothing was tried, or not this account's fault: at once, attempts as they were
  parked,    // not before its profile changes, or an operator says so
  gone,      // never again: the service will not take this id any more
};

struct sync_outcome {
  std::int64_t account_id = 0;
  std::int64_t version = 0;  // what was tried. A newer one meanwhile: due again at once, unless gone
  sync_result how = sync_result::released;
  remote_state remote = remote_state::unknown;
  std::string hash;   // synced: of what the service has now
  std::string error;  // one line, fit for an operator; empty when synced
  std::chrono::milliseconds delay{0};
};

}  // namespace restante
