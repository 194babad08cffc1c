// One account's work for one target: what is wanted, what the service has, and how it went.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "bridge/core/profile.h"

namespace restante {

// What the service is known to have of the account.
enum class remote_state {
  unknown,  // as far as we know never sent there
  active,
  deactivated,
  deleted,
  absent,  // asked for, and not there; within the engine only, never given to the store
};

// As claimed from the store.
struct sync_job {
  std::int64_t account_id = 0;
  std::string account;  // its name
  account_status status = account_status::active;
  profile wanted;
  std::int64_t version = 0;  // of `wanted`
  remote_state remote = remote_state::unknown;
  // The last claim was never given back: its bridge died, perhaps with a request under way. The service may
  // have what it was sent or not.
  bool in_doubt = false;
  std::string synced_hash;  // of what the service has for certain; empty: nothing, or in doubt
  int attempts = 0;         // failures of this account's own since its profile last changed
};

enum class sync_result {
  synced,    // the service has `version`
  again,     // this account's own failure: attempts grow by one, and not before `delay` has passed
  released,  // nothing was tried, or not this account's fault: after `delay`, attempts as they were
  parked,    // not before its profile changes, or an operator says so
  gone,      // never again: the service has deleted this id, and will not take it any more
};

// As the database and the metrics call it.
constexpr std::string_view to_text(sync_result how) noexcept {
  switch (how) {
    case sync_result::synced:
      return "synced";
    case sync_result::again:
      return "again";
    case sync_result::released:
      return "released";
    case sync_result::parked:
      return "parked";
    case sync_result::gone:
      return "gone";
  }
  return "released";
}

struct sync_outcome {
  std::int64_t account_id = 0;
  std::int64_t version = 0;  // what was tried. A newer one meanwhile: due again at once, unless gone
  sync_result how = sync_result::released;
  remote_state remote = remote_state::unknown;  // as known now, whatever became of the job
  // Of what the service has for certain, whatever became of the job; empty: in doubt, since nobody knows
  // whether a request was taken. Replaces the stored one.
  std::string hash = {};
  std::string error = {};  // one line, fit for an operator; empty when synced
  std::chrono::milliseconds delay{0};
};

}  // namespace restante
