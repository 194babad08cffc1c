#include "core/recent_publishes.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace restante {
namespace {

using found = recent_publishes::found;

constexpr hash_key any_key{1, 2};
fingerprint used(std::string_view identity, std::string_view topic) {
  return fingerprint_of(any_key, identity, topic);
}

constexpr std::int64_t span_us = 600'000'000;
constexpr std::int64_t start_us = 5'000'000'000;

TEST(recent_publishes, know_a_repeat_and_an_id_on_another_topic) {
  recent_publishes recent(span_us, 100);
  EXPECT_EQ(recent.look_up(used("anna/m1", "direct/bert/anna/m1"), start_us), found::fresh);
  recent.remember(used("anna/m1", "direct/bert/anna/m1"), start_us);
  EXPECT_EQ(recent.look_up(used("anna/m1", "direct/bert/anna/m1"), start_us), found::repeated);
  EXPECT_EQ(recent.look_up(used("anna/m1", "direct/cleo/anna/m1"), start_us), found::on_another_topic);
  EXPECT_EQ(recent.look_up(used("anna/m2", "direct/bert/anna/m1"), start_us), found::fresh);
}

TEST(recent_publishes, are_not_remembered_by_being_looked_up) {
  recent_publishes recent(span_us, 100);
  recent.look_up(used("anna/m1", "direct/bert/anna/m1"), start_us);
  EXPECT_EQ(recent.look_up(used("anna/m1", "direct/bert/anna/m1"), start_us), found::fresh);
  EXPECT_EQ(recent.size(), 0U);
}

TEST(recent_publishes, are_known_for_the_span_and_forgotten_after_three) {
  recent_publishes recent(span_us, 100);
  recent.look_up(used("anna/m0", "t"), start_us);  // the first generation begins
  for (const std::int64_t later_us : {std::int64_t{0}, span_us / 2, span_us - 1}) {
    recent.remember(used("anna/m" + std::to_string(later_us), "t"), start_us + later_us);
  }
  for (const std::int64_t later_us : {std::int64_t{0}, span_us / 2, span_us - 1}) {
    EXPECT_EQ(
        recent.look_up(used("anna/m" + std::to_string(later_us), "t"), start_us + later_us + span_us - 1),
        found::repeated);
  }
  EXPECT_EQ(recent.look_up(used("anna/m0", "t"), start_us + 3 * span_us), found::fresh);
}

TEST(recent_publishes, are_forgotten_after_a_long_silence) {
  recent_publishes recent(span_us, 100);
  recent.remember(used("anna/m1", "t"), start_us);
  EXPECT_EQ(recent.look_up(used("anna/m1", "t"), start_us + 2 * span_us), found::fresh);
  EXPECT_EQ(recent.size(), 0U);
}

TEST(recent_publishes, are_bounded_and_the_oldest_go_first) {
  recent_publishes recent(span_us, 10);
  for (int i = 0; i < 1'000; ++i) {
    recent.remember(used("anna/m" + std::to_string(i), "t"), start_us);
    EXPECT_LE(recent.size(), 20U);
    for (int back = 0; back < std::min(i, 10); ++back) {
      EXPECT_EQ(recent.look_up(used("anna/m" + std::to_string(i - back), "t"), start_us), found::repeated);
    }
  }
  EXPECT_EQ(recent.look_up(used("anna/m0", "t"), start_us), found::fresh);
}

TEST(recent_publishes, are_known_by_the_hundred_thousand) {
  recent_publishes recent(span_us, 1'000'000);
  for (int i = 0; i < 500'000; ++i) {
    const auto each = used("anna/m" + std::to_string(i), "t");
    ASSERT_EQ(recent.look_up(each, start_us), found::fresh) << i;
    recent.remember(each, start_us);
  }
  for (int i = 0; i < 500'000; ++i) {
    ASSERT_EQ(recent.look_up(used("anna/m" + std::to_string(i), "t"), start_us), found::repeated) << i;
  }
}

// Whose hashes crowd at either end and in one place, as some of many will.
TEST(recent_publishes, are_known_wherever_their_hashes_fall) {
  recent_publishes recent(span_us, 1'000'000);
  std::vector<fingerprint> all;
  for (std::uint64_t i = 0; i < 2'000; ++i) {
    for (const std::uint64_t identity : {i, ~i, (std::uint64_t{1} << 60) + i * 7919}) {
      all.push_back({identity == 0 ? 2'000 : identity, i % 3});
    }
  }
  for (const auto& each : all) {
    ASSERT_EQ(recent.look_up(each, start_us), found::fresh) << each.identity;
    recent.remember(each, start_us);
  }
  for (const auto& each : all) {
    EXPECT_EQ(recent.look_up(each, start_us), found::repeated) << each.identity;
    EXPECT_EQ(recent.look_up({each.identity, each.topic + 1}, start_us), found::on_another_topic);
  }
}

TEST(recent_publishes, keep_nothing_when_the_span_is_0) {
  recent_publishes recent(0, 100);
  recent.remember(used("anna/m1", "t"), start_us);
  EXPECT_EQ(recent.look_up(used("anna/m1", "t"), start_us), found::fresh);
  EXPECT_EQ(recent.size(), 0U);
}

}  // namespace
}  // namespace restante
