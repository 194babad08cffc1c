// What `ack` leaves in the journal.
#include <gmock/gmock.h>

#include <string>
#include <variant>
#include <vector>

#include "post_office_harness.h"

namespace restante {
namespace {

using acknowledgement = post_office_harness;

TEST_F(acknowledgement, of_several_is_one_record_that_stays_until_they_are_removed) {
  open();
  const auto anna = connect("anna");
  const auto bert = listening("bert");
  std::vector<message_number> numbers;
  for (const auto* id : {"m1", "m2"}) {
    numbers.push_back(publish(anna, "direct/bert/anna/" + std::string(id)).number);
    ASSERT_TRUE(office->hear_routed(bert));
  }
  commit_all();
  const auto before = records.end();
  ASSERT_EQ(publish(bert, "ack/bert", "anna/m1\nanna/of-old\nanna/m2\n").what, acceptance::accepted);
  ASSERT_EQ(records.end(), before + 2);
  ASSERT_TRUE(std::holds_alternative<removal_by_key>(records.all[before]));
  const auto* together = std::get_if<removal_list>(&records.all[before + 1]);
  ASSERT_NE(together, nullptr);
  EXPECT_EQ(together->account, "bert");
  EXPECT_EQ(together->numbers, numbers);

  loop();
  ASSERT_EQ(batch().removals.size(), 2U);
  EXPECT_LE(records.trimmed_to, before);
  commit_all();
  loop(200'000);
  EXPECT_EQ(records.trimmed_to, records.end());
}

TEST_F(acknowledgement, of_what_was_not_kept_is_not_recorded) {
  open();
  const auto anna = connect("anna");
  const auto bert = listening("bert");
  ASSERT_EQ(publish(anna, "direct/bert/anna/live", "", 0).what, acceptance::accepted);
  ASSERT_TRUE(office->hear_routed(bert));
  const auto before = records.end();
  EXPECT_EQ(publish(bert, "ack/bert", "anna/live").what, acceptance::accepted);
  EXPECT_EQ(records.end(), before);
}

TEST_F(acknowledgement, of_several_that_the_journal_does_not_take_is_put_off) {
  open();
  const auto anna = connect("anna");
  const auto bert = listening("bert");
  for (const auto* id : {"m1", "m2"}) {
    publish(anna, "direct/bert/anna/" + std::string(id));
    ASSERT_TRUE(office->hear_routed(bert));
  }
  records.others_status = journal_status::full;
  EXPECT_EQ(publish(bert, "ack/bert", "anna/m1\nanna/m2").what, acceptance::busy);
}

}  // namespace
}  // namespace restante
