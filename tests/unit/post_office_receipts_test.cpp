// Acknowledgements and receipts.
#include <gmock/gmock.h>

#include <string>

#include "post_office_harness.h"

namespace restante {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class acknowledgements : public post_office_harness {
 protected:
  // What the store answers to the removals by key that are in flight.
  void commit_as(bool found, bool passes_receipts = true, message_number number = 500) {
    batch_result result;
    result.removals_by_key.resize(batch().removals_by_key.size(), {found, number, passes_receipts});
    commit(result);
  }
};

TEST_F(acknowledgements, of_what_is_not_stored_yet_keep_it_from_being_stored) {
  open();
  const auto bert = listening("bert");
  const auto anna = connect("anna");
  const auto number = publish(anna, "direct/bert/anna/m1").number;
  EXPECT_TRUE(office->hear_routed(bert));
  EXPECT_EQ(publish(bert, "ack/bert", "anna/m1\n").what, acceptance::accepted);
  loop();
  EXPECT_FALSE(mail.writing);
  ASSERT_EQ(records.removals.size(), 1U) << "the journal has the message, so it must have this too";
  EXPECT_EQ(records.removals[0].number, number);
}

TEST_F(acknowledgements, of_what_is_stored_remove_it_there) {
  open();
  const auto bert = listening("bert");
  const auto anna = connect("anna");
  const auto number = publish(anna, "direct/bert/anna/m1").number;
  EXPECT_TRUE(office->hear_routed(bert));
  commit_all();
  publish(bert, "ack/bert", "anna/m1\nanna/m1\n");
  loop();
  ASSERT_EQ(batch().removals.size(), 1U);
  EXPECT_EQ(batch().removals[0].account, "bert");
  EXPECT_EQ(batch().removals[0].number, number);
  ASSERT_EQ(records.removals.size(), 1U) << "or a crash would bring it back";
  EXPECT_EQ(records.flushed, records.all.size());
}

TEST_F(acknowledgements, free_the_places_of_all_devices_of_the_account) {
  open();
  const auto phone = listening("bert", "phone"), tablet = listening("bert", "tablet");
  const auto anna = connect("anna");
  publish(anna, "direct/bert/anna/m1");
  EXPECT_TRUE(office->hear_routed(phone));
  EXPECT_TRUE(office->hear_routed(tablet));
  publish(tablet, "ack/bert", "anna/m1\n");
  EXPECT_EQ(held_by(phone), 0U);
  EXPECT_EQ(held_by(tablet), 0U);
}

TEST_F(acknowledgements, of_what_does_not_wait_change_nothing_and_are_logged) {
  open();
  const auto bert = connect("bert");
  EXPECT_EQ(publish(bert, "ack/bert", "anna/never\n").what, acceptance::accepted);
  loop();
  EXPECT_EQ(batch().removals_by_key.size(), 1U);
  commit_as(false);
  EXPECT_EQ(lines.count(log_level::info, "bert acknowledged anna/never, which does not wait for it"), 1U);
  EXPECT_EQ(office->queued_entries(), 0U);
}

TEST_F(acknowledgements, never_hide_what_is_accepted_after_them) {
  auto settings = small();
  settings.queue.batch_removals = 1;
  open(settings);
  const auto anna = connect("anna");
  const auto bert = connect("bert");
  publish(bert, "ack/bert", "anna/m0\nanna/m1\n");  // m1 is yet to come
  publish(anna, "direct/bert/anna/m1");
  const auto first = records.messages.back().what;
  loop();
  EXPECT_EQ(batch().messages.size(), 1U);
  batch_result nothing;
  nothing.removals_by_key.resize(1);
  commit(nothing);  // the removal of m1 is in the next batch
  office->subscribe(bert, "direct/bert/#", 1);
  loop();
  answer(asked(), {first});
  EXPECT_THAT(handed_to("bert"), ElementsAre("direct/bert/anna/m1"));
}

TEST_F(acknowledgements, are_to_be_said_again_when_the_journal_takes_no_more) {
  open();
  const auto bert = listening("bert");
  const auto anna = connect("anna");
  publish(anna, "direct/bert/anna/m1");
  EXPECT_TRUE(office->hear_routed(bert));
  records.others_status = journal_status::full;
  EXPECT_EQ(publish(bert, "ack/bert", "anna/m1\n").what, acceptance::busy);
  EXPECT_EQ(publish(bert, "receipt/cleo/bert/m2", "read").what, acceptance::busy);
  EXPECT_GE(lines.count(log_level::warning, "the journal did not take an acknowledgement"), 1U);
  records.others_status = journal_status::ok;
  EXPECT_EQ(publish(bert, "ack/bert", "anna/m1\n").what, acceptance::accepted);
  EXPECT_EQ(publish(bert, "receipt/cleo/bert/m2", "read").what, acceptance::accepted);
  EXPECT_EQ(held_by(bert), 0U);
  EXPECT_EQ(records.flushed, records.all.size());
}

TEST_F(acknowledgements, make_an_account_known_as_acknowledging_once) {
  open();
  const auto bert = connect("bert");
  EXPECT_EQ(publish(bert, "ack/bert", "no line\n").what, acceptance::refused);
  EXPECT_THAT(mail.acknowledging, IsEmpty());
  publish(bert, "ack/bert", "anna/m1\n");
  publish(bert, "receipt/anna/bert/m2", "delivered");
  EXPECT_THAT(mail.acknowledging, ElementsAre("bert"));
  publish(connect("cleo"), "receipt/anna/cleo/m2", "delivered");
  EXPECT_THAT(mail.acknowledging, ElementsAre("bert", "cleo"));
}

TEST_F(acknowledgements, of_an_account_that_is_known_for_them_are_not_noted_again) {
  open();
  account_record known = rights_of("bert")->record();
  known.has_acknowledged = true;
  office->connect(77, "bert", std::make_shared<const policy>(known, topic_prefix()), true, false);
  publish(77, "ack/bert", "anna/m1\n");
  EXPECT_THAT(mail.acknowledging, IsEmpty());
}

class receipts : public acknowledgements {
 protected:
  // A live message from anna to bert, stored, then acknowledged by bert with a receipt.
  void tell(const std::string& message_topic, const std::string& state = "delivered", int qos = 1) {
    anna_ = listening("anna");
    bert_ = listening("bert");
    publish(anna_, message_topic);
    EXPECT_TRUE(office->hear_routed(bert_));
    commit_all();
    records.messages.clear();
    answer_ = publish(bert_, "receipt/anna/bert/m1", state, qos);
    EXPECT_EQ(answer_.what, acceptance::accepted);
  }
  session_handle anna_ = 0, bert_ = 0;
  acceptance_result answer_;
};

TEST_F(receipts, acknowledge_and_reach_the_sender_who_is_there) {
  open();
  tell("direct/bert/anna/m1");
  EXPECT_TRUE(office->hear_routed(anna_));
  EXPECT_EQ(held_by(anna_), 0U) << "nobody acknowledges receipts";
  EXPECT_EQ(held_by(bert_), 0U);
  EXPECT_GT(answer_.number, 0) << "its recipient is told when it was accepted";
  loop();
  EXPECT_THAT(batch().messages, IsEmpty()) << "handed over before it was stored";
  EXPECT_EQ(batch().removals.size(), 1U);
}

TEST_F(receipts, are_kept_for_the_sender_who_is_away) {
  open();
  tell("direct/bert/anna/m1", "read");
  office->disconnect(anna_);
  EXPECT_FALSE(office->hear_routed(anna_));
  loop();
  ASSERT_EQ(batch().messages.size(), 1U);
  EXPECT_EQ(batch().messages[0].what->topic, "receipt/anna/bert/m1");
  EXPECT_EQ(batch().messages[0].what->payload, "read");
  EXPECT_THAT(batch().messages[0].recipients, ElementsAre("anna"));
}

TEST_F(receipts, keep_their_properties_and_their_expiry_within_the_retention) {
  auto settings = small();
  settings.values.retention_us = 10'000'000;
  open(settings);
  const auto anna = connect("anna"), bert = listening("bert");
  for (const auto& [id, expires_in_us, left_us] :
       {std::tuple("m1", 3'000'000, 3'000'000), std::tuple("m2", 60'000'000, 10'000'000)}) {
    const std::string name = id;
    publish(anna, "direct/bert/anna/" + name);
    EXPECT_TRUE(office->hear_routed(bert));
    office->publish({bert, "receipt/anna/bert/" + name, "read", "some properties", 1, expires_in_us});
    const auto& told = *records.messages.back().what;
    EXPECT_EQ(told.properties, "some properties");
    EXPECT_EQ(told.expires_at_us, told.number + left_us);
  }
}

TEST_F(receipts, of_qos_0_are_heard_by_those_who_are_there_and_not_kept) {
  open();
  tell("direct/bert/anna/m1", "read", 0);
  EXPECT_TRUE(office->hear_routed(anna_));
  EXPECT_THAT(records.messages, IsEmpty());
  loop();
  EXPECT_EQ(batch().removals.size(), 1U) << "it acknowledges all the same";
}

TEST_F(receipts, of_qos_2_are_handed_over_by_the_mailbox) {
  open();
  tell("direct/bert/anna/m1", "read", 2);
  EXPECT_FALSE(office->hear_routed(anna_));
  EXPECT_THAT(handed_to("anna"), ElementsAre("receipt/anna/bert/m1"));
}

TEST_F(receipts, are_delivered_or_read_and_nothing_else) {
  open();
  const auto bert = connect("bert");
  for (const char* payload : {"", "expired", "Read", "read ", "delivered\n", "\xff"}) {
    EXPECT_EQ(publish(bert, "receipt/anna/bert/m1", payload).what, acceptance::refused) << payload;
  }
  EXPECT_EQ(office->queued_entries(), 0U);
}

TEST_F(receipts, for_small_groups_are_passed_on) {
  open();
  tell("group/crew/anna/m1");
  EXPECT_TRUE(office->hear_routed(anna_));
  EXPECT_EQ(records.messages.size(), 1U);
}

TEST_F(receipts, for_large_groups_acknowledge_and_tell_nobody) {
  open();
  tell("group/town/anna/m1");
  EXPECT_FALSE(office->hear_routed(anna_));
  EXPECT_THAT(records.messages, IsEmpty());
  EXPECT_EQ(answer_.number, 0);
  loop();
  EXPECT_EQ(batch().removals.size(), 1U);
}

TEST_F(receipts, for_what_the_core_does_not_hold_are_judged_by_what_the_store_finds) {
  open();
  const auto bert = connect("bert");
  const auto try_one = [&](const char* id, bool found, bool passes_receipts) {
    records.messages.clear();
    publish(bert, std::string("receipt/anna/bert/") + id, "delivered");
    EXPECT_THAT(records.messages, IsEmpty()) << "not before it is known";
    loop();
    EXPECT_TRUE(batch().removals_by_key.at(0).find_only) << "not before its receipt is kept";
    commit_as(found, passes_receipts);
    const bool passed_on = records.messages.size() == 1;
    EXPECT_EQ(records.flushed, records.all.size());
    loop();
    EXPECT_EQ(mail.writing && batch().removals.size() == 1, found) << "acknowledged all the same";
    commit_all();
    return passed_on;
  };
  EXPECT_TRUE(try_one("m1", true, true));
  EXPECT_FALSE(try_one("m3", true, false)) << "a large group";
  EXPECT_FALSE(try_one("m5", false, true));
}

TEST_F(receipts, are_looked_up_again_when_the_journal_took_none) {
  open();
  const auto bert = connect("bert");
  publish(bert, "receipt/anna/bert/m1", "delivered");
  loop();
  records.messages_status = journal_status::full;
  commit_as(true);
  EXPECT_THAT(records.messages, IsEmpty());
  records.messages_status = journal_status::ok;
  loop();
  EXPECT_THAT(batch().removals, IsEmpty()) << "what it tells of is still there to be found";
  EXPECT_TRUE(batch().removals_by_key.at(0).find_only);
  commit_as(true);
  EXPECT_EQ(records.messages.size(), 1U);
}

TEST_F(receipts, that_are_not_passed_on_are_known_as_used) {
  open();
  tell_rosters();
  const auto anna = connect("anna");
  const auto dora = listening("dora");
  publish(anna, "group/town/anna/m1");
  EXPECT_TRUE(office->hear_routed(dora));
  publish(dora, "receipt/anna/dora/m1", "delivered");
  EXPECT_EQ(records.messages.size(), 1U) << "town passes none on";
  const auto* used = std::get_if<used_once>(&records.all.at(1));
  ASSERT_NE(used, nullptr);
  EXPECT_EQ(used->known,
            fingerprint_of(small().key, "receipt/anna/dora/m1/delivered", "receipt/anna/dora/m1"));
  EXPECT_EQ(records.flushed, records.all.size());
}

TEST_F(acknowledgements, by_handing_off_are_written_within_a_loop) {
  open();
  const auto bert = listening("bert", "", acknowledge_mode::handoff);
  const auto anna = connect("anna");
  publish(anna, "direct/bert/anna/m1");
  EXPECT_TRUE(office->hear_routed(bert));
  EXPECT_EQ(records.removals.size(), 1U);
  loop();
  EXPECT_EQ(records.flushed, records.all.size());
}

TEST_F(receipts, refuses_a_receipt_from_somebody_who_is_no_recipient) {
  open();
  const auto anna = listening("anna");
  const auto cleo = connect("cleo");
  publish(anna, "direct/bert/anna/m1");
  commit_all();
  records.messages.clear();
  publish(cleo, "receipt/anna/cleo/m1", "delivered");
  loop();
  ASSERT_EQ(batch().removals_by_key.size(), 1U);
  EXPECT_EQ(batch().removals_by_key[0].account, "cleo") << "never another's mailbox";
  commit_as(false);
  commit_all();
  EXPECT_THAT(records.messages, IsEmpty());
  EXPECT_THAT(clients.published, IsEmpty());
  EXPECT_EQ(lines.count(log_level::info, "receipt receipt/anna/cleo/m1 refused"), 1U);
}

TEST_F(receipts, of_read_may_come_later_but_only_to_whom_one_may_write) {
  open();
  const auto bert = connect("bert");
  publish(bert, "receipt/anna/bert/m1", "read");
  loop();
  commit_as(false);
  EXPECT_EQ(records.messages.size(), 1U);

  account_record mute = rights_of("bert")->record();
  mute.rules.erase(mute.rules.begin());
  office->set_rights(std::make_shared<const policy>(mute, topic_prefix()));
  publish(bert, "receipt/anna/bert/m2", "read");
  commit_all();
  EXPECT_EQ(records.messages.size(), 1U);
  EXPECT_EQ(lines.count(log_level::info, "receipt receipt/anna/bert/m2 refused"), 1U);
}

TEST_F(receipts, that_are_repeated_acknowledge_again_and_tell_nobody) {
  open();
  tell("direct/bert/anna/m1");
  EXPECT_TRUE(office->hear_routed(anna_));
  commit_all();
  EXPECT_EQ(publish(bert_, "receipt/anna/bert/m1", "delivered").what, acceptance::accepted);
  EXPECT_FALSE(office->hear_routed(anna_));
  EXPECT_EQ(records.messages.size(), 1U);
  loop();
  EXPECT_EQ(batch().removals_by_key.size(), 1U);
  commit_as(false);
  EXPECT_EQ(publish(bert_, "receipt/anna/bert/m1", "read").what, acceptance::accepted);
  commit_all();
  EXPECT_EQ(records.messages.size(), 2U) << "another state is no repeat";
}

class expired_receipts : public post_office_harness {};

TEST_F(expired_receipts, settle_their_dead_letters_even_when_handed_over_live) {
  open();
  listening("anna");
  office->expired_due({{7, "anna", "bert", "m1"}, {8, "anna", "bert", "m2"}});
  EXPECT_THAT(handed_to("anna"), ElementsAre("receipt/anna/bert/m1", "receipt/anna/bert/m2"));
  EXPECT_EQ(clients.published[0].what.payload, "expired");
  loop();
  ASSERT_EQ(batch().messages.size(), 2U);
  EXPECT_EQ(batch().messages[0].dead_letter, 7);
  EXPECT_EQ(batch().messages[1].dead_letter, 8);
  EXPECT_THAT(batch().messages[0].recipients, IsEmpty()) << "there is nothing to keep";
}

TEST_F(expired_receipts, are_kept_for_a_sender_who_is_away) {
  open();
  office->expired_due({{7, "anna", "bert", "m1"}});
  loop();
  ASSERT_EQ(batch().messages.size(), 1U);
  EXPECT_THAT(batch().messages[0].recipients, ElementsAre("anna"));
  EXPECT_EQ(batch().messages[0].what->qos, 1);
  EXPECT_EQ(batch().messages[0].what->key, (message_key{"bert", "m1"}));
  EXPECT_THAT(clients.published, IsEmpty());
}

TEST_F(expired_receipts, are_not_made_of_names_that_are_none) {
  open();
  office->expired_due({{7, "an/na", "bert", "m1"}, {8, "anna", "", "m2"}, {9, "anna", "bert", "m 3"}});
  EXPECT_EQ(office->queued_entries(), 0U);
}

TEST_F(expired_receipts, wait_when_the_journal_is_full) {
  auto settings = small();
  open(settings);
  std::vector<expired_delivery> many;
  for (int i = 0; i < 20; ++i) many.push_back({i + 1, "anna", "bert", "m" + std::to_string(i)});
  office->expired_due(many);
  EXPECT_EQ(office->queued_entries(), 20U);
  commit_all();
  records.messages_status = journal_status::full;
  listening("anna");
  office->expired_due(many);
  EXPECT_EQ(office->queued_entries(), 0U);
  EXPECT_THAT(clients.published, IsEmpty()) << "what is not kept would come twice";
}

}  // namespace
}  // namespace restante
