#include "journal/journal_state.h"

#include <algorithm>

namespace restante {

using journal_format::recent_bytes;

namespace {

// Of a closed segment, as long as they have no file of their own.
std::uint64_t bytes_to_come(const closed_segment& segment) {
  return segment.fingerprints_kept ? 0 : recent_bytes(segment.fingerprints);
}

}  // namespace

void journal_state::count() {
  std::uint64_t used = 0;
  for (const auto& segment : closed) used += segment.used_bytes() + bytes_to_come(segment);
  for (const auto& file : recent) used += file.file_bytes;
  used_elsewhere_bytes = used;

  std::uint64_t allocated = current.capacity_bytes + reserved_bytes + (spare ? spare->capacity_bytes : 0);
  for (const auto& segment : closed) allocated += segment.file_bytes;
  for (const auto& file : recent) allocated += file.file_bytes;
  file_bytes = allocated;
}

std::uint64_t journal_state::allocated_bytes() const {
  std::uint64_t allocated = file_bytes;
  for (const auto& segment : closed) allocated += bytes_to_come(segment);
  return allocated;
}

std::uint64_t journal_state::segment_bytes() const {
  return std::min(settings.segment_bytes, settings.limit_bytes / 16);
}

std::optional<std::uint64_t> journal_state::size_of_next(std::uint64_t at_least) const {
  // Fingerprints come in blocks: one more for each of the two segments.
  const std::uint64_t taken = allocated_bytes() + current.capacity_bytes / 4 * 3 + margin_bytes() +
                              2 * journal_format::recent_block_bytes;
  const std::uint64_t room = taken < settings.limit_bytes ? (settings.limit_bytes - taken) / 7 * 4 : 0;
  const std::uint64_t wanted = std::max(segment_bytes(), at_least);
  if (room < std::max(segment_bytes() / 16, at_least)) return std::nullopt;
  return std::min(wanted, room);
}

std::uint64_t journal_state::ring_bytes() const { return segment_bytes() / 4; }

void journal_state::fail(const std::string& line) {
  const std::lock_guard lock(guard);
  if (why_failed.empty()) why_failed = line;
  failed = true;
}

}  // namespace restante
