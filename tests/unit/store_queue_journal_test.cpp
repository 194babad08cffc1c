// What the store queue reads back from the journal: batches, and the overflow.
#include "store_queue_harness.h"

namespace restante {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(store_queue_batches, give_back_what_was_accepted) {
  queue_of queue({});
  auto told = letter(10, {"anna"}, 100);
  auto changed = std::make_shared<message>(*told.what);
  changed->topic = "receipt/anna/bert/m10";
  changed->properties = "\x26";
  changed->qos = 2;
  changed->expires_at_us = 77;
  told = {changed, {"anna"}, {}, 5};
  auto unresolved = letter(20, {});
  unresolved.group = "town";
  queue.push(told, 0);
  queue.push(unresolved, 0);
  const auto batch = take_now(queue);
  ASSERT_THAT(numbers_of(batch), ElementsAre(10, 20));
  EXPECT_EQ(batch.messages[0].what->topic, changed->topic);
  EXPECT_EQ(batch.messages[0].what->payload, changed->payload);
  EXPECT_EQ(batch.messages[0].dead_letter, 5);
  EXPECT_THAT(batch.messages[0].recipients, ElementsAre("anna"));
  EXPECT_EQ(batch.messages[1].group, "town");
  EXPECT_THAT(batch.messages[1].recipients, IsEmpty());
}

TEST(store_queue_batches, lack_those_who_were_struck) {
  queue_of queue({});
  queue.push(letter(10, {"bert", "cleo", "dora"}), 0);
  queue.push(letter(20, {"bert", "cleo"}), 0);
  EXPECT_TRUE(queue.strike("cleo", 10));
  EXPECT_TRUE(queue.strike("cleo", 20));
  EXPECT_TRUE(queue.strike("bert", 20));
  queue.push(letter(30, {"bert", "cleo"}), 0);
  EXPECT_TRUE(queue.strike("bert", 30));
  const auto batch = take_now(queue);
  ASSERT_THAT(numbers_of(batch), ElementsAre(10, 30));
  EXPECT_THAT(batch.messages[0].recipients, ElementsAre("bert", "dora"));
  EXPECT_THAT(batch.messages[1].recipients, ElementsAre("cleo"));
}

// A roster, and messages from some of it to all others, as a caller shares their names.
class to_a_group : public testing::Test {
 protected:
  void push(message_number number, const std::string& sender) {
    auto accepted = letter(number, {});
    std::size_t without = members.size();
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (members[i] == sender) without = i;
      if (members[i] != sender) accepted.recipients.push_back(members[i]);
    }
    const auto at = queue.records.put(accepted_message{accepted, {}});
    queue.store_queue::push(accepted, at, true, 0, {names, without});
  }

  queue_of queue{{}};
  const std::vector<std::string> members{"anna", "bert", "cleo", "dora"};
  const std::shared_ptr<const account_names> names = queue.names_of(members);
};

TEST_F(to_a_group, lack_those_who_were_struck_whoever_sent_it) {
  for (std::size_t i = 0; i < members.size(); ++i) push(10 + static_cast<message_number>(i), members[i]);
  push(14, "nobody of them");
  EXPECT_FALSE(queue.strike("anna", 10)) << "the sender is no recipient";
  for (message_number number = 10; number <= 14; ++number) {
    EXPECT_EQ(queue.strike("cleo", number), number != 12);
    EXPECT_FALSE(queue.strike("cleo", number)) << "twice";
  }
  const auto batch = take_now(queue);
  ASSERT_THAT(numbers_of(batch), ElementsAre(10, 11, 12, 13, 14));
  EXPECT_THAT(batch.messages[0].recipients, ElementsAre("bert", "dora"));
  EXPECT_THAT(batch.messages[1].recipients, ElementsAre("anna", "dora"));
  EXPECT_THAT(batch.messages[2].recipients, ElementsAre("anna", "bert", "dora"));
  EXPECT_THAT(batch.messages[3].recipients, ElementsAre("anna", "bert"));
  EXPECT_THAT(batch.messages[4].recipients, ElementsAre("anna", "bert", "dora"));
}

TEST_F(to_a_group, are_never_stored_when_all_have_acknowledged) {
  push(10, "bert");
  for (const char* each : {"dora", "anna", "cleo"}) EXPECT_TRUE(queue.strike(each, 10));
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.bytes(), 0U);
  EXPECT_EQ(queue.queued_by("anna"), 0U);
}

TEST(store_queue_batches, read_what_stands_together_at_once) {
  queue_of queue({});
  for (int i = 1; i <= 1'000; ++i) queue.push(letter(i, {"bert"}, 200), 0, 300);
  EXPECT_EQ(take_now(queue).messages.size(), 1'000U);
  EXPECT_LE(queue.records.reads, 3U);
}

TEST(store_queue_batches, read_little_of_what_is_over) {
  queue_of queue({});
  for (int i = 1; i <= 900; ++i) queue.push(letter(i, {"bert"}, 200), 0, 300);
  for (int i = 1; i <= 900; ++i) {
    if (i % 300 != 0) {
      EXPECT_TRUE(queue.strike("bert", i));
    }
  }
  EXPECT_THAT(numbers_of(take_now(queue)), ElementsAre(300, 600, 900));
  EXPECT_LE(queue.records.reads, 3U);
  EXPECT_LE(queue.records.records_read, 6U);
}

TEST(store_queue_batches, are_bounded_in_reads) {
  queue_of queue({.batch_reads = 2});
  for (int i = 1; i <= 4; ++i) queue.push(letter(i, {"bert"}), 0, 10'000);
  auto batch = take_now(queue, 4);
  EXPECT_THAT(numbers_of(batch), ElementsAre(1, 2));
  EXPECT_EQ(batch.stored_through, 2);
  queue.stored({});
  EXPECT_THAT(numbers_of(take_now(queue, 4)), ElementsAre(3, 4));
}

TEST(store_queue_batches, are_whole_however_little_one_read_gives) {
  queue_of queue({});
  queue.records.at_once = 1;
  for (int i = 1; i <= 4; ++i) queue.push(letter(i, {"bert"}), 0);
  EXPECT_TRUE(queue.strike("bert", 2));
  EXPECT_THAT(numbers_of(take_now(queue, 4)), ElementsAre(1, 3, 4));
}

TEST(store_queue_batches, keep_order_over_many_entries_that_were_struck) {
  queue_of queue({.messages = 10'000});
  // Whose oldest message nobody acknowledges, while thousands come and go.
  queue.push(letter(1, {"dora"}), 0);
  std::vector<message_number> kept{1};
  for (message_number i = 2; i <= 9'000; ++i) {
    queue.push(letter(i * 10, {"bert"}), 0);
    if (i % 1'000 == 0) {
      kept.push_back(i * 10);
    } else {
      EXPECT_TRUE(queue.strike("bert", i * 10));
      EXPECT_FALSE(queue.strike("bert", i * 10)) << "twice";
    }
  }
  EXPECT_EQ(queue.messages(), kept.size());
  EXPECT_EQ(numbers_of(take_now(queue, 90'000)), kept);
}

class unreadable_journal : public testing::Test {
 protected:
  unreadable_journal() {
    for (int i = 1; i <= 3; ++i) queue.push(letter(i, {"bert"}), 0);
  }
  queue_of queue{{}};
};

TEST_F(unreadable_journal, keeps_what_waits_and_settles_nothing_of_it) {
  queue.records.unreadable_from = 0;
  EXPECT_FALSE(queue.take(0, 0, 3));
  EXPECT_TRUE(queue.is_unreadable());
  EXPECT_EQ(queue.messages(), 3U);
  EXPECT_EQ(queue.settled_to(3), 0U);
  EXPECT_EQ(queue.watermark(3), 0);
  EXPECT_EQ(queue.queued_by("anna"), 3U);
}

TEST_F(unreadable_journal, is_asked_again_once_a_second) {
  queue.records.unreadable_from = 0;
  EXPECT_FALSE(queue.take(0, 0, 3));
  const auto reads = queue.records.reads;
  EXPECT_FALSE(queue.take(999'999, 0, 3));
  queue.refill(999'999);
  EXPECT_EQ(queue.records.reads, reads);
  EXPECT_FALSE(queue.take(1'000'000, 0, 3));
  EXPECT_EQ(queue.records.reads, reads + 1);
  queue.records.unreadable_from = queue.records.end();
  EXPECT_FALSE(queue.take(1'999'999, 0, 3));
  const auto batch = queue.take(2'000'000, 0, 3);
  ASSERT_TRUE(batch);
  EXPECT_THAT(numbers_of(*batch), ElementsAre(1, 2, 3));
  EXPECT_FALSE(queue.is_unreadable());
}

TEST_F(unreadable_journal, gives_what_was_read_before) {
  queue.records.unreadable_from = 2;
  const auto batch = take_now(queue, 3);
  EXPECT_THAT(numbers_of(batch), ElementsAre(1, 2));
  EXPECT_EQ(batch.stored_through, 2);
  queue.stored({});
  EXPECT_TRUE(queue.is_unreadable());
  EXPECT_EQ(queue.settled_to(3), 2U);
}

TEST_F(unreadable_journal, is_one_that_gives_another_record) {
  auto other = letter(5, {"bert"});
  const auto at = queue.records.put(removal_list{"bert", {5}});
  queue.store_queue::push(other, at, true, 0);
  EXPECT_THAT(numbers_of(take_now(queue, 5)), ElementsAre(1, 2, 3));
  EXPECT_TRUE(queue.is_unreadable());
}

TEST_F(unreadable_journal, holds_up_nothing_else) {
  queue.remove({"bert", 0}, 0);
  queue.records.unreadable_from = 0;
  EXPECT_EQ(take_now(queue, 3).removals.size(), 1U);
  queue.stored({});
  EXPECT_TRUE(queue.strike("bert", 1));
  EXPECT_EQ(queue.settled_to(10), 1U);
}

class overflow : public testing::Test {
 protected:
  overflow() { queue.records.at_once = 2; }
  // Two leave an entry; five are pushed.
  void fill() {
    for (int number = 1; number <= 5; ++number) queue.push(letter(number, {"bert", "cleo"}), 0);
  }
  std::vector<message_number> store_next() {
    const auto batch = take_now(queue, 1'000);
    queue.stored({});
    return numbers_of(batch);
  }

  queue_of queue{{.messages = 2, .batch_messages = 2}};
};

TEST_F(overflow, stays_in_the_journal_and_is_taken_back_in_order) {
  fill();
  EXPECT_EQ(queue.messages(), 2U);
  queue.refill(0);
  EXPECT_EQ(queue.messages(), 2U) << "there is no room";
  EXPECT_EQ(queue.records.reads, 0U);
  EXPECT_THAT(store_next(), ElementsAre(1, 2));
  EXPECT_FALSE(queue.empty());
  EXPECT_EQ(queue.watermark(5), 2);
  EXPECT_FALSE(queue.take(0, 0, 5)) << "no entry is there";
  queue.refill(0);
  queue.push(letter(6, {"bert"}), 0);
  EXPECT_EQ(queue.messages(), 2U) << "it must not overtake the fifth";
  EXPECT_THAT(store_next(), ElementsAre(3, 4));
  EXPECT_EQ(queue.watermark(6), 4);
  queue.refill(0);
  EXPECT_THAT(store_next(), ElementsAre(5, 6));
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.bytes(), 0U);
  EXPECT_EQ(queue.queued_by("anna"), 0U);
  queue.push(letter(7, {"bert"}), 0);
  EXPECT_EQ(queue.messages(), 1U) << "an entry again";
}

TEST_F(overflow, begins_where_the_memory_of_entries_ends) {
  queue_of small({.bytes = 1'000});
  const std::vector<std::string> many(100, "bert");
  small.push(letter(1, many), 0);
  EXPECT_GT(small.bytes(), 800U);
  small.push(letter(2, many), 0);
  small.push(letter(3, {"bert"}), 0);
  EXPECT_EQ(small.messages(), 2U);
  small.push(letter(4, {"bert"}), 0);
  EXPECT_EQ(small.messages(), 2U);
  EXPECT_THAT(numbers_of(take_now(small, 4)), ElementsAre(1, 2));
  small.stored({});
  small.refill(0);
  EXPECT_THAT(numbers_of(take_now(small, 4)), ElementsAre(3, 4));
}

TEST_F(overflow, never_stores_what_every_recipient_was_struck_off) {
  fill();
  EXPECT_TRUE(queue.strike("bert", 3));
  EXPECT_TRUE(queue.strike("bert", 4));
  EXPECT_TRUE(queue.strike("cleo", 4));
  EXPECT_TRUE(queue.strike("cleo", 4)) << "twice";
  EXPECT_EQ(queue.queued_by("anna"), 7U);
  store_next();
  queue.records.at_once = 3;
  queue.refill(0);
  const auto batch = take_now(queue);
  EXPECT_THAT(numbers_of(batch), ElementsAre(3, 5));
  EXPECT_THAT(batch.messages[0].recipients, ElementsAre("cleo"));
  EXPECT_EQ(queue.queued_by("anna"), 0U);
}

TEST_F(overflow, counts_for_its_sender_when_it_is_taken_back) {
  fill();
  store_next();
  EXPECT_EQ(queue.queued_by("anna"), 6U);
  queue.refill(0);
  EXPECT_TRUE(queue.strike("bert", 3));
  EXPECT_TRUE(queue.strike("bert", 5));
  EXPECT_EQ(queue.queued_by("anna"), 4U);
  store_next();
  EXPECT_EQ(queue.queued_by("anna"), 1U);
}

TEST_F(overflow, leaves_the_removal_of_what_has_no_audience_yet_to_the_store) {
  fill();
  queue.push(letter(6, {}), 0);
  EXPECT_FALSE(queue.strike("bert", 6));
  EXPECT_TRUE(queue.strike("bert", 5));
}

TEST_F(overflow, is_settled_only_when_it_is_stored) {
  fill();
  EXPECT_EQ(queue.settled_to(5), 0U);
  store_next();
  EXPECT_EQ(queue.settled_to(5), 2U);
  queue.refill(0);
  EXPECT_EQ(queue.settled_to(5), 2U);
  take_now(queue);
  EXPECT_EQ(queue.settled_to(5), 2U) << "in flight";
  queue.stored({});
  EXPECT_EQ(queue.settled_to(5), 4U);
  queue.refill(0);
  store_next();
  EXPECT_EQ(queue.settled_to(5), 5U);
}

TEST_F(overflow, stays_where_the_journal_cannot_be_read) {
  fill();
  store_next();
  queue.records.unreadable_from = 3;
  queue.refill(0);
  EXPECT_TRUE(queue.is_unreadable());
  EXPECT_EQ(queue.messages(), 1U);
  EXPECT_FALSE(queue.take(0, 0, 5));
  EXPECT_EQ(queue.settled_to(5), 2U);
  EXPECT_EQ(queue.watermark(5), 2);
  EXPECT_FALSE(queue.empty());
}

TEST_F(overflow, passes_over_what_turns_out_to_be_stored) {
  fill();
  queue.forget_through(4);
  EXPECT_EQ(queue.messages(), 0U);
  queue.records.at_once = 3;
  queue.refill(0);
  EXPECT_THAT(store_next(), ElementsAre(5));
}

TEST_F(overflow, removes_what_was_struck_in_it_and_turns_out_to_be_stored) {
  fill();
  queue.remove({"cleo", 1}, 0);
  queue.restore({"bert", 3}, queue.records.put(removal_list{"bert", {3}}));
  queue.restore({"bert", 5}, queue.records.put(removal_list{"bert", {5}}));
  queue.forget_through(3);
  auto batch = take_now(queue, 5);
  ASSERT_EQ(batch.removals.size(), 2U);
  EXPECT_EQ(batch.removals[1].number, 3);
  EXPECT_EQ(queue.settled_to(8), 2U) << "what comes next stands there";
  queue.stored({});
  queue.records.at_once = 3;
  queue.refill(0);
  batch = take_now(queue, 5);
  EXPECT_THAT(numbers_of(batch), ElementsAre(4, 5));
  EXPECT_THAT(batch.messages[1].recipients, ElementsAre("cleo"));
}

TEST(sender_counts, let_go_of_those_who_count_nothing) {
  sender_counts counts;
  auto& kept = counts.find_or_add("anna");
  kept.deliveries = 1;
  auto& pointed_at = counts.find_or_add("bert");
  pointed_at.pointers = 1;
  for (int i = 0; i < 100'000; ++i) counts.find_or_add("idle-" + std::to_string(i));
  EXPECT_LE(counts.size(), 1'000U);
  EXPECT_EQ(counts.find("anna"), &kept);
  EXPECT_EQ(counts.find("bert"), &pointed_at);
}

}  // namespace
}  // namespace restante
