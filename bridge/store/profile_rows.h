// Values of the bridge's core to and from rows.
#pragma once

#include <string>
#include <string_view>

#include "bridge/core/sync_job.h"
#include "postgres/rows.h"

namespace restante {

// A row of restante.claim_profiles, columns in its order.
sync_job read_job(const row& from);

account_status read_status(std::string_view text);
std::string_view to_text(remote_state state);

// `text`, which may be anything that a service answered, as PostgreSQL takes it: valid UTF-8 without NUL, one
// line of at most 1,000 bytes.
std::string storable(std::string_view text);

}  // namespace restante
