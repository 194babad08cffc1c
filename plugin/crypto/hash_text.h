// What the textual forms of password hashes have in common: fields between `$`, numbers, base64. Inside this
// folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace restante {

// Takes what stands before the next `separator`, or all that is left, from the front of `text`.
std::string_view take_field(std::string_view& text, char separator);

// Decimal digits only, without leading zeros, at most `most`.
std::optional<std::uint32_t> read_decimal(std::string_view digits, std::uint32_t most);

// Base64 (RFC 4648, section 4), with all of its padding or none of it. None: not base64, or more than 1,024
// characters.
std::optional<std::string> decode_base64(std::string_view text);

// Compares in constant time; the lengths are no secret.
bool same_bytes(std::string_view one, std::string_view other) noexcept;

}  // namespace restante
