// Fingerprints that outlive the segment in which they stood: the bytes of a file ".recent", named as the
// segment was.
//
//   recent  = block*
//   block   = checksum:u32 count:u16 version:u16 entry{count} zeros     4,096 bytes
//   entry   = at_us:i64 identity:u64 topic:u64                          at most 170 in a block
//
// The checksum is a CRC-32C over the journal's key, the segment's start, the block's index, and the block
// behind its checksum. A damaged block costs its own entries only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "journal/journal_format.h"

namespace restante::journal_format {

inline constexpr std::size_t recent_block_bytes = 4'096;
inline constexpr std::size_t recent_entries = 170;  // in a block

// What so many fingerprints take.
constexpr std::uint64_t recent_bytes(std::uint64_t entries) {
  return (entries + recent_entries - 1) / recent_entries * recent_block_bytes;
}

// One block; `entries`: at most as many as it has room for. `index`: of the block, counted from 0.
void append_recent_block(std::string& to, std::span<const used_once> entries, hash_key key,
                         journal_position segment, std::uint64_t index);

// Calls `each` with every entry of every block that checks. How many blocks did not.
std::size_t decode_recent(std::string_view bytes, hash_key key, journal_position segment,
                          const std::function<void(const used_once&)>& each);

}  // namespace restante::journal_format
