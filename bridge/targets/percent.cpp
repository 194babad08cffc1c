#include "bridge/targets/percent.h"

namespace restante {

std::string percent_encode(std::string_view text) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char each : text) {
    const bool stays = (each >= 'A' && each <= 'Z') || (each >= 'a' && each <= 'z') ||
                       (each >= '0' && each <= '9') || each == '-' || each == '.' || each == '_' ||
                       each == '~';
    if (stays) {
      encoded += each;
    } else {
      const auto byte = static_cast<unsigned char>(each);
      encoded += '%';
      encoded += digits[byte >> 4];
      encoded += digits[byte & 15];
    }
  }
  return encoded;
}

}  // namespace restante
