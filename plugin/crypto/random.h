// Randomness for keys and salts.
#pragma once

#include <cstddef>
#include <string>

namespace restante {

// Bytes that nobody can foretell. Throws std::runtime_error when the system has none to give.
std::string random_bytes(std::size_t count);

}  // namespace restante
