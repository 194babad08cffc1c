// What fuzz targets share. A target is one function, LLVMFuzzerTestOneInput: it gets any bytes at all, and
// ends the program where something does not hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace restante::fuzz {

// `sentence` says what holds.
inline void check(bool holds, const char* sentence) {
  if (holds) return;
  std::fprintf(stderr, "Does not hold: %s\n", sentence);
  std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// The parts between separators: always at least one, which may be empty.
inline std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t from = 0;;) {
    const std::size_t end = text.find(separator, from);
    parts.push_back(text.substr(from, end - from));
    if (end == std::string_view::npos) return parts;
    from = end + 1;
  }
}

// Names by the letter of their definition.
inline bool has_only(std::string_view text, std::string_view others) {
  for (const char c : text) {
    const bool alphanumeric = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!alphanumeric && others.find(c) == std::string_view::npos) return false;
  }
  return !text.empty() && text.size() <= 64;
}
inline bool is_account(std::string_view text) { return has_only(text, "._@:=-"); }
inline bool is_id(std::string_view text) { return has_only(text, "._:-"); }

}  // namespace restante::fuzz
