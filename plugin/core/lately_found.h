// What was found lately by its name: a few dozen names that come again and again are found by one look at one
// line of memory, without the hash of a large map and the division that it takes.
//
// Two of the names that fall on one place are kept: those put there last. The mix of a name's ends is no more
// than cheap: whoever crafts names that fall on one place makes searches as dear as they are without this.
// Memory: 4 KB. Threads: one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/names.h"

namespace restante {

// `NameOf()(const Found&)`: its name, which stays as it is while it is here.
template <typename Found, typename NameOf>
class lately_found {
 public:
  // Null: it is not here.
  Found* find(std::string_view name) const noexcept {
    for (Found* each : places_[place_of(name)]) {
      if (each != nullptr && same_name(NameOf()(*each), name)) return each;
    }
    return nullptr;
  }
  // What is not here; it stays where it is until it is forgotten.
  void add(Found& found) noexcept {
    auto& place = places_[place_of(NameOf()(found))];
    place[1] = place[0];
    place[0] = &found;
  }
  void forget(const Found& gone) noexcept {
    for (Found*& each : places_[place_of(NameOf()(gone))]) {
      if (each == &gone) each = nullptr;
    }
  }
  void forget_all() noexcept { places_.fill({}); }

 private:
  static constexpr unsigned place_bits = 8;

  template <typename Word>
  static std::uint64_t both_ends(std::string_view name) noexcept {
    Word first = 0, last = 0;
    std::memcpy(&first, name.data(), sizeof first);
    std::memcpy(&last, name.data() + name.size() - sizeof last, sizeof last);
    return first ^ static_cast<std::uint64_t>(last) << 5;
  }

  static std::size_t place_of(std::string_view name) noexcept {
    const std::uint64_t ends = name.size() >= 8   ? both_ends<std::uint64_t>(name)
                               : name.size() >= 4 ? both_ends<std::uint32_t>(name)
                               : name.empty()     ? 0
                                                  : both_ends<std::uint8_t>(name);
    return (ends * 0x9e3779b97f4a7c15U) >> (64 - place_bits);
  }

  std::array<std::array<Found*, 2>, std::size_t{1} << place_bits> places_{};
};

}  // namespace restante
