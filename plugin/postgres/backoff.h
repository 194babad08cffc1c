// How long to wait before trying again: doubles from `shortest` to `longest`, each a quarter up or down by
// chance, so that many do not come back at once.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace restante {

class backoff {
 public:
  using milliseconds = std::chrono::milliseconds;

  backoff(milliseconds shortest, milliseconds longest)
      : shortest_(shortest), longest_(longest), next_(shortest) {}

  milliseconds next() {
    const milliseconds base = next_;
    next_ = std::min(next_ * 2, longest_);
    return milliseconds(std::uniform_int_distribution(base.count() * 3 / 4, base.count() * 5 / 4)(random_));
  }
  void reset() noexcept { next_ = shortest_; }

 private:
  milliseconds shortest_, longest_, next_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace restante
