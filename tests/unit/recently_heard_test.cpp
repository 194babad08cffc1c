#include "core/recently_heard.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <utility>

namespace restante {
namespace {

recently_heard::group_name group(const char* name) { return std::make_shared<const std::string>(name); }

TEST(recently_heard, knows_nothing_at_first) {
  const recently_heard heard;
  EXPECT_EQ(heard.find(0), nullptr);
  EXPECT_EQ(heard.find(7), nullptr);
}

TEST(recently_heard, knows_what_was_noted_and_its_group) {
  recently_heard heard;
  heard.note(7, nullptr, 100);
  heard.note(0, group("crew"), 100);
  ASSERT_NE(heard.find(7), nullptr);
  EXPECT_EQ(*heard.find(7), nullptr);
  ASSERT_NE(heard.find(0), nullptr);
  EXPECT_EQ(**heard.find(0), "crew");
  EXPECT_EQ(heard.find(15), nullptr) << "of the same bucket";
}

TEST(recently_heard, goes_by_the_group_that_was_last) {
  recently_heard heard;
  heard.note(7, group("crew"), 100);
  heard.note(7, group("town"), 100);
  EXPECT_EQ(**heard.find(7), "town");
  heard.note(8, nullptr, 100);
  heard.note(7, nullptr, 100);
  EXPECT_EQ(*heard.find(7), nullptr);
}

TEST(recently_heard, counts_several_devices_of_an_account_once) {
  recently_heard heard;
  heard.note(1, nullptr, 2);
  for (int device = 0; device < 5; ++device) heard.note(2, nullptr, 2);
  EXPECT_NE(heard.find(1), nullptr);
}

TEST(recently_heard, forgets_the_oldest_first_at_any_limit) {
  for (const std::size_t limit : {1U, 2U, 7U, 8U, 9U, 100U, 800U}) {
    recently_heard heard;
    for (std::uint64_t name = 1; name <= 3'000; ++name) {
      heard.note(name * 8, nullptr, limit);  // few buckets, long chains
      EXPECT_NE(heard.find(name * 8), nullptr);
      const std::uint64_t oldest = name > limit ? name - limit + 1 : 1;
      EXPECT_NE(heard.find(oldest * 8), nullptr) << name << " of " << limit;
      EXPECT_EQ(heard.find((oldest - 1) * 8), nullptr) << name << " of " << limit;
    }
  }
}

TEST(recently_heard, knows_exactly_the_last_in_any_order) {
  constexpr std::size_t limit = 50;
  std::mt19937_64 random(1);
  recently_heard heard;
  std::deque<std::uint64_t> last;
  for (int step = 0; step < 20'000; ++step) {
    const auto name = random() % 120;
    heard.note(name, nullptr, limit);
    if (last.empty() || last.back() != name) last.push_back(name);
    if (last.size() > limit) last.pop_front();
    const auto asked = random() % 120;
    const bool is_known = std::find(last.begin(), last.end(), asked) != last.end();
    ASSERT_EQ(heard.find(asked) != nullptr, is_known) << "step " << step;
  }
}

}  // namespace
}  // namespace restante
