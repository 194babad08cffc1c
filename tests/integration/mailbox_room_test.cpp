// plugin/postgres/mailbox_room.h.
#include "postgres/mailbox_room.h"

#include <gtest/gtest.h>

#include <string>

namespace restante {
namespace {

using namespace std::chrono_literals;

const mailbox_room::time_point start{};

TEST(mailbox_room, counts_every_mailbox_of_a_small_limit_once) {
  mailbox_room room(10);
  EXPECT_TRUE(room.must_be_counted("anna", 1, start));
  room.counted("anna", 4, start);
  for (int i = 0; i < 6; ++i) {
    EXPECT_FALSE(room.must_be_counted("anna", 1, start));
    EXPECT_TRUE(room.take("anna"));
  }
  EXPECT_FALSE(room.take("anna"));
}

TEST(mailbox_room, counts_a_full_mailbox_again_after_a_while_or_when_some_of_it_went) {
  mailbox_room room(1000);
  room.counted("anna", 5000, start);
  EXPECT_FALSE(room.take("anna"));
  EXPECT_FALSE(room.must_be_counted("anna", 1, start + 9s));
  EXPECT_TRUE(room.must_be_counted("anna", 1, start + 10s));
  for (int i = 0; i < 9; ++i) room.removed("anna");
  EXPECT_FALSE(room.must_be_counted("anna", 1, start));
  room.removed("anna");
  EXPECT_TRUE(room.must_be_counted("anna", 1, start));
  room.counted("anna", 990, start);
  EXPECT_TRUE(room.take("anna"));
}

TEST(mailbox_room, finds_a_mailbox_of_a_large_limit_within_a_few_hundred_rows) {
  for (int round = 0; round < 20; ++round) {
    mailbox_room room(100'000);
    int rows = 0;
    while (!room.must_be_counted("anna", 1, start)) {
      ASSERT_TRUE(room.take("anna"));
      ASSERT_LT(++rows, 10'000);
    }
  }
}

TEST(mailbox_room, forgets_those_not_spoken_of_for_longest) {
  mailbox_room room(1, 3);
  for (const char* each : {"anna", "bert", "carl"}) room.counted(each, 1, start);
  EXPECT_FALSE(room.take("anna"));
  room.counted("dora", 1, start);
  EXPECT_EQ(room.size(), 3u);
  EXPECT_FALSE(room.take("anna"));
  EXPECT_TRUE(room.take("bert"));
  EXPECT_TRUE(room.must_be_counted("bert", 1, start));
}

}  // namespace
}  // namespace restante
