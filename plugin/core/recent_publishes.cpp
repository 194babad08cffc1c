#include "core/recent_publishes.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <utility>

namespace restante {
namespace {

constexpr unsigned bucket_bits = 15;
constexpr std::size_t buckets = std::size_t{1} << bucket_bits;

std::size_t home_of(std::uint64_t identity) noexcept { return identity >> (64 - bucket_bits); }

// Never 0, which is an empty place.
std::uint32_t head_of(const fingerprint& publish) noexcept {
  return std::max<std::uint32_t>(static_cast<std::uint32_t>(publish.identity), 1);
}

std::uint16_t tail_of(const fingerprint& publish) noexcept {
  return static_cast<std::uint16_t>(publish.identity >> 32);
}

std::uint16_t topic_of(const fingerprint& publish) noexcept {
  return static_cast<std::uint16_t>(publish.topic);
}

// Four at a time, by a vector type that GCC and Clang have.
template <std::size_t count>
bool is_among(const std::array<std::uint32_t, count>& values, std::uint32_t wanted) noexcept {
  using four [[gnu::vector_size(16)]] = std::uint32_t;
  using two [[gnu::vector_size(16)]] = std::uint64_t;
  static_assert(count % 4 == 0);
  const four all = {wanted, wanted, wanted, wanted};
  four alike = {};
  for (std::size_t at = 0; at < count; at += 4) {
    four here;
    std::memcpy(&here, values.data() + at, sizeof here);
    alike |= static_cast<four>(here == all);
  }
  two halves;
  std::memcpy(&halves, &alike, sizeof halves);
  return (halves[0] | halves[1]) != 0;
}

}  // namespace

fingerprint fingerprint_of(hash_key key, std::string_view identity, std::string_view topic) noexcept {
  return {keyed_hash(key, identity), keyed_hash(key, topic)};
}

recent_publishes::table::table() : buckets_(buckets) {}

void recent_publishes::table::prepare(std::uint64_t identity) const noexcept {
  __builtin_prefetch(&buckets_[home_of(identity)]);
}

void recent_publishes::table::prepare_to_remember(std::uint64_t identity) const noexcept {
  constexpr int to_write = 1;
  __builtin_prefetch(&buckets_[home_of(identity)].tails, to_write);
}

recent_publishes::found recent_publishes::table::look_up(const fingerprint& publish) const noexcept {
  const auto head = head_of(publish);
  for (std::size_t at = home_of(publish.identity);; at = (at + 1) % buckets) {
    const bucket& here = buckets_[at];
    if (is_among(here.heads, head)) {
      for (std::size_t i = 0; i < bucket_places; ++i) {
        if (here.heads[i] != head || here.tails[i] != tail_of(publish)) continue;
        return here.topics[i] == topic_of(publish) ? found::repeated : found::on_another_topic;
      }
    }
    if (!here.is_full()) return found::fresh;
  }
}

bool recent_publishes::table::remember(const fingerprint& publish) noexcept {
  if (size_ == buckets * bucket_places / 16 * 13) return false;
  std::size_t at = home_of(publish.identity);
  while (buckets_[at].is_full()) at = (at + 1) % buckets;
  bucket& here = buckets_[at];
  const auto place =
      static_cast<std::size_t>(std::find(here.heads.begin(), here.heads.end(), 0U) - here.heads.begin());
  here.heads[place] = head_of(publish);
  here.tails[place] = tail_of(publish);
  here.topics[place] = topic_of(publish);
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
void recent_publishes::prepare(std::uint64_t identity) const noexcept {
  for (const auto* generation : {&current_, &previous_}) {
    for (const auto& table : generation->tables) table.prepare(identity);
  }
  if (!current_.tables.empty()) current_.tables.back().prepare_to_remember(identity);
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
