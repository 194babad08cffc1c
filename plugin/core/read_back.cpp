#include "core/read_back.h"

#include <cstddef>
#include <utility>

namespace restante {
namespace {

constexpr std::uint64_t widest_gap_bytes = 512;
constexpr std::uint64_t longest_read_bytes = 256u << 10;

// From `first` on, the places that one read takes.
std::size_t end_of_run(const std::vector<journal_place>& places, std::size_t first) {
  std::size_t end = first + 1;
  for (; end < places.size(); ++end) {
    if (!is_near(places[end - 1], places[end])) break;
    if (places[end].at - places[first].at > longest_read_bytes) break;
  }
  return end;
}

}  // namespace

bool is_near(const journal_place& before, const journal_place& next) {
  return next.at - before.at <= before.record_bytes + widest_gap_bytes;
}

std::vector<envelope> read_back(journal& records, const std::vector<journal_place>& places) {
  std::vector<envelope> messages;
  messages.reserve(places.size());
  while (messages.size() < places.size()) {
    const std::size_t first = messages.size();
    const auto& last = places[end_of_run(places, first) - 1];
    const auto from = places[first].at;
    auto chunk = records.read(from, static_cast<std::size_t>(last.at - from) + last.record_bytes);
    for (auto& [at, record] : chunk.records) {
      if (messages.size() == places.size()) break;
      const auto& next = places[messages.size()];
      if (at != next.at) continue;
      auto* found = std::get_if<accepted_message>(&record);
      if (found == nullptr || found->what.what->number != next.number) return messages;
      messages.push_back(std::move(found->what));
    }
    if (messages.size() == first) return messages;
  }
  return messages;
}

}  // namespace restante
