#include "output.h"

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <vector>

namespace restante {
namespace {

// How many bytes the well-formed UTF-8 character at the front takes; 0: none. Overlong forms, surrogates and
// what lies beyond Unicode are not well-formed.
std::size_t character_size(std::string_view text, std::uint32_t& code_point) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const std::size_t size = byte(0) < 0x80   ? 1
                           : byte(0) < 0xc2 ? 0
                           : byte(0) < 0xe0 ? 2
                           : byte(0) < 0xf0 ? 3
                                            : 4;
  if (size == 0 || byte(0) > 0xf4 || text.size() < size) return 0;
  code_point = size == 1 ? byte(0) : byte(0) & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code_point = code_point << 6 | (byte(i) & 0x3fU);
  }
  constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code_point < least[size] || code_point > 0x10ffff) return 0;
  return code_point >= 0xd800 && code_point <= 0xdfff ? 0 : size;
}

// C0 and C1 controls, and the marks that turn the direction of writing.
bool steers_terminal(std::uint32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0) ||
         (code_point >= 0x200e && code_point <= 0x200f) || (code_point >= 0x2028 && code_point <= 0x202e) ||
         (code_point >= 0x2066 && code_point <= 0x2069);
}

std::string cell_text(const json& value) {
  if (value.is_null()) return "-";
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_string()) return printable(value.get_ref<const std::string&>());
  if (!value.is_structured()) return value.dump();
  std::string joined;
  for (const json& each : value) {
    if (!joined.empty()) joined += value.is_array() ? ", " : " ";
    joined += cell_text(each);
  }
  return joined.empty() ? "-" : joined;
}

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string dump(const json& value) { return value.dump(2, ' ', false, json::error_handler_t::replace); }

}  // namespace

std::string printable(std::string_view text) {
  constexpr char digits[] = "0123456789abcdef";
  std::string safe;
  while (!text.empty()) {
    std::uint32_t code_point = 0;
    const std::size_t size = character_size(text, code_point);
    const std::size_t taken = std::max<std::size_t>(size, 1);
    for (const char c : text.substr(0, taken)) {
      if (size != 0 && !steers_terminal(code_point)) {
        safe += c;
      } else {
        safe += "\\x";
        safe += digits[static_cast<unsigned char>(c) >> 4];
        safe += digits[static_cast<unsigned char>(c) & 15];
      }
    }
    text.remove_prefix(taken);
  }
  return safe;
}

void output::list(const json& rows) const {
  if (as_json_) {
    std::cout << dump(rows) << '\n';
    return;
  }
  if (rows.empty()) {
    std::cout << "none\n";
    return;
  }
  std::vector<std::vector<std::string>> lines(1);
  for (const auto& column : rows.front().items()) lines[0].push_back(column.key());
  for (const json& row : rows) {
    std::vector<std::string>& line = lines.emplace_back();
    for (const json& value : row) line.push_back(cell_text(value));
  }
  std::vector<std::size_t> widths(lines[0].size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width(line[i]));
  }
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      std::cout << line[i];
      if (i + 1 < line.size()) std::cout << std::string(widths[i] - width(line[i]) + 2, ' ');
    }
    std::cout << '\n';
  }
}

void output::record(const json& object) const {
  if (as_json_) {
    std::cout << dump(object) << '\n';
    return;
  }
  std::size_t widest = 0;
  for (const auto& each : object.items()) widest = std::max(widest, width(each.key()));
  for (const auto& each : object.items()) {
    std::cout << each.key() << std::string(widest - width(each.key()) + 2, ' ') << cell_text(each.value())
              << '\n';
  }
}

void output::done(std::string_view line, const json& object) const {
  if (as_json_) {
    std::cout << dump(object) << '\n';
  } else {
    std::cout << printable(line) << '\n';
  }
}

void output::remark(std::string_view line) const {
  if (!as_json_) std::cout << printable(line) << '\n';
}

}  // namespace restante
