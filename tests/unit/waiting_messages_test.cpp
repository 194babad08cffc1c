#include "core/waiting_messages.h"

#include <gtest/gtest.h>

#include <new>
#include <random>
#include <vector>

namespace restante {
namespace {

waiting_message to_one(message_number number, std::uint64_t recipient = 7) {
  waiting_message made;
  made.number = number;
  made.at = static_cast<journal_position>(number);
  made.recipient = recipient;
  made.left = 1;
  return made;
}

// Bursts, pauses, and a clock that was set forward by years.
TEST(waiting_messages, are_found_however_unevenly_they_came) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 30; ++round) {
    waiting_messages all;
    std::vector<message_number> numbers;
    message_number number = 1'700'000'000'000'000;
    for (std::size_t i = 0; i < 1 + random() % 3'000; ++i) {
      const auto kind = random() % 1'000;
      number += kind == 0 ? 100'000'000'000'000 : kind < 50 ? 1'000'000 : kind < 900 ? 2 : 900;
      numbers.push_back(number);
      all.push(to_one(number));
    }
    for (const auto each : numbers) {
      const auto* found = all.find(each);
      ASSERT_NE(found, nullptr) << each;
      ASSERT_EQ(found->number, each);
      ASSERT_EQ(all.find(each + 1), nullptr);
    }
    ASSERT_EQ(all.find(numbers.front() - 1), nullptr);
    ASSERT_EQ(all.find(0), nullptr);
  }
  EXPECT_EQ(waiting_messages().find(1), nullptr);
}

TEST(waiting_messages, are_found_by_the_place_that_was_told_also_when_others_went) {
  std::mt19937_64 random(4);
  waiting_messages all;
  struct known {
    message_number number;
    waiting_place place;
  };
  std::vector<known> waiting;
  message_number number = 1'000;
  for (int step = 0; step < 50'000; ++step) {
    if (waiting.size() < 3'000 && random() % 2 == 0) {
      number += 1 + static_cast<message_number>(random() % 3);
      const auto place =
          random() % 2 == 0 ? all.push(to_one(number)) : all.push(number, [](waiting_message& made) {
            made.recipient = 7;
            made.left = 1;
          });
      waiting.push_back({number, place});
      continue;
    }
    if (waiting.empty()) continue;
    const auto at = random() % waiting.size();
    const auto [wanted, place] = waiting[at];
    auto* found = all.find(wanted, place);
    ASSERT_NE(found, nullptr);
    ASSERT_EQ(found->number, wanted);
    ASSERT_EQ(all.find(wanted), found) << "without its place";
    ASSERT_EQ(all.find(wanted, place + 5), found) << "with that of another";
    ASSERT_TRUE(found->strike(7));
    all.forget(*found);
    ASSERT_EQ(all.find(wanted, place), nullptr) << "it is over";
    waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

TEST(waiting_messages, stay_as_they_were_when_one_cannot_be_made) {
  waiting_messages all;
  const auto first = all.push(to_one(1));
  EXPECT_THROW(all.push(2, [](waiting_message&) { throw std::bad_alloc(); }), std::bad_alloc);
  EXPECT_EQ(all.size(), 1U);
  EXPECT_EQ(all.wanted(), 1U);
  EXPECT_EQ(all.find(2), nullptr);
  EXPECT_NE(all.find(1, first), nullptr);
}

TEST(waiting_messages, take_no_memory_for_ever_when_they_are_over) {
  waiting_messages all;
  all.push(to_one(1));
  for (message_number number = 2; number <= 100'000; ++number) {
    all.push(to_one(number));
    if (number < 20) continue;
    auto* oldest = all.find(number - 10);
    ASSERT_NE(oldest, nullptr);
    ASSERT_TRUE(oldest->strike(7));
    all.forget(*oldest);
    ASSERT_EQ(all.find(number - 10), nullptr);
    ASSERT_LE(all.size(), 1'100U);
  }
  EXPECT_EQ(all.front().number, 1);
  EXPECT_EQ(all.wanted(), 19U);
  EXPECT_EQ(all.bytes(), 19 * to_one(1).bytes());
}

TEST(waiting_messages, begin_and_end_with_one_that_is_wanted) {
  waiting_messages all;
  for (message_number number = 1; number <= 5; ++number) all.push(to_one(number));
  for (const message_number over : {2, 1, 4, 5}) {
    auto* found = all.find(over);
    ASSERT_NE(found, nullptr);
    EXPECT_FALSE(found->strike(8)) << "no recipient";
    EXPECT_TRUE(found->strike(7));
    all.forget(*found);
  }
  EXPECT_EQ(all.size(), 1U);
  EXPECT_EQ(all.front().number, 3);
  all.pop_front();
  EXPECT_TRUE(all.empty());
  EXPECT_EQ(all.bytes(), 0U);
}

}  // namespace
}  // namespace restante
