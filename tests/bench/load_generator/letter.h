// What the payloads of the load say: who sent it to whom, when, and the how manieth between these two it is.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace restante::bench {

struct letter {
  static constexpr std::uint32_t everybody = 0xFFFF'FFFF;  // a group

  std::int64_t sent_ns = 0;
  std::uint64_t number = 0;  // consecutive from 0 in each stream
  std::uint32_t sender = 0, recipient = 0;
};
static_assert(sizeof(letter) == 24);

// The rest of the payload's `size_bytes` is filled; it is never shorter than a letter.
inline void write_letter(const letter& what, std::size_t size_bytes, std::string& payload) {
  payload.resize(std::max(size_bytes, sizeof what), '.');
  std::memcpy(payload.data(), &what, sizeof what);
}

inline std::optional<letter> read_letter(std::string_view payload) {
  letter read;
  if (payload.size() < sizeof read) return std::nullopt;
  std::memcpy(&read, payload.data(), sizeof read);
  return read;
}

// 26 characters like a ULID's, unique in a run for each sender: the run's ten, and sixteen hexadecimal
// digits.
inline void append_message_id(std::string& to, std::string_view run, std::uint64_t count) {
  constexpr char digits[] = "0123456789ABCDEF";
  to.append(run);
  for (int shift = 60; shift >= 0; shift -= 4) to.push_back(digits[count >> shift & 0xF]);
}

}  // namespace restante::bench
