// That the judge finds what it is for: without this, no count of 0 would mean anything.
#include "judge.h"

#include <gtest/gtest.h>

namespace restante::faults {
namespace {

ledger_entry entry(seen what, std::uint32_t number, std::int64_t at_ns) {
  return {.at_ns = at_ns, .number = number, .what = what, .qos = 1};
}
ledger_entry accepted(std::uint32_t number, std::int64_t at_ns = 1) {
  return entry(seen::accepted, number, at_ns);
}
ledger_entry handed_over(std::uint32_t number, std::int64_t at_ns = 3) {
  return entry(seen::handed_over, number, at_ns);
}
ledger_entry acknowledged(std::uint32_t number) { return entry(seen::acknowledged, number, 4); }

using entries = std::vector<ledger_entry>;
const std::vector<std::int64_t> fault{2};

TEST(judge, finds_nothing_where_all_is_well) {
  const auto found = judge(entries{accepted(0), accepted(1)},
                           entries{handed_over(0), acknowledged(0), handed_over(1), acknowledged(1)}, {});
  EXPECT_EQ(describe(found), "2 accepted, lost 0, duplicated 0, repeats 0, recovered 0, out of order 0");
}

TEST(judge, counts_what_was_accepted_and_never_came_as_lost) {
  const auto found = judge(entries{accepted(0), accepted(1)}, entries{handed_over(1)}, {});
  EXPECT_EQ(found.lost, 1U);
  EXPECT_EQ(found.examples, std::vector<std::string>{"lost: sender-000 to recipient-000 number 0"});
}

TEST(judge, counts_what_comes_after_its_acknowledgement_was_answered_as_duplicated) {
  const auto found =
      judge(entries{accepted(0)}, entries{handed_over(0), acknowledged(0), handed_over(0)}, {});
  EXPECT_EQ(found.duplicated, 1U);
  EXPECT_EQ(found.repeats, 0U);
}

TEST(judge, counts_what_comes_again_before_that_as_a_repeat) {
  const auto found =
      judge(entries{accepted(0)}, entries{handed_over(0), handed_over(0), acknowledged(0)}, {});
  EXPECT_EQ(found.duplicated, 0U);
  EXPECT_EQ(found.repeats, 1U);
}

TEST(judge, counts_what_was_accepted_before_a_fault_and_came_after_it_as_recovered) {
  const auto found = judge(entries{accepted(0), accepted(1), accepted(2, 3)},
                           entries{handed_over(0, 1), handed_over(1), handed_over(2)}, fault);
  EXPECT_EQ(found.recovered, 1U);
}

TEST(judge, counts_a_first_hand_over_behind_a_later_one_as_out_of_order) {
  const auto found = judge(entries{accepted(0), accepted(1)}, entries{handed_over(1), handed_over(0)}, {});
  EXPECT_EQ(found.out_of_order, 1U);
}

TEST(judge, asks_no_order_of_what_was_published_twice) {
  auto repeated = accepted(0);
  repeated.repeated = 1;
  const auto found = judge(entries{repeated, accepted(1)}, entries{handed_over(1), handed_over(0)}, {});
  EXPECT_EQ(found.out_of_order, 0U);
}

TEST(judge, takes_each_pair_of_accounts_for_itself) {
  auto from_another = accepted(0);
  from_another.sender = 1;
  auto handed_over_of_another = handed_over(0);
  handed_over_of_another.sender = 1;
  const auto found = judge(entries{accepted(0), accepted(1), from_another},
                           entries{handed_over(0), handed_over(1), handed_over_of_another}, {});
  EXPECT_EQ(describe(found), "3 accepted, lost 0, duplicated 0, repeats 0, recovered 0, out of order 0");
}

}  // namespace
}  // namespace restante::faults
