// The kinds of load. Each runs from the first login to the last message, and returns the report as a JSON
// object. All throw std::runtime_error when the broker does not let them begin.
#pragma once

#include <nlohmann/json.hpp>

#include "settings.h"

namespace restante::bench {

// `senders` accounts in a ring: each sends to the next, which acknowledges. Ends when all that was sent is
// delivered and acknowledged. With a rate, the ring measures latency.
nlohmann::json run_ring(const settings& how);

// `recipients` accounts subscribe and leave; then `senders` others send to them, to each the same number or
// as much as there is time for. Ends at the last PUBACK; the interval is all of the sending.
nlohmann::json run_offline(const settings& how);

// The same recipients come back, `connect_parallel` at a time, and take `per_recipient` messages each. The
// interval ends when the last is acknowledged. With 0 messages it is the time that the logins take.
nlohmann::json run_drain(const settings& how);

// One member of a group sends to the `recipients` others.
nlohmann::json run_group(const settings& how);

}  // namespace restante::bench
