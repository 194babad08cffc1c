// Receipts for messages at QoS 0, which nobody keeps.
#include <gmock/gmock.h>

#include <string>

#include "post_office_harness.h"

namespace restante {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class unkept : public post_office_harness {
 protected:
  void open_for_two(post_office_settings settings = small()) {
    open(std::move(settings));
    anna_ = listening("anna");
    bert_ = listening("bert");
  }
  // From anna at QoS 0, and whether bert hears it.
  bool give(const std::string& topic) {
    EXPECT_EQ(publish(anna_, topic, "", 0).what, acceptance::accepted);
    return office->hear_routed(bert_);
  }
  acceptance_result tell(const std::string& id, const std::string& state = "delivered", int qos = 1) {
    return publish(bert_, "receipt/anna/bert/" + id, state, qos);
  }
  // What there is to be stored is, and no message is looked up or removed.
  void expect_no_removal() {
    loop();
    if (!mail.writing) return;
    EXPECT_THAT(batch().removals_by_key, IsEmpty());
    commit_all();
  }
  session_handle anna_ = 0, bert_ = 0;
};

TEST_F(unkept, messages_are_told_of_at_once_and_need_neither_journal_nor_store) {
  open_for_two();
  EXPECT_TRUE(give("direct/bert/anna/m1"));
  for (const std::string state : {"delivered", "read", "read"}) {
    EXPECT_GT(tell("m1", state, 0).number, 0) << state;
    EXPECT_TRUE(office->hear_routed(anna_)) << state;
  }
  loop();
  EXPECT_FALSE(mail.writing);
  EXPECT_THAT(records.all, IsEmpty());
  EXPECT_EQ(office->queued_entries(), 0U);
}

TEST_F(unkept, messages_are_told_of_once_by_receipts_that_are_kept) {
  open_for_two();
  EXPECT_TRUE(give("direct/bert/anna/m1"));
  EXPECT_GT(tell("m1", "delivered").number, 0);
  EXPECT_TRUE(office->hear_routed(anna_));
  EXPECT_EQ(tell("m1", "delivered").what, acceptance::accepted);
  EXPECT_FALSE(office->hear_routed(anna_)) << "a repeat";
  EXPECT_GT(tell("m1", "read", 2).number, 0) << "another state is none";
  EXPECT_THAT(handed_to("anna"), ElementsAre("receipt/anna/bert/m1"));
  EXPECT_EQ(records.messages.size(), 2U);
  expect_no_removal();
}

TEST_F(unkept, messages_are_told_of_to_a_sender_who_left) {
  open_for_two();
  EXPECT_TRUE(give("direct/bert/anna/m1"));
  office->disconnect(anna_);
  tell("m1");
  loop();
  ASSERT_EQ(batch().messages.size(), 1U);
  EXPECT_THAT(batch().messages[0].recipients, ElementsAre("anna"));
  EXPECT_THAT(batch().removals_by_key, IsEmpty());
}

TEST_F(unkept, messages_are_told_of_by_those_who_may_not_write_to_the_sender) {
  open_for_two();
  account_record mute = rights_of("bert")->record();
  mute.rules.erase(mute.rules.begin());
  office->set_rights(std::make_shared<const policy>(mute, topic_prefix()));
  EXPECT_TRUE(give("direct/bert/anna/m1"));
  EXPECT_GT(tell("m1", "read").number, 0);
}

TEST_F(unkept, messages_are_told_of_from_any_device_of_the_account) {
  open_for_two();
  const auto tablet = connect("bert", "tablet");
  EXPECT_TRUE(give("direct/bert/anna/m1"));
  EXPECT_FALSE(office->hear_routed(tablet)) << "it has not subscribed";
  EXPECT_GT(publish(tablet, "receipt/anna/bert/m1", "delivered", 0).number, 0);
  office->disconnect(bert_);
  EXPECT_GT(publish(tablet, "receipt/anna/bert/m1", "read", 0).number, 0);
}

TEST_F(unkept, messages_are_not_told_of_by_who_did_not_hear_them) {
  open_for_two();
  const auto cleo = listening("cleo");
  EXPECT_TRUE(give("direct/bert/anna/m1"));
  EXPECT_FALSE(office->hear_routed(cleo));
  EXPECT_EQ(publish(cleo, "receipt/anna/cleo/m1", "delivered").number, 0);
  publish(anna_, "direct/bert/anna/m2", "", 0);  // the broker knows of no such subscription
  EXPECT_EQ(tell("m2").number, 0);
  EXPECT_EQ(publish(bert_, "receipt/cleo/bert/m1", "delivered").number, 0) << "it is not cleo's";
  commit_all();
  EXPECT_THAT(records.messages, IsEmpty());
  EXPECT_EQ(lines.count(log_level::info, "refused: no such message waits"), 3U);
}

TEST_F(unkept, messages_of_a_sender_who_is_blocked_are_not_told_of) {
  open_for_two();
  account_record blocking = rights_of("bert")->record();
  blocking.blocked.emplace_back("anna");
  office->set_rights(std::make_shared<const policy>(blocking, topic_prefix()));
  EXPECT_FALSE(give("direct/bert/anna/m1"));
  EXPECT_EQ(tell("m1").number, 0);
}

TEST_F(unkept, messages_of_groups_go_by_the_rule_of_the_group) {
  open_for_two();
  tell_rosters();
  EXPECT_TRUE(give("group/crew/anna/m1"));
  EXPECT_GT(tell("m1").number, 0);
  EXPECT_TRUE(give("group/town/anna/m2"));
  EXPECT_EQ(tell("m2").what, acceptance::accepted);
  EXPECT_EQ(tell("m2", "read", 0).what, acceptance::accepted);
  EXPECT_EQ(records.messages.size(), 1U) << "town passes none on";
  EXPECT_FALSE(office->hear_routed(anna_));
  // Who left tells no more.
  account_record alone = rights_of("bert")->record();
  alone.groups.clear();
  office->set_rights(std::make_shared<const policy>(alone, topic_prefix()));
  EXPECT_EQ(tell("m1", "read", 0).number, 0);
  expect_no_removal();
}

TEST_F(unkept, messages_may_be_acknowledged_and_cost_nothing) {
  open_for_two();
  EXPECT_TRUE(give("direct/bert/anna/m1"));
  EXPECT_EQ(publish(bert_, "ack/bert", "anna/m1\n").what, acceptance::accepted);
  loop();
  EXPECT_FALSE(mail.writing);
  EXPECT_THAT(records.all, IsEmpty());
  EXPECT_GT(tell("m1").number, 0) << "acknowledging does not tell";
}

TEST_F(unkept, messages_are_remembered_up_to_a_window_and_no_longer_than_the_connection) {
  open_for_two();
  for (int i = 0; i <= 3; ++i) EXPECT_TRUE(give("direct/bert/anna/m" + std::to_string(i)));
  EXPECT_EQ(tell("m0", "delivered", 0).number, 0);
  EXPECT_GT(tell("m1", "delivered", 0).number, 0);
  EXPECT_GT(tell("m3", "delivered", 0).number, 0);
  office->disconnect(bert_);
  bert_ = listening("bert");
  EXPECT_EQ(tell("m3", "delivered", 0).number, 0);
}

TEST_F(unkept, copies_of_what_is_kept_are_acknowledged_in_the_mailbox) {
  open();
  anna_ = listening("anna");
  bert_ = connect("bert");
  office->subscribe(bert_, "direct/bert/#", 0);
  publish(anna_, "direct/bert/anna/m1");  // at QoS 1, heard by a filter at QoS 0
  EXPECT_TRUE(office->hear_routed(bert_));
  commit_all();
  records.messages.clear();
  EXPECT_EQ(tell("m1").number, 0) << "not before it is found";
  loop();
  ASSERT_EQ(batch().removals_by_key.size(), 1U);
  batch_result found;
  found.removals_by_key.push_back({true, 500, true});
  commit(found);
  EXPECT_EQ(records.messages.size(), 1U);
  loop();
  EXPECT_EQ(batch().removals.size(), 1U);
}

// An id should be used once; a sender that tries again at QoS 1 uses it twice.
class ids_used_at_qos_0_and_kept : public unkept {
 protected:
  // What is kept goes, by its number or its key.
  void expect_removal(std::size_t by_number, std::size_t by_key) {
    loop();
    std::size_t removed = 0;
    for (const auto& each : batch().removals) removed += each.account == "bert" ? 1 : 0;
    EXPECT_EQ(removed, by_number);
    EXPECT_EQ(batch().removals_by_key.size(), by_key);
    for (const auto& each : batch().removals_by_key) {
      EXPECT_EQ(each.account, "bert");
      EXPECT_EQ(each.key, (message_key{"anna", "m1"}));
      EXPECT_FALSE(each.find_only);
    }
    batch_result found;
    found.removals_by_key.resize(by_key, {true, 500, true});
    commit(found);
  }
};

TEST_F(ids_used_at_qos_0_and_kept, acknowledge_what_is_held) {
  open_for_two();
  EXPECT_TRUE(give("direct/bert/anna/m1"));
  publish(anna_, "direct/bert/anna/m1");
  EXPECT_TRUE(office->hear_routed(bert_));
  commit_all();
  EXPECT_GT(tell("m1").number, 0);
  EXPECT_EQ(held_by(bert_), 0U);
  expect_removal(1, 0);
}

TEST_F(ids_used_at_qos_0_and_kept, acknowledge_what_waits_and_was_accepted_later) {
  open_for_two();
  EXPECT_TRUE(give("direct/bert/anna/m1"));
  office->unsubscribe(bert_, "direct/bert/#");
  publish(anna_, "direct/bert/anna/m1");
  EXPECT_FALSE(office->hear_routed(bert_));
  commit_all();
  EXPECT_GT(tell("m1", "delivered", 0).number, 0);
  EXPECT_EQ(records.flushed, records.all.size()) << "or a crash would bring it back";
  expect_removal(0, 1);
}

TEST_F(ids_used_at_qos_0_and_kept, acknowledge_what_waits_and_was_accepted_before) {
  open();
  anna_ = listening("anna");
  publish(anna_, "direct/bert/anna/m1");
  bert_ = connect("bert");
  office->subscribe(bert_, "direct/bert/#", 0);
  commit_all();
  EXPECT_TRUE(give("direct/bert/anna/m1"));
  EXPECT_GT(tell("m1").number, 0);
  expect_removal(0, 1);
  commit_all();
  tell("m1");  // also when repeated
  expect_removal(0, 1);
}

TEST_F(ids_used_at_qos_0_and_kept, acknowledge_what_the_broker_resent_long_after) {
  open();
  anna_ = listening("anna");
  bert_ = resume("bert", "bert");
  EXPECT_TRUE(office->hear_resent(bert_, "direct/bert/anna/m1", 5));
  office->told_subscription_count(bert_, 1);
  EXPECT_TRUE(give("direct/bert/anna/m1"));
  EXPECT_GT(tell("m1").number, 0);
  EXPECT_EQ(held_by(bert_), 0U);
  expect_removal(0, 1);
}

TEST_F(ids_used_at_qos_0_and_kept, acknowledge_both_when_repeats_are_not_remembered) {
  auto settings = small();
  settings.values.dedupe_us = 0;
  open_for_two(settings);
  EXPECT_TRUE(give("direct/bert/anna/m1"));
  EXPECT_GT(tell("m1").number, 0);
  expect_removal(0, 1);
}

// Dedupe has forgotten it: it comes again, and goes then.
TEST_F(ids_used_at_qos_0_and_kept, leave_nothing_unacknowledged_for_ever) {
  open();
  anna_ = listening("anna");
  bert_ = connect("bert");
  office->subscribe(bert_, "direct/bert/#", 0);
  EXPECT_TRUE(give("direct/bert/anna/m1"));
  EXPECT_GT(tell("m1").number, 0);
  office->subscribe(bert_, "direct/bert/#", 1);
  loop();
  answer(asked(), {row(500, "direct/bert/anna/m1")});
  EXPECT_THAT(handed_to("bert"), ElementsAre("direct/bert/anna/m1"));
  commit_all();
  tell("m1");  // a repeat
  EXPECT_EQ(held_by(bert_), 0U);
  expect_removal(1, 0);
}

}  // namespace
}  // namespace restante
