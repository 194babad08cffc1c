// Names that come from outside, checked once.
#pragma once

#include <cstddef>
#include <string_view>

namespace restante {

inline constexpr std::size_t longest_name_bytes = 64;

// Accounts and groups: 1 to 64 of A-Z a-z 0-9 . _ @ : = -
bool is_account_name(std::string_view text) noexcept;

// Message ids: 1 to 64 of A-Z a-z 0-9 . _ : -
bool is_message_id(std::string_view text) noexcept;

}  // namespace restante
