// One client that asks the broker every few milliseconds whether it is there, beside any load.
#pragma once

#include <nlohmann/json.hpp>

#include "settings.h"

namespace restante::bench {

// Pings until SIGTERM or SIGINT, or for `time_ns`, and returns every round trip: [began_ns, took_us,
// starved_us], where the last is the part of it in which the broker's loop or we were ready to run and had no
// processor. It says "ready" in a line on standard output once it is logged in. Throws std::runtime_error
// when the broker goes away.
nlohmann::json run_heartbeat(const settings& how, std::int64_t every_ns);

}  // namespace restante::bench
