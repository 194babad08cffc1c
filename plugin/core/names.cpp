#include "core/names.h"

#include <algorithm>
#include <array>

namespace restante {
namespace {

using alphabet = std::array<bool, 256>;

// Not <cctype>: that asks the locale.
constexpr alphabet letters_digits_and(std::string_view others) {
  alphabet made{};
  for (unsigned char c = 'a'; c <= 'z'; ++c) made[c] = true;
  for (unsigned char c = 'A'; c <= 'Z'; ++c) made[c] = true;
  for (unsigned char c = '0'; c <= '9'; ++c) made[c] = true;
  for (const char c : others) made[static_cast<unsigned char>(c)] = true;
  return made;
}

constexpr alphabet of_accounts = letters_digits_and("._@:=-"), of_ids = letters_digits_and("._:-");

std::string_view leading(std::string_view text, const alphabet& known) noexcept {
  const std::size_t most = std::min(text.size(), longest_name_bytes + 1);
  std::size_t bytes = 0;
  while (bytes < most && known[static_cast<unsigned char>(text[bytes])]) ++bytes;
  return bytes > longest_name_bytes ? std::string_view() : text.substr(0, bytes);
}

bool is_made_of(std::string_view text, const alphabet& known) noexcept {
  return !text.empty() && leading(text, known).size() == text.size();
}

}  // namespace

bool is_account_name(std::string_view text) noexcept { return is_made_of(text, of_accounts); }

bool is_message_id(std::string_view text) noexcept { return is_made_of(text, of_ids); }

std::string_view leading_account_name(std::string_view text) noexcept { return leading(text, of_accounts); }

std::string_view leading_message_id(std::string_view text) noexcept { return leading(text, of_ids); }

}  // namespace restante
