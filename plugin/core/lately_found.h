// What was found lately by its name: a few dozen names that come again and again are found by one look at one
// place, without the hash of a large map and the division that it takes.
//
// The mix of a name's ends is no more than cheap: whoever crafts names that fall on one place makes searches
// as dear as they are without this. Memory: 2 KB. Threads: one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace restante {

template <typename Found>
class lately_found {
 public:
  // Where the one of this name is, if it is: null, or what was put there last, whose name has to be compared.
  Found*& at(std::string_view name) noexcept { return found_[place_of(name)]; }
  void forget_all() noexcept { found_.fill(nullptr); }

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

  std::array<Found*, std::size_t{1} << place_bits> found_{};
};

}  // namespace restante
