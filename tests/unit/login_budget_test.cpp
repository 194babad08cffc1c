#include "core/login_budget.h"

#include <gtest/gtest.h>

namespace restante {
namespace {

constexpr std::int64_t start_us = 5'000'000;

TEST(login_budget, lets_a_few_begin_at_once_and_the_last_of_them_take_more_than_is_left) {
  login_budget budget;
  EXPECT_TRUE(budget.may_begin(start_us));
  budget.spend(18'000);
  EXPECT_TRUE(budget.may_begin(start_us));
  budget.spend(18'000);
  EXPECT_FALSE(budget.may_begin(start_us));
}

TEST(login_budget, saves_what_was_taken_too_much_before_the_next_begins) {
  login_budget budget;
  budget.may_begin(start_us);
  budget.spend(50'000);  // 30 ms more than there was
  EXPECT_FALSE(budget.may_begin(start_us + 150'000));
  EXPECT_TRUE(budget.may_begin(start_us + 150'001));
}

TEST(login_budget, saves_no_more_than_one_burst) {
  login_budget budget;
  budget.may_begin(start_us);
  budget.spend(20'000);
  EXPECT_TRUE(budget.may_begin(start_us + 3'600'000'000));
  budget.spend(20'000);
  EXPECT_FALSE(budget.may_begin(start_us + 3'600'000'000));
}

TEST(login_budget, gives_a_fifth_of_the_time_however_often_it_is_asked) {
  login_budget budget;
  std::int64_t now_us = start_us, spent_us = 0;
  while (now_us < start_us + 10'000'000) {
    if (budget.may_begin(now_us)) {
      budget.spend(18'000);
      spent_us += 18'000;
      now_us += 18'000;
    }
    now_us += 3;
  }
  EXPECT_GE(spent_us, 2'000'000);
  EXPECT_LE(spent_us, 2'000'000 + login_budget::burst_us + 18'000);
}

}  // namespace
}  // namespace restante
