// A map by 64-bit hashes that are evenly spread already (keyed_hash.h), and so are their own places: open
// addressing with linear steps, and no gaps left behind by what is taken out. Names stand apart from values,
// so that a search seldom looks at more than two lines of memory, and nothing is allocated for each entry.
//
// A name 0 is taken for 1: one collision more among 2^64. Much memory is given back when the last entry goes.
// Pointers to values hold until the next insert or erase. Threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace restante {

template <typename Value>
class hashed_map {
 public:
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  bool contains(std::uint64_t name) const noexcept { return find(name) != nullptr; }

  // Null if there is none.
  Value* find(std::uint64_t name) noexcept {
    const auto at = place_of(name);
    return at == nowhere ? nullptr : &values_[at];
  }
  const Value* find(std::uint64_t name) const noexcept {
    const auto at = place_of(name);
    return at == nowhere ? nullptr : &values_[at];
  }

  // Its value, and whether it was put in just now, with an empty one.
  struct added {
    Value& value;
    bool is_new;
  };
  added find_or_add(std::uint64_t name) {
    if ((size_ + 1) * 4 > names_.size() * 3) grow();
    const auto wanted = used(name);
    std::size_t at = wanted & mask();
    for (; names_[at] != 0; at = next(at)) {
      if (names_[at] == wanted) return {values_[at], false};
    }
    names_[at] = wanted;
    ++size_;
    return {values_[at], true};
  }

  // False, and nothing changed, if it is there already.
  bool insert(std::uint64_t name, Value value) {
    const auto [place, is_new] = find_or_add(name);
    if (is_new) place = std::move(value);
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
    value = std::move(values_[at]);
    close_gap(at);
    return true;
  }

  // Any name in it; only when it is not empty.
  std::uint64_t any_name() const noexcept {
    std::size_t at = 0;
    while (names_[at] == 0) ++at;
    return names_[at];
  }

  // In no particular order; `visit(name, value)` must neither insert nor erase.
  template <typename Visit>
  void for_each(Visit visit) {
    for (std::size_t at = 0; at < names_.size(); ++at) {
      if (names_[at] != 0) visit(names_[at], values_[at]);
    }
  }

 private:
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1), fewest_places = 8,
                               most_kept_places = 4'096;

  static std::uint64_t used(std::uint64_t name) noexcept { return name == 0 ? 1 : name; }
  std::size_t mask() const noexcept { return names_.size() - 1; }
  std::size_t next(std::size_t at) const noexcept { return (at + 1) & mask(); }

  std::size_t place_of(std::uint64_t name) const noexcept {
    if (size_ == 0) return nowhere;
    const auto wanted = used(name);
    for (std::size_t at = wanted & mask(); names_[at] != 0; at = next(at)) {
      if (names_[at] == wanted) return at;
    }
    return nowhere;
  }

  // What was pushed on by the one that goes comes back.
  void close_gap(std::size_t gap) noexcept {
    for (auto at = next(gap); names_[at] != 0; at = next(at)) {
      const auto wanted = names_[at] & mask();
      if (((at - wanted) & mask()) < ((at - gap) & mask())) continue;
      names_[gap] = names_[at];
      values_[gap] = std::move(values_[at]);
      gap = at;
    }
    names_[gap] = 0;
    values_[gap] = Value{};
    if (--size_ == 0 && names_.size() > most_kept_places) {
      names_ = std::vector<std::uint64_t>();
      values_ = std::vector<Value>();
    }
  }

  void place(std::uint64_t name, Value&& value) noexcept {
    std::size_t at = name & mask();
    while (names_[at] != 0) at = next(at);
    names_[at] = name;
    values_[at] = std::move(value);
  }

  void grow() {
    const std::size_t places = names_.empty() ? fewest_places : names_.size() * 2;
    std::vector<std::uint64_t> names(places);
    std::vector<Value> values(places);
    names.swap(names_);
    values.swap(values_);
    for (std::size_t at = 0; at < names.size(); ++at) {
      if (names[at] != 0) place(names[at], std::move(values[at]));
    }
  }

  std::vector<std::uint64_t> names_;  // 0: nothing there
  std::vector<Value> values_;
  std::size_t size_ = 0;
};

}  // namespace restante
