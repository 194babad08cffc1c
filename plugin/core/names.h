// Names that come from outside, checked once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace restante {

inline constexpr std::size_t longest_name_bytes = 64;

// Accounts and groups: 1 to 64 of A-Z a-z 0-9 . _ @ : = -
bool is_account_name(std::string_view text) noexcept;

// Message ids: 1 to 64 of A-Z a-z 0-9 . _ : -
bool is_message_id(std::string_view text) noexcept;

// The account name or message id that `text` begins with, up to the first byte that none has; empty: none, or
// one that is too long.
std::string_view leading_account_name(std::string_view text) noexcept;
std::string_view leading_message_id(std::string_view text) noexcept;

// Equality, cheap for names as short as most are.
inline bool same_name(std::string_view one, std::string_view other) noexcept {
  if (one.size() != other.size()) return false;
  if (one.size() < 8 || one.size() > 16) return one == other;
  const auto differ = [&](std::size_t at) {
    std::uint64_t left = 0, right = 0;
    std::memcpy(&left, one.data() + at, sizeof left);
    std::memcpy(&right, other.data() + at, sizeof right);
    return left ^ right;
  };
  return (differ(0) | differ(one.size() - 8)) == 0;
}

}  // namespace restante
