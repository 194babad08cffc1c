#include "journal/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace restante {
namespace {

constexpr std::uint32_t polynomial = 0x82F63B78;  // reflected

using table = std::array<std::uint32_t, 256>;

// tables[0] takes one byte; tables[n] one byte with n zeros behind it.
constexpr std::array<table, 8> tables = [] {
  std::array<table, 8> made{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) != 0 ? polynomial : 0);
    made[0][byte] = rest;
  }
  for (std::size_t zeros = 1; zeros < made.size(); ++zeros) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const auto rest = made[zeros - 1][byte];
      made[zeros][byte] = (rest >> 8) ^ made[0][rest & 0xFF];
    }
  }
  return made;
}();

std::uint32_t by_tables(const char* at, std::size_t count, std::uint32_t rest) noexcept {
  const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(at[index]); };
  for (; count >= 8; at += 8, count -= 8) {
    const std::uint32_t low = rest ^ (std::uint32_t{byte(0)} | std::uint32_t{byte(1)} << 8 |
                                      std::uint32_t{byte(2)} << 16 | std::uint32_t{byte(3)} << 24);
    rest = tables[7][low & 0xFF] ^ tables[6][(low >> 8) & 0xFF] ^ tables[5][(low >> 16) & 0xFF] ^
           tables[4][low >> 24] ^ tables[3][byte(4)] ^ tables[2][byte(5)] ^ tables[1][byte(6)] ^
           tables[0][byte(7)];
  }
  for (; count > 0; ++at, --count) rest = (rest >> 8) ^ tables[0][(rest ^ byte(0)) & 0xFF];
  return rest;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t by_instruction(const char* at, std::size_t count,
                                                               std::uint32_t rest) noexcept {
  std::uint64_t wide = rest;
  for (; count >= 8; at += 8, count -= 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, at, sizeof eight);
    wide = _mm_crc32_u64(wide, eight);
  }
  rest = static_cast<std::uint32_t>(wide);
  for (; count > 0; ++at, --count) rest = _mm_crc32_u8(rest, static_cast<unsigned char>(*at));
  return rest;
}
#endif

}  // namespace

std::uint32_t crc32c_by_tables(std::string_view bytes, std::uint32_t before) noexcept {
  return ~by_tables(bytes.data(), bytes.size(), ~before);
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) noexcept {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (has_instruction) return ~by_instruction(bytes.data(), bytes.size(), ~before);
#endif
  return crc32c_by_tables(bytes, before);
}

}  // namespace restante
