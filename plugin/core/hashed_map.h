// A map by 64-bit hashes that are evenly spread already (keyed_hash.h), and so are their own places: open
// addressing with linear steps, and no gaps left behind by what is taken out. A name stands beside its value,
// in one line of memory if both fit into it, so that a search seldom looks at more than two lines; and
// nothing is allocated for each entry.
//
// A name 0 is taken for 1: one collision more among 2^64. Much memory is given back when the last entry goes.
// Pointers to values hold until the next insert or erase. Threads: one.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

namespace restante {

template <typename Value>
class hashed_map {
 public:
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  bool contains(std::uint64_t name) const noexcept { return find(name) != nullptr; }

  // Fetches what will be looked at for this name: some other work should come in between.
  void prepare(std::uint64_t name) const noexcept {
    constexpr int to_write = 1;
    if (!places_.empty()) __builtin_prefetch(&places_[used(name) & mask()], to_write);
  }

  // Null if there is none.
  Value* find(std::uint64_t name) noexcept {
    const auto at = place_of(name);
    return at == nowhere ? nullptr : &places_[at].value;
  }
  const Value* find(std::uint64_t name) const noexcept {
    const auto at = place_of(name);
    return at == nowhere ? nullptr : &places_[at].value;
  }

  // Its value, and whether it was put in just now, with an empty one.
  struct added {
    Value& value;
    bool is_new;
  };
  added find_or_add(std::uint64_t name) {
    if ((size_ + 1) * 4 > places_.size() * 3) grow();
    const auto wanted = used(name);
    std::size_t at = wanted & mask();
    for (; places_[at].name != 0; at = next(at)) {
      if (places_[at].name == wanted) return {places_[at].value, false};
    }
    places_[at].name = wanted;
    ++size_;
    return {places_[at].value, true};
  }

  // False, and nothing changed, if it is there already.
  bool insert(std::uint64_t name, Value value) {
    const auto [found, is_new] = find_or_add(name);
    if (is_new) found = std::move(value);
    return is_new;
  }

  bool erase(std::uint64_t name) noexcept {
    const auto at = place_of(name);
    if (at == nowhere) return false;
    close_gap(at);
    return true;
  }

  // The same, with its value.
  bool take(std::uint64_t name, Value& value) noexcept {
    const auto at = place_of(name);
    if (at == nowhere) return false;
    value = std::move(places_[at].value);
    close_gap(at);
    return true;
  }

  // Any name in it; only when it is not empty.
  std::uint64_t any_name() const noexcept {
    std::size_t at = 0;
    while (places_[at].name == 0) ++at;
    return places_[at].name;
  }

  // In no particular order; `visit(name, value)` must neither insert nor erase.
  template <typename Visit>
  void for_each(Visit visit) {
    for (std::size_t at = 0; at < places_.size(); ++at) {
      if (places_[at].name != 0) visit(places_[at].name, places_[at].value);
    }
  }

 private:
  static constexpr std::size_t line_bytes = 64;
  static constexpr std::size_t aligned_to = std::min(
      line_bytes, std::bit_ceil(sizeof(std::uint64_t) + (std::is_empty_v<Value> ? 0 : sizeof(Value))));
  struct alignas(aligned_to) place {
    std::uint64_t name = 0;  // 0: nothing here
    [[no_unique_address]] Value value{};
  };
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1), fewest_places = 8,
                               most_kept_places = 4'096;

  static std::uint64_t used(std::uint64_t name) noexcept { return name == 0 ? 1 : name; }
  std::size_t mask() const noexcept { return places_.size() - 1; }
  std::size_t next(std::size_t at) const noexcept { return (at + 1) & mask(); }

  std::size_t place_of(std::uint64_t name) const noexcept {
    if (size_ == 0) return nowhere;
    const auto wanted = used(name);
    for (std::size_t at = wanted & mask(); places_[at].name != 0; at = next(at)) {
      if (places_[at].name == wanted) return at;
    }
    return nowhere;
  }

  // What was pushed on by the one that goes comes back.
  void close_gap(std::size_t gap) noexcept {
    for (auto at = next(gap); places_[at].name != 0; at = next(at)) {
      const auto wanted = places_[at].name & mask();
      if (((at - wanted) & mask()) < ((at - gap) & mask())) continue;
      places_[gap].name = places_[at].name;
      places_[gap].value = std::move(places_[at].value);
      gap = at;
    }
    places_[gap].name = 0;
    places_[gap].value = Value{};
    if (--size_ == 0 && places_.size() > most_kept_places) {
      places_ = std::vector<place>();
    }
  }

  void put(std::uint64_t name, Value&& value) noexcept {
    std::size_t at = name & mask();
    while (places_[at].name != 0) at = next(at);
    places_[at].name = name;
    places_[at].value = std::move(value);
  }

  void grow() {
    std::vector<place> before(places_.empty() ? fewest_places : places_.size() * 2);
    before.swap(places_);
    for (auto& each : before) {
      if (each.name != 0) put(each.name, std::move(each.value));
    }
  }

  std::vector<place> places_;
  std::size_t size_ = 0;
};

}  // namespace restante
