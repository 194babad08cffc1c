#include "core/ring_buffer.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <random>

namespace restante {
namespace {

TEST(ring_buffer, does_as_a_deque_does) {
  std::mt19937 random(1);
  ring_buffer<int> ring;
  std::deque<int> as;
  for (int step = 0; step < 200'000; ++step) {
    const bool grows = step / 20'000 % 2 == 0;
    switch (random() % (grows ? 4 : 3)) {
      case 0:
        if (!as.empty()) {
          ring.pop_front();
          as.pop_front();
        }
        break;
      case 1:
        if (!as.empty() && random() % 4 == 0) {
          ring.pop_back();
          as.pop_back();
        }
        break;
      default:
        ring.push_back(step);
        as.push_back(step);
    }
    if (step % 5'000 == 0) {
      ring.erase_if([](int each) { return each % 3 == 0; });
      std::erase_if(as, [](int each) { return each % 3 == 0; });
    }
    ASSERT_EQ(ring.size(), as.size());
    if (as.empty()) continue;
    ASSERT_EQ(ring.front(), as.front());
    ASSERT_EQ(ring.back(), as.back());
    const std::size_t place = random() % as.size();
    ASSERT_EQ(ring[place], as[place]);
  }
}

TEST(ring_buffer, lets_go_of_what_was_taken_out) {
  const auto thing = std::make_shared<int>(1);
  ring_buffer<std::shared_ptr<int>> ring;
  for (int i = 0; i < 10'000; ++i) ring.push_back(thing);
  EXPECT_EQ(thing.use_count(), 10'001);
  ring.pop_front();
  ring.pop_back();
  EXPECT_EQ(thing.use_count(), 9'999);
  ring.erase_if([](const auto&) { return true; });
  EXPECT_EQ(thing.use_count(), 1);
  ring.push_back(thing);
  EXPECT_EQ(ring.front(), thing);
}

}  // namespace
}  // namespace restante
