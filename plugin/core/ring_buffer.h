// A queue in one block of memory: what comes and goes at its ends, thousands of times a second, allocates
// nothing.
//
// The block doubles when it is full, and much of it is given back when the last element goes. Elements are
// default constructible; one that was taken out is set to a new one. References hold until the next
// push_back(). Those that are aligned to a line of memory stand in one line each. Threads: one.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace restante {

template <typename Value>
class ring_buffer {
 public:
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  Value& operator[](std::size_t place) noexcept { return block_[at(place)]; }
  const Value& operator[](std::size_t place) const noexcept { return block_[at(place)]; }
  Value& front() noexcept { return block_[first_]; }
  const Value& front() const noexcept { return block_[first_]; }
  Value& back() noexcept { return block_[at(size_ - 1)]; }
  const Value& back() const noexcept { return block_[at(size_ - 1)]; }

  // Fetches what the next push_back() will write to: some other work should come in between.
  void prepare_to_push() const noexcept {
    constexpr int to_write = 1;
    if (size_ < block_.size()) __builtin_prefetch(&block_[at(size_)], to_write);
  }
  // A new one, to be filled in.
  Value& push_back() {
    if (size_ == block_.size()) grow();
    return block_[at(size_++)];
  }
  void push_back(Value value) { push_back() = std::move(value); }
  void pop_front() noexcept {
    block_[first_] = Value{};
    first_ = at(1);
    --size_;
    give_back_if_empty();
  }
  void pop_back() noexcept {
    block_[at(--size_)] = Value{};
    give_back_if_empty();
  }
  template <typename Over>
  void erase_if(Over is_over) {
    std::size_t kept = 0;
    for (std::size_t place = 0; place < size_; ++place) {
      if (is_over((*this)[place])) continue;
      if (kept != place) (*this)[kept] = std::move((*this)[place]);
      ++kept;
    }
    while (size_ > kept) pop_back();
  }

 private:
  static constexpr std::size_t fewest_places = 64, most_kept_places = 4'096;

  std::size_t at(std::size_t place) const noexcept { return (first_ + place) & (block_.size() - 1); }

  void grow() {
    std::vector<Value> larger(block_.empty() ? fewest_places : 2 * block_.size());
    for (std::size_t place = 0; place < size_; ++place) larger[place] = std::move((*this)[place]);
    block_.swap(larger);
    first_ = 0;
  }
  void give_back_if_empty() noexcept {
    if (size_ != 0 || block_.size() <= most_kept_places) return;
    block_ = std::vector<Value>();
    first_ = 0;
  }

  std::vector<Value> block_;  // a power of two, or none
  std::size_t first_ = 0, size_ = 0;
};

}  // namespace restante
