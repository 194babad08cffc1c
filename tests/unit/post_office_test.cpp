// What is accepted, refused and put off.
#include <gmock/gmock.h>

#include <string>

#include "post_office_harness.h"

namespace restante {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class acceptance_of_messages : public post_office_harness {};

TEST_F(acceptance_of_messages, leaves_other_topics_to_the_rules) {
  open();
  const auto anna = connect("anna");
  EXPECT_EQ(publish(anna, "weather/today").what, acceptance::ordinary);
  EXPECT_EQ(publish(anna, "directly/bert/anna/m1").what, acceptance::ordinary);
  EXPECT_EQ(publish(99, "weather/today").what, acceptance::ordinary);
}

TEST_F(acceptance_of_messages, refuses_what_is_no_message_of_the_publisher) {
  open();
  const auto anna = connect("anna");
  const auto dora = connect("dora");
  for (const char* topic :
       {"direct/bert/cleo/m1", "direct/bert/anna", "direct/bert/anna/m1/more", "group/crew/bert/m1",
        "ack/bert", "receipt/anna/bert/m1", "direct/bert/Anna/m1"}) {
    const auto result = publish(anna, topic, "delivered");
    EXPECT_EQ(result.what, acceptance::refused) << topic;
    EXPECT_FALSE(result.why.empty()) << topic;
  }
  EXPECT_EQ(publish(dora, "group/crew/dora/m1").what, acceptance::refused) << "no member";
  EXPECT_EQ(publish(99, "direct/bert/anna/m1").what, acceptance::refused) << "nobody has logged in";
  EXPECT_EQ(office->queued_entries(), 0U);
  EXPECT_THAT(records.messages, IsEmpty());
}

TEST_F(acceptance_of_messages, takes_a_payload_of_max_payload_and_no_larger) {
  auto settings = small();
  settings.values.max_payload_bytes = 10;
  open(settings);
  const auto anna = connect("anna");
  EXPECT_EQ(publish(anna, "direct/bert/anna/m1", std::string(10, 'x')).what, acceptance::accepted);
  for (const int qos : {0, 1, 2}) {
    const auto result = publish(anna, "direct/bert/anna/m2", std::string(11, 'x'), qos);
    EXPECT_EQ(result.what, acceptance::refused);
    EXPECT_THAT(result.why, HasSubstr("max_payload"));
  }
  EXPECT_EQ(publish(anna, "ack/anna", "anna/m1\nanna/m2\n").what, acceptance::refused);
  EXPECT_EQ(office->queued_entries(), 1U);
}

TEST_F(acceptance_of_messages, numbers_grow_when_the_clock_is_set_back) {
  open();
  const auto anna = connect("anna");
  const auto first = publish(anna, "direct/bert/anna/m1").number;
  EXPECT_EQ(first, time.wall_us);
  const auto same_microsecond = publish(anna, "direct/bert/anna/m2").number;
  EXPECT_EQ(same_microsecond, first + 1);
  time.wall_us -= 3'600'000'000;
  EXPECT_EQ(publish(anna, "direct/bert/anna/m3").number, first + 2);
  EXPECT_EQ(publish(anna, "direct/bert/anna/m4", "", 0).number, first + 3);
  time.wall_us += 7'200'000'000;
  EXPECT_EQ(publish(anna, "direct/bert/anna/m5").number, time.wall_us);
}

TEST_F(acceptance_of_messages, numbers_grow_beyond_what_was_stored_before_the_start) {
  open_unready();
  office->store_ready(time.wall_us + 5'000'000, 0);
  const auto anna = connect("anna");
  EXPECT_EQ(publish(anna, "direct/bert/anna/m1").number, time.wall_us + 5'000'001);
}

TEST_F(acceptance_of_messages, puts_off_what_comes_before_the_store_is_reached) {
  open_unready();
  const auto anna = connect("anna");
  EXPECT_EQ(publish(anna, "direct/bert/anna/m1").what, acceptance::busy);
  EXPECT_THAT(records.messages, IsEmpty());
  office->store_ready(0, 0);
  EXPECT_EQ(publish(anna, "direct/bert/anna/m1").what, acceptance::accepted);
}

TEST_F(acceptance_of_messages, puts_off_everything_durable_while_the_clock_is_an_hour_off) {
  constexpr std::int64_t hour_us = 3'600'000'000;
  for (const std::int64_t offset_us : {hour_us + 1, -hour_us - 1}) {
    lines.lines.clear();
    open(small(), offset_us);
    const auto anna = connect("anna");
    const auto result = publish(anna, "direct/bert/anna/m1");
    EXPECT_EQ(result.what, acceptance::busy);
    EXPECT_THAT(result.why, HasSubstr("an hour apart"));
    EXPECT_EQ(lines.count(log_level::error, "an hour apart"), 1U);
    EXPECT_EQ(publish(anna, "ack/anna", "bert/m1").what, acceptance::accepted);
    office->store_ready(0, offset_us);
    EXPECT_EQ(lines.count(log_level::error, "an hour apart"), 1U) << "said already";
    office->store_ready(0, hour_us);
    EXPECT_EQ(publish(anna, "direct/bert/anna/m1").what, acceptance::accepted) << "it was set right";
    office->store_ready(0, offset_us);
    EXPECT_EQ(lines.count(log_level::error, "an hour apart"), 2U) << "wrong again";
  }
}

TEST_F(acceptance_of_messages, keeps_nothing_that_it_puts_off) {
  auto settings = small();
  settings.queue.removals = 2;
  open(settings);
  const auto anna = connect("anna");
  EXPECT_EQ(publish(anna, "ack/anna", "bert/x1\nbert/x2\nbert/x3\n").what, acceptance::busy);
  EXPECT_EQ(publish(anna, "ack/anna", "bert/x1\nbert/x2\n").what, acceptance::accepted);
  const auto result = publish(anna, "ack/anna", "bert/x3\n");
  EXPECT_EQ(result.what, acceptance::busy);
  EXPECT_THAT(result.why, HasSubstr("too much waits to be stored"));
  EXPECT_EQ(publish(anna, "receipt/bert/anna/m1", "read").what, acceptance::busy);
  EXPECT_EQ(office->queued_entries(), 2U);
  EXPECT_EQ(records.all.size(), 2U);
  EXPECT_EQ(publish(anna, "direct/bert/anna/m1").what, acceptance::accepted) << "messages have room";

  commit_all();
  EXPECT_EQ(publish(anna, "receipt/bert/anna/m1", "read").what, acceptance::accepted) << "it is no repeat";
}

TEST_F(acceptance_of_messages, puts_off_what_the_journal_does_not_take) {
  open();
  const auto bert = listening("bert");
  const auto anna = connect("anna");
  for (const auto status : {journal_status::full, journal_status::failed}) {
    records.messages_status = status;
    EXPECT_EQ(publish(anna, "direct/bert/anna/m1").what, acceptance::busy);
    EXPECT_FALSE(office->hear_routed(bert));
    EXPECT_EQ(office->queued_entries(), 0U);
  }
  records.messages_status = journal_status::ok;
  EXPECT_EQ(publish(anna, "direct/bert/anna/m1").what, acceptance::accepted) << "it is no repeat";
  EXPECT_TRUE(office->hear_routed(bert));
}

TEST_F(acceptance_of_messages, bounds_what_one_sender_has_queued) {
  auto settings = small();
  settings.values.sender_limit = 3;
  open(settings);
  const auto anna = connect("anna");
  const auto bert = connect("bert");
  tell_rosters();
  EXPECT_EQ(publish(anna, "direct/cleo/anna/m1").what, acceptance::accepted);
  EXPECT_EQ(publish(anna, "direct/cleo/anna/m2").what, acceptance::accepted);
  EXPECT_EQ(publish(anna, "group/crew/anna/m3").what, acceptance::busy) << "it counts its audience of two";
  EXPECT_EQ(publish(anna, "direct/cleo/anna/m4").what, acceptance::accepted);
  const auto result = publish(anna, "direct/cleo/anna/m5");
  EXPECT_EQ(result.what, acceptance::busy);
  EXPECT_THAT(result.why, HasSubstr("sender_limit"));
  EXPECT_EQ(publish(bert, "direct/cleo/bert/m1").what, acceptance::accepted) << "another sender";
  commit_all();
  EXPECT_EQ(publish(anna, "direct/cleo/anna/m5").what, acceptance::accepted);
}

TEST_F(acceptance_of_messages, lets_a_group_larger_than_the_sender_limit_have_its_turn) {
  auto settings = small();
  settings.values.sender_limit = 2;
  open(settings);
  const auto anna = connect("anna");
  tell_rosters();
  EXPECT_EQ(publish(anna, "group/town/anna/m1").what, acceptance::accepted);
  EXPECT_EQ(publish(anna, "group/town/anna/m2").what, acceptance::busy);
  commit_all();
  EXPECT_EQ(publish(anna, "group/town/anna/m2").what, acceptance::accepted);
}

TEST_F(acceptance_of_messages, spends_a_publish_rate_each_second) {
  auto settings = small();
  settings.values.publish_rate = 3;
  open(settings);
  const auto anna = connect("anna");
  const auto bert = connect("bert");
  tell_rosters();
  EXPECT_EQ(publish(anna, "direct/cleo/anna/m1").what, acceptance::accepted);
  EXPECT_EQ(publish(anna, "direct/cleo/anna/m1").what, acceptance::accepted) << "a repeat costs nothing";
  EXPECT_EQ(publish(anna, "ack/anna", "bert/m1").what, acceptance::accepted) << "nor does ack";
  EXPECT_EQ(publish(anna, "receipt/bert/anna/m1", "read").what, acceptance::accepted);
  EXPECT_EQ(publish(anna, "direct/cleo/anna/live", "", 0).what, acceptance::accepted);
  const auto result = publish(anna, "direct/cleo/anna/m2");
  EXPECT_EQ(result.what, acceptance::busy);
  EXPECT_THAT(result.why, HasSubstr("publish_rate"));
  EXPECT_EQ(publish(anna, "receipt/bert/anna/m2", "read").what, acceptance::busy);
  EXPECT_EQ(publish(anna, "direct/cleo/anna/live", "", 0).what, acceptance::refused) << "not to be repeated";
  EXPECT_EQ(publish(bert, "direct/cleo/bert/m1").what, acceptance::accepted) << "another account";

  loop(1'000'000);
  EXPECT_EQ(publish(anna, "direct/cleo/anna/m2").what, acceptance::accepted) << "it is no repeat";
}

TEST_F(acceptance_of_messages, spends_a_publish_rate_by_audience_and_for_all_devices_together) {
  auto settings = small();
  settings.values.publish_rate = 3;
  open(settings);
  const auto phone = connect("anna", "phone"), tablet = connect("anna", "tablet");
  tell_rosters();
  EXPECT_EQ(publish(phone, "group/crew/anna/m1").what, acceptance::accepted);
  EXPECT_EQ(publish(tablet, "group/town/anna/m2").what, acceptance::accepted) << "one is left, so it may";
  EXPECT_EQ(publish(phone, "direct/cleo/anna/m3").what, acceptance::busy);
  loop(999'000);
  EXPECT_EQ(publish(phone, "direct/cleo/anna/m3").what, acceptance::busy);
  loop(1'000);
  EXPECT_EQ(publish(phone, "direct/cleo/anna/m3").what, acceptance::accepted);
}

TEST_F(acceptance_of_messages, answers_a_repeat_with_success_and_refuses_its_id_elsewhere) {
  open();
  const auto anna = connect("anna");
  EXPECT_EQ(publish(anna, "direct/bert/anna/m1").what, acceptance::accepted);
  commit_all();
  const auto repeat = publish(anna, "direct/bert/anna/m1", "another payload", 2);
  EXPECT_EQ(repeat.what, acceptance::accepted);
  EXPECT_EQ(repeat.number, 0);
  EXPECT_EQ(publish(anna, "direct/cleo/anna/m1").what, acceptance::refused);
  EXPECT_EQ(publish(anna, "group/crew/anna/m1").what, acceptance::refused);
  EXPECT_EQ(office->queued_entries(), 0U);
  loop(2 * small().values.dedupe_us);
  EXPECT_EQ(publish(anna, "direct/cleo/anna/m1").what, acceptance::accepted) << "it is forgotten";
}

TEST_F(acceptance_of_messages, names_the_members_of_a_group_but_not_its_sender) {
  open();
  const auto anna = connect("anna");
  publish(anna, "group/crew/anna/before");
  EXPECT_EQ(records.messages.back().group, "crew") << "its roster is not known yet";
  EXPECT_THAT(records.messages.back().recipients, IsEmpty());
  tell_rosters();
  publish(anna, "group/crew/anna/m1");
  EXPECT_THAT(records.messages.back().recipients, ElementsAre("bert", "cleo"));
  EXPECT_EQ(records.messages.back().group, "");
  office->set_roster({"crew", {}, false});
  publish(anna, "group/crew/anna/m2");
  EXPECT_EQ(records.messages.back().group, "crew") << "too large to be held";
  office->set_roster({"crew", {"anna"}, true});
  EXPECT_EQ(publish(anna, "group/crew/anna/alone").what, acceptance::accepted);
  EXPECT_EQ(records.messages.size(), 3U) << "there is nobody to keep it for";
  EXPECT_EQ(publish(anna, "direct/bert/anna/alone").what, acceptance::refused)
      << "the id is used all the same";
}

TEST_F(acceptance_of_messages, never_lets_a_message_outlive_the_retention) {
  auto settings = small();
  settings.values.retention_us = 10'000'000;
  open(settings);
  const auto anna = connect("anna");
  const auto expiry_of = [&](const char* id, std::int64_t expires_in_us) {
    const std::string topic = std::string("direct/bert/anna/") + id;
    office->publish({anna, topic, {}, {}, 1, expires_in_us});
    const auto& what = *records.messages.back().what;
    return what.expires_at_us == 0 ? 0 : what.expires_at_us - what.number;
  };
  EXPECT_EQ(expiry_of("none", 0), 0);
  EXPECT_EQ(expiry_of("short", 3'000'000), 3'000'000);
  EXPECT_EQ(expiry_of("long", 4'294'967'295'000'000), 10'000'000);
}

class reading_back : public post_office_harness {};

TEST_F(reading_back, that_fails_is_told_once_and_tried_again) {
  open();
  const auto anna = listening("anna");
  records.unreadable = true;
  EXPECT_EQ(publish(anna, "direct/bert/anna/m1").what, acceptance::accepted);
  for (int i = 0; i < 10; ++i) loop();
  EXPECT_FALSE(mail.writing);
  EXPECT_EQ(lines.count(log_level::error, "the journal cannot be read"), 1U);
  EXPECT_FALSE(office->is_drained());
  loop(1'000'000);
  EXPECT_EQ(lines.count(log_level::error, "the journal cannot be read"), 1U);
  records.unreadable = false;
  loop(1'000'000);
  EXPECT_EQ(batch().messages.size(), 1U);
}

}  // namespace
}  // namespace restante
