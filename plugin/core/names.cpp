#include "core/names.h"

#include <algorithm>

namespace restante {
namespace {

// Not <cctype>: that asks the locale.
constexpr bool is_letter_or_digit(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_made_of(std::string_view text, std::string_view other_characters) noexcept {
  if (text.empty() || text.size() > longest_name_bytes) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_letter_or_digit(c) || other_characters.find(c) != std::string_view::npos;
  });
}

}  // namespace

bool is_account_name(std::string_view text) noexcept { return is_made_of(text, "._@:=-"); }

bool is_message_id(std::string_view text) noexcept { return is_made_of(text, "._:-"); }

}  // namespace restante
