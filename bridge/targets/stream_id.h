// Account names in the alphabet of Stream's user ids, and back: ids are A-Z a-z 0-9 _ - @ only, and can never
// be changed or used again, so that two names must never meet in one.
//
//   @ → @@    . → @d    : → @c    = → @e    all else as it is
//
// Names without these four, and UUIDs, stay as they are.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace restante {

inline constexpr std::size_t longest_stream_id_bytes = 255;

// `account` is a valid name. At most twice as long.
std::string stream_id(std::string_view account);

// The account whose id it is; none for what is the id of no account.
std::optional<std::string> account_of_stream_id(std::string_view id);

}  // namespace restante
