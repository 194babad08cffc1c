// Whether what one sender sent to one recipient came whole, once and in order, told by consecutive numbers.
#pragma once

#include <cstdint>
#include <set>

namespace restante::bench {

class stream_check {
 public:
  void receive(std::uint64_t number) {
    ++received_;
    if (number == next_) {
      ++next_;
    } else if (number > next_) {
      // Bounded by what is underway at a time, unless mail is really lost.
      for (std::uint64_t missing = next_; missing < number; ++missing) missing_.insert(missing);
      next_ = number + 1;
    } else if (missing_.erase(number) == 1) {
      ++out_of_order_;
    } else {
      ++duplicates_;
    }
  }

  std::uint64_t received() const { return received_; }  // with duplicates
  std::uint64_t duplicates() const { return duplicates_; }
  // Came after one with a higher number.
  std::uint64_t out_of_order() const { return out_of_order_; }
  // Of 0 to `sent` - 1, those that never came.
  std::uint64_t lost(std::uint64_t sent) const { return missing_.size() + (sent > next_ ? sent - next_ : 0); }

 private:
  std::uint64_t next_ = 0, received_ = 0, duplicates_ = 0, out_of_order_ = 0;
  std::set<std::uint64_t> missing_;
};

}  // namespace restante::bench
