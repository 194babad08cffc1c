// SipHash-1-3 (Aumasson and Bernstein, 2012): a 64-bit hash that nobody without the key can make collide.
// With fewer rounds than their SipHash-2-4, as the hash tables of Rust and Python have it: hashes are never
// shown.
#pragma once

#include <cstdint>
#include <string_view>

namespace restante {

struct hash_key {
  std::uint64_t low = 0, high = 0;
};

std::uint64_t keyed_hash(hash_key key, std::string_view text) noexcept;

}  // namespace restante
