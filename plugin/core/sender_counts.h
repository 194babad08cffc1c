// How many deliveries each sender has queued: one search a message, since what is queued keeps a pointer.
//
// Memory: senders that count or are pointed at, and a thousand others or as many again: most come back soon.
// Threads: one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/lately_found.h"
#include "core/string_map.h"

namespace restante {

struct sender_count {
  std::size_t deliveries = 0;
  std::size_t pointers = 0;  // to this: it stays where it is while there are any

  void take(std::size_t gone) noexcept { deliveries -= std::min(deliveries, gone); }
};

class sender_counts {
 public:
  // Null: nothing is queued.
  sender_count* find(std::string_view sender) noexcept {
    if (auto* lately = lately_.find(sender)) return &lately->second;
    const auto found = counts_.find(sender);
    if (found == counts_.end()) return nullptr;
    lately_.add(*found);
    return &found->second;
  }

  sender_count& find_or_add(std::string_view sender) {
    if (auto* found = find(sender)) return *found;
    if (counts_.size() >= most_) {
      lately_.forget_all();
      std::erase_if(
          counts_, [](const auto& each) { return each.second.deliveries == 0 && each.second.pointers == 0; });
      most_ = std::max(fewest, 2 * counts_.size());
    }
    return counts_.emplace(sender, sender_count{}).first->second;
  }

  std::size_t size() const noexcept { return counts_.size(); }

 private:
  static constexpr std::size_t fewest = 1'000;

  using named_count = string_map<sender_count>::value_type;
  struct name_of {
    std::string_view operator()(const named_count& each) const noexcept { return each.first; }
  };

  string_map<sender_count> counts_;
  lately_found<named_count, name_of> lately_;
  std::size_t most_ = fewest;  // before the idle go
};

}  // namespace restante
