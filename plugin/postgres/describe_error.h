// Failures in words, for the operator's log.
#pragma once

#include <string>

#include "postgres/result.h"

namespace restante {

// One line, with the remedy where there is one.
std::string describe(const database_error& error);

}  // namespace restante
