// Input: a password's hash, or any field of one.
#include "crypto/hash_text.h"

#include <cstdlib>
#include <string>

#include "check.h"

namespace {

using namespace restante;
using namespace restante::fuzz;

void check_fields(std::string_view text) {
  std::string_view rest = text;
  std::string again;
  for (const auto part : split(text, '$')) check(take_field(rest, '$') == part, "fields are what is between");
  check(rest.empty() && take_field(rest, '$').empty(), "behind the last field there is nothing");
}

void check_decimal(std::string_view text) {
  bool decimal = !text.empty() && text.size() <= 9 && (text == "0" || text[0] != '0');
  for (const char c : text) decimal = decimal && c >= '0' && c <= '9';
  const unsigned long value = decimal ? std::strtoul(std::string(text).c_str(), nullptr, 10) : 0;
  for (const std::uint32_t most : {0U, 9U, 1'000'000U, 999'999'999U}) {
    const auto read = read_decimal(text, most);
    check(read.has_value() == (decimal && value <= most), "decimal digits up to the bound are taken");
    check(!read || *read == value, "digits mean what they say");
  }
}

void check_base64(std::string_view text) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto decoded = decode_base64(text);
  std::string_view digits = text.substr(0, text.find('='));
  const std::string_view padding = text.substr(digits.size());
  const bool well_formed = text.size() <= 1024 &&
                           digits.find_first_not_of(alphabet) == std::string_view::npos &&
                           digits.size() % 4 != 1 &&
                           (padding.empty() || (text.size() % 4 == 0 && (padding == "=" || padding == "==")));
  check(decoded.has_value() == well_formed, "base64 is taken, and nothing else");
  if (!decoded) return;
  check(decoded->size() == digits.size() * 6 / 8, "six bits a digit");
  for (std::size_t bit = 0; bit < decoded->size() * 8; ++bit) {
    const auto digit = alphabet.find(digits[bit / 6]);
    const bool wanted = (digit >> (5 - bit % 6) & 1) != 0;
    const bool found = (static_cast<unsigned char>((*decoded)[bit / 8]) >> (7 - bit % 8) & 1) != 0;
    check(wanted == found, "each bit is where it belongs");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = text_of(data, size);
  check_fields(text);
  for (const auto field : split(text, '$')) {
    check_decimal(field);
    check_base64(field);
  }
  return 0;
}
