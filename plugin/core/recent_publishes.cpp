#include "core/recent_publishes.h"

#include <utility>

namespace restante {
namespace {

constexpr unsigned place_bits = 18, topic_bits = 12;
constexpr std::size_t slots = std::size_t{1} << place_bits;
constexpr std::size_t most_in_table = slots / 20 * 17;
constexpr std::uint64_t topic_mask = (std::uint64_t{1} << topic_bits) - 1;

std::size_t place_of(const fingerprint& publish) noexcept { return publish.identity >> (64 - place_bits); }

// Never 0, which is an empty slot.
std::uint64_t entry_of(const fingerprint& publish) noexcept {
  const std::uint64_t entry = publish.identity << topic_bits | (publish.topic & topic_mask);
  return entry == 0 ? 1 : entry;
}

std::uint16_t more_of_topic(const fingerprint& publish) noexcept {
  return static_cast<std::uint16_t>(publish.topic >> topic_bits);
}

}  // namespace

fingerprint fingerprint_of(hash_key key, std::string_view identity, std::string_view topic) noexcept {
  return {keyed_hash(key, identity), keyed_hash(key, topic)};
}

recent_publishes::recent_publishes(std::int64_t span_us, std::size_t limit)
    : span_us_(span_us), limit_(limit) {}

void recent_publishes::age(std::int64_t now_us) {
  if (now_us - opened_us_ < span_us_ && current_.size < limit_) return;
  const bool both_are_old = now_us - opened_us_ >= 2 * span_us_;
  previous_ = both_are_old ? generation{} : std::move(current_);
  current_ = {};
  opened_us_ = now_us;
}

// The tables are larger than a processor's caches, and waiting for them one by one takes longest.
void recent_publishes::prepare(const fingerprint& publish) const noexcept {
  const std::size_t place = place_of(publish);
  for (const auto* generation : {&current_, &previous_}) {
    for (const auto& table : generation->tables) {
      __builtin_prefetch(&table.entries[place]);
    }
  }
}

recent_publishes::found recent_publishes::look_up(const fingerprint& publish, std::int64_t now_us) {
  age(now_us);
  const std::uint64_t wanted = entry_of(publish);
  for (const auto* generation : {&current_, &previous_}) {
    for (const auto& table : generation->tables) {
      for (std::size_t at = place_of(publish); table.entries[at] != 0; at = (at + 1) % slots) {
        if ((table.entries[at] ^ wanted) >> topic_bits != 0) continue;
        const bool same = table.entries[at] == wanted && table.topics[at] == more_of_topic(publish);
        return same ? found::repeated : found::on_another_topic;
      }
    }
  }
  return found::fresh;
}

void recent_publishes::remember(const fingerprint& publish, std::int64_t now_us) {
  if (span_us_ == 0) return;
  age(now_us);
  if (current_.tables.empty() || current_.in_last == most_in_table) {
    current_.tables.push_back({std::vector<std::uint64_t>(slots), std::vector<std::uint16_t>(slots)});
    current_.in_last = 0;
  }
  auto& table = current_.tables.back();
  std::size_t at = place_of(publish);
  while (table.entries[at] != 0) at = (at + 1) % slots;
  table.entries[at] = entry_of(publish);
  table.topics[at] = more_of_topic(publish);
  ++current_.in_last;
  ++current_.size;
}

}  // namespace restante
