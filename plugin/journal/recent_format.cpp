#include "journal/recent_format.h"

#include "journal/bytes.h"
#include "journal/crc32c.h"

namespace restante::journal_format {
namespace {

constexpr std::uint16_t version = 1;
constexpr std::size_t entry_bytes = 24;
static_assert(8 + recent_entries * entry_bytes <= recent_block_bytes);

std::uint32_t checksum(std::string_view block, hash_key key, journal_position segment, std::uint64_t index) {
  std::string front;
  put(front, key.low);
  put(front, key.high);
  put(front, segment);
  put(front, index);
  return crc32c(block.substr(4), crc32c(front));
}

}  // namespace

void append_recent_block(std::string& to, std::span<const used_once> entries, hash_key key,
                         journal_position segment, std::uint64_t index) {
  const std::size_t begin = to.size();
  put(to, std::uint32_t{0});
  put(to, static_cast<std::uint16_t>(entries.size()));
  put(to, version);
  for (const auto& entry : entries) {
    put(to, entry.at_us);
    put(to, entry.known.identity);
    put(to, entry.known.topic);
  }
  to.resize(begin + recent_block_bytes, '\0');
  put_at(to.data() + begin, checksum(std::string_view(to).substr(begin), key, segment, index));
}

std::size_t decode_recent(std::string_view bytes, hash_key key, journal_position segment,
                          const std::function<void(const used_once&)>& each) {
  std::size_t damaged = 0;
  for (std::uint64_t index = 0; !bytes.empty(); ++index) {
    const auto block = bytes.substr(0, recent_block_bytes);
    bytes.remove_prefix(block.size());
    byte_reader from(block);
    const bool whole = block.size() == recent_block_bytes &&
                       from.number<std::uint32_t>() == checksum(block, key, segment, index);
    const auto count = from.number<std::uint16_t>();
    if (!whole || count > recent_entries || from.number<std::uint16_t>() != version) {
      ++damaged;
      continue;
    }
    for (std::uint16_t entry = 0; entry < count; ++entry) {
      used_once found;
      found.at_us = from.number<std::int64_t>();
      found.known.identity = from.number<std::uint64_t>();
      found.known.topic = from.number<std::uint64_t>();
      each(found);
    }
  }
  return damaged;
}

}  // namespace restante::journal_format
