// A secret that stands in a file of its own.
#pragma once

#include <string>
#include <variant>

#include "bridge/configuration/configuration.h"

namespace restante {

// The first line of a regular file that only we, root and its group can read, and only we and root can
// change; 1 to 1,024 bytes. Else what is wrong with it.
std::variant<std::string, configuration_error> read_secret_file(const std::string& path);

}  // namespace restante
