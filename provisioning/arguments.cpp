#include "arguments.h"

#include <algorithm>

#include "core/names.h"

namespace restante {

const CLI::Validator& name_argument() {
  static const CLI::Validator check(
      [](std::string& text) -> std::string {
        if (is_account_name(text)) return {};
        return "'" + text + "' is no name: 1 to 64 of A-Z a-z 0-9 . _ @ : = -";
      },
      "", "name");
  return check;
}

CLI::Validator text_up_to(std::size_t characters) {
  return CLI::Validator(
      [characters](std::string& text) -> std::string {
        const auto count = std::ranges::count_if(
            text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
        if (static_cast<std::size_t>(count) <= characters) return {};
        return "at most " + std::to_string(characters) + " characters";
      },
      "", "text");
}

CLI::Validator one_of(std::vector<std::string> words) {
  std::string shown;
  for (const std::string& word : words) shown += (shown.empty() ? "" : "|") + word;
  return CLI::Validator(
      [words = std::move(words), shown](std::string& text) -> std::string {
        if (std::ranges::find(words, text) != words.end()) return {};
        return "'" + text + "' is not one of " + shown;
      },
      shown, "choice");
}

}  // namespace restante
