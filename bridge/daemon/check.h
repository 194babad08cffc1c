// --check: tries each connection, says a line of each, and changes nothing.
#pragma once

#include <iosfwd>
#include <vector>

#include "bridge/configuration/configuration.h"
#include "bridge/daemon/exit_code.h"
#include "bridge/daemon/targets.h"

namespace restante {

bridge_exit check(const configuration& settings, const std::vector<named_target>& targets, std::ostream& to);

}  // namespace restante
