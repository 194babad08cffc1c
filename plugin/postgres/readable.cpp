#include "postgres/readable.h"

#include <algorithm>

namespace restante {
namespace {

// How many bytes the well-formed character at the beginning of `text` has (RFC 3629); 0: it is none.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u;
  };
  const auto continues = [&](std::size_t at) { return (byte(at) & 0xc0u) == 0x80; };
  const unsigned first = byte(0), second = byte(1);
  if (first >= 0x20 && first < 0x7f) return 1;
  if (first >= 0xc2 && first < 0xe0) return continues(1) && (first > 0xc2 || second >= 0xa0) ? 2 : 0;
  if (first >= 0xe0 && first < 0xf0) {
    if (!continues(1) || !continues(2)) return 0;
    const bool overlong = first == 0xe0 && second < 0xa0;
    const bool surrogate = first == 0xed && second >= 0xa0;
    return overlong || surrogate ? 0 : 3;
  }
  if (first >= 0xf0 && first < 0xf5) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    const bool overlong = first == 0xf0 && second < 0x90;
    const bool beyond = first == 0xf4 && second >= 0x90;
    return overlong || beyond ? 0 : 4;
  }
  return 0;
}

}  // namespace

std::string readable(std::string_view text) {
  std::string made;
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (length == 0) {
      made += '?';
      text.remove_prefix(1);
    } else {
      made += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return made;
}

}  // namespace restante
