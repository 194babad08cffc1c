#include "core/hashed_map.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <unordered_map>

namespace restante {
namespace {

TEST(hashed_map, knows_what_was_put_in_and_nothing_else) {
  hashed_map<int> map;
  EXPECT_EQ(map.find(7), nullptr);
  EXPECT_FALSE(map.erase(7));
  EXPECT_TRUE(map.insert(7, 70));
  EXPECT_FALSE(map.insert(7, 71)) << "it is there already";
  ASSERT_NE(map.find(7), nullptr);
  EXPECT_EQ(*map.find(7), 70);
  EXPECT_EQ(map.any_name(), 7U);
  EXPECT_FALSE(map.contains(15)) << "of the same place";
  EXPECT_TRUE(map.erase(7));
  EXPECT_TRUE(map.empty());
}

TEST(hashed_map, may_be_prepared_for_any_name) {
  hashed_map<int> map;
  map.prepare(7);
  map.insert(7, 70);
  map.prepare(8);
  EXPECT_EQ(map.size(), 1U);
  EXPECT_FALSE(map.contains(8));
}

TEST(hashed_map, takes_the_name_0) {
  hashed_map<int> map;
  EXPECT_TRUE(map.insert(0, 5));
  ASSERT_NE(map.find(0), nullptr);
  EXPECT_TRUE(map.erase(0));
  EXPECT_FALSE(map.contains(0));
}

TEST(hashed_map, lets_go_of_what_is_taken_out) {
  hashed_map<std::shared_ptr<int>> map;
  const auto value = std::make_shared<int>(1);
  map.insert(3, value);
  map.insert(11, value);
  map.insert(19, value);
  map.erase(3);
  EXPECT_EQ(value.use_count(), 3);
  map.erase(11);
  map.erase(19);
  EXPECT_EQ(value.use_count(), 1);
}

// Names that crowd in few places, so that most are pushed on and wrap around.
TEST(hashed_map, does_what_another_map_does_when_places_are_crowded) {
  std::mt19937_64 random(1);
  for (const std::uint64_t spread : {6, 40, 5'000}) {
    hashed_map<std::uint64_t> map;
    std::unordered_map<std::uint64_t, std::uint64_t> other;
    for (int step = 0; step < 20'000; ++step) {
      const std::uint64_t name = 1 + random() % spread + (random() % 3) * 8'192;
      std::uint64_t taken = 0;
      switch (random() % 4) {
        case 0:
          ASSERT_EQ(map.insert(name, name * 2), other.emplace(name, name * 2).second);
          break;
        case 1: {
          const auto [value, is_new] = map.find_or_add(name);
          ASSERT_EQ(is_new, other.emplace(name, name * 2).second);
          ASSERT_EQ(value, is_new ? 0 : name * 2);
          value = name * 2;
          break;
        }
        case 2:
          ASSERT_EQ(map.erase(name), other.erase(name) != 0);
          break;
        default:
          ASSERT_EQ(map.take(name, taken), other.erase(name) != 0);
          ASSERT_TRUE(taken == 0 || taken == name * 2);
      }
      ASSERT_EQ(map.size(), other.size());
    }
    std::size_t seen = 0;
    map.for_each([&](std::uint64_t name, std::uint64_t value) {
      ++seen;
      ASSERT_EQ(other.at(name), value);
    });
    EXPECT_EQ(seen, other.size());
    for (const auto& [name, value] : other) {
      ASSERT_NE(map.find(name), nullptr);
      EXPECT_EQ(*map.find(name), value);
    }
  }
}

}  // namespace
}  // namespace restante
