#include "core/recent_publishes.h"

#include <algorithm>
#include <utility>

namespace restante {
namespace {

constexpr unsigned place_bits = 17;
constexpr std::size_t places = std::size_t{1} << place_bits;
constexpr std::size_t beyond = 1'024;  // what the last places push on
constexpr std::size_t most_in_table = places / 8 * 7;

// Never 0, which is an empty place.
std::uint64_t identity_of(const fingerprint& publish) noexcept {
  return std::max<std::uint64_t>(publish.identity, 1);
}

std::uint16_t topic_of(const fingerprint& publish) noexcept {
  return static_cast<std::uint16_t>(publish.topic);
}

}  // namespace

fingerprint fingerprint_of(hash_key key, std::string_view identity, std::string_view topic) noexcept {
  return {keyed_hash(key, identity), keyed_hash(key, topic)};
}

recent_publishes::table::table() : identities_(places + beyond), topics_(places + beyond) {}

std::size_t recent_publishes::table::place_of(std::uint64_t identity) const noexcept {
  std::size_t at = identity >> (64 - place_bits);
  while (at < identities_.size() && identities_[at] != 0 && identities_[at] < identity) ++at;
  return at;
}

void recent_publishes::table::prepare(std::uint64_t identity) const noexcept {
  __builtin_prefetch(&identities_[identity >> (64 - place_bits)]);
}

recent_publishes::found recent_publishes::table::look_up(const fingerprint& publish) const noexcept {
  const auto wanted = identity_of(publish);
  const std::size_t at = place_of(wanted);
  if (at == identities_.size() || identities_[at] != wanted) return found::fresh;
  return topics_[at] == topic_of(publish) ? found::repeated : found::on_another_topic;
}

bool recent_publishes::table::remember(const fingerprint& publish) noexcept {
  if (size_ == most_in_table) return false;
  const auto made = identity_of(publish);
  const auto at = static_cast<std::ptrdiff_t>(place_of(made));
  const auto gap = std::find(identities_.begin() + at, identities_.end(), 0U);
  if (gap == identities_.end()) return false;
  const auto topic_gap = topics_.begin() + (gap - identities_.begin());
  std::move_backward(identities_.begin() + at, gap, gap + 1);
  std::move_backward(topics_.begin() + at, topic_gap, topic_gap + 1);
  identities_[static_cast<std::size_t>(at)] = made;
  topics_[static_cast<std::size_t>(at)] = topic_of(publish);
  ++size_;
  return true;
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
  for (const auto* generation : {&current_, &previous_}) {
    for (const auto& table : generation->tables) table.prepare(publish.identity);
  }
}

recent_publishes::found recent_publishes::look_up(const fingerprint& publish, std::int64_t now_us) {
  age(now_us);
  for (const auto* generation : {&current_, &previous_}) {
    for (const auto& table : generation->tables) {
      const auto here = table.look_up(publish);
      if (here != found::fresh) return here;
    }
  }
  return found::fresh;
}

void recent_publishes::remember(const fingerprint& publish, std::int64_t now_us) {
  if (span_us_ == 0) return;
  age(now_us);
  ++current_.size;
  if (!current_.tables.empty() && current_.tables.back().remember(publish)) return;
  current_.tables.emplace_back();
  current_.tables.back().remember(publish);
}

}  // namespace restante
