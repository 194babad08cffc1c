// SHA-256, for recognising a text again.
#pragma once

#include <string>
#include <string_view>

namespace restante {

// 64 lower-case hexadecimal digits. Throws std::runtime_error when there is no memory.
std::string sha256_hex(std::string_view text);

}  // namespace restante
