// HMAC-SHA-256: who does not know the key can neither make nor alter what carries it.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace restante {

using sha256_mac = std::array<unsigned char, 32>;

// Any bytes, any key. Throws std::runtime_error when there is no memory.
sha256_mac hmac_sha256(std::string_view key, std::string_view text);

// In a time that depends on the sizes alone, so that nobody learns a right answer byte by byte.
bool equal_in_constant_time(std::string_view one, std::string_view other);

}  // namespace restante
