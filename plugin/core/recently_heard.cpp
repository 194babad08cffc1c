#include "core/recently_heard.h"

#include <algorithm>
#include <utility>

namespace restante {

void recently_heard::note(std::uint64_t name, const group_name& group, std::size_t limit) {
  if (kept_ != 0 && at(last_).name == name) {
    // Another device of the account hears it too.
    ring_[last_ & (ring_.size() - 1)].group = group;
    return;
  }
  if (kept_ == ring_.size() && kept_ < limit) grow();
  place(name, group);
  kept_ = std::min({kept_ + 1, ring_.size(), limit});
}

const recently_heard::group_name* recently_heard::find(std::uint64_t name) const noexcept {
  if (kept_ == 0) return nullptr;
  for (auto number = newest_[name & (newest_.size() - 1)]; is_there(number); number = at(number).older) {
    if (at(number).name == name) return &at(number).group;
  }
  return nullptr;
}

void recently_heard::place(std::uint64_t name, group_name group) noexcept {
  auto& newest = newest_[name & (newest_.size() - 1)];
  const auto older = std::exchange(newest, ++last_);
  ring_[last_ & (ring_.size() - 1)] = {name, older, std::move(group)};
}

void recently_heard::grow() {
  constexpr std::size_t fewest = 8;
  const std::size_t size = ring_.empty() ? fewest : ring_.size() * 2;
  std::vector<entry> ring(size);
  std::vector<std::uint64_t> newest(size);
  ring.swap(ring_);
  newest.swap(newest_);
  const auto through = std::exchange(last_, last_ - kept_);
  while (last_ < through) {
    auto& moved = ring[(last_ + 1) & (ring.size() - 1)];
    place(moved.name, std::move(moved.group));
  }
}

}  // namespace restante
