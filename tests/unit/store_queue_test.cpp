#include "store_queue_harness.h"

namespace restante {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t linger_us = 20'000;

TEST(store_queue, gives_what_it_was_given_in_order_and_one_batch_at_a_time) {
  queue_of queue({});
  queue.push(letter(10, {"bert"}), 0);
  queue.push(letter(20, {"cleo"}), 0);
  const auto batch = take_now(queue);
  EXPECT_THAT(numbers_of(batch), ElementsAre(10, 20));
  EXPECT_EQ(batch.stored_through, 1'000);
  queue.push(letter(1'001, {"bert"}), 0);
  EXPECT_FALSE(queue.take(0, 0, 1'001)) << "one is in flight";
  queue.stored({});
  EXPECT_THAT(numbers_of(take_now(queue, 1'001)), ElementsAre(1'001));
  queue.stored({});
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.entries(), 0U);
  EXPECT_EQ(queue.bytes(), 0U);
}

TEST(store_queue, lets_each_kind_of_entry_linger_no_longer_than_it_may) {
  queue_of queue({});
  std::int64_t now_us = 0;
  const auto is_taken_when_it_has_lingered = [&] {
    EXPECT_FALSE(queue.take(now_us + linger_us - 1, linger_us, 1'000));
    EXPECT_TRUE(queue.take(now_us + linger_us, linger_us, 1'000));
    queue.stored(nothing_found(1));
    EXPECT_FALSE(queue.take(now_us + 10 * linger_us, linger_us, 1'000)) << "nothing is left";
    now_us += 10 * linger_us;
  };
  queue.push(letter(10, {"bert"}), now_us);
  queue.push(letter(11, {"bert"}), now_us + linger_us / 2);
  is_taken_when_it_has_lingered();
  queue.remove({"bert", 10}, now_us);
  is_taken_when_it_has_lingered();
  queue.remove({"bert", {"anna", "m5"}, 11}, {}, now_us);
  is_taken_when_it_has_lingered();
}

TEST(store_queue, leaves_what_may_be_acknowledged_soon) {
  queue_of queue({.few_messages = 2});
  queue.push(letter(10, {"bert"}), 0);
  queue.push(letter(11, {"bert"}), linger_us / 2);
  queue.push(letter(12, {"bert"}), linger_us / 2 + 1);
  auto batch = queue.take(linger_us, linger_us, 12);
  ASSERT_TRUE(batch);
  EXPECT_THAT(numbers_of(*batch), ElementsAre(10, 11));
  EXPECT_EQ(batch->stored_through, 11);
  queue.stored({});
  EXPECT_TRUE(queue.strike("bert", 12));
  EXPECT_TRUE(queue.empty());
}

TEST(store_queue, leaves_nothing_when_there_is_little) {
  queue_of queue({.few_messages = 2});
  queue.push(letter(10, {"bert"}), 0);
  queue.push(letter(11, {"bert"}), linger_us);
  EXPECT_THAT(numbers_of(*queue.take(linger_us, linger_us, 11)), ElementsAre(10, 11));
}

TEST(store_queue, lets_few_linger) {
  queue_of by_messages({.lingering_messages = 2});
  by_messages.push(letter(10, {"bert"}), 0);
  EXPECT_FALSE(by_messages.take(0, linger_us, 10));
  by_messages.push(letter(11, {"bert"}), 0);
  EXPECT_TRUE(by_messages.take(0, linger_us, 11));

  queue_of by_removals({.batch_removals = 2});
  by_removals.remove({"bert", 10}, 0);
  EXPECT_FALSE(by_removals.take(0, linger_us, 11));
  by_removals.remove({"bert", 11}, 0);
  EXPECT_TRUE(by_removals.take(0, linger_us, 11));
}

TEST(store_queue, bounds_a_batch_in_messages_and_bytes) {
  queue_of queue({.batch_messages = 3, .batch_bytes = 5'000});
  for (int i = 1; i <= 4; ++i) queue.push(letter(i, {"bert"}), 0);
  auto batch = take_now(queue, 4);
  EXPECT_THAT(numbers_of(batch), ElementsAre(1, 2, 3));
  EXPECT_EQ(batch.stored_through, 3) << "not through what it left behind";
  queue.stored({});
  take_now(queue, 4);
  queue.stored({});

  for (int i = 5; i <= 7; ++i) queue.push(letter(i, {"bert"}, 4'000), 0);
  batch = take_now(queue, 7);
  EXPECT_THAT(numbers_of(batch), ElementsAre(5, 6));
  EXPECT_EQ(batch.stored_through, 6);
  queue.stored({});
  EXPECT_THAT(numbers_of(take_now(queue, 7)), ElementsAre(7));
}

TEST(store_queue, knows_up_to_where_everything_is_stored) {
  queue_of queue({.batch_messages = 1});
  EXPECT_EQ(queue.watermark(5), 5);
  queue.push(letter(10, {"bert"}), 0);
  queue.push(letter(20, {"bert"}), 0);
  EXPECT_EQ(queue.watermark(20), 9);
  take_now(queue, 20);
  EXPECT_EQ(queue.watermark(20), 9) << "in flight is not stored";
  queue.stored({});
  EXPECT_EQ(queue.watermark(20), 19);
  queue.remove({"bert", 10}, 0);
  take_now(queue, 20);
  queue.stored({});
  EXPECT_EQ(queue.watermark(25), 25);
}

TEST(store_queue, keeps_a_watermark_while_only_removals_are_in_flight) {
  queue_of queue({});
  queue.remove({"bert", 10}, 0);
  take_now(queue, 20);
  EXPECT_EQ(queue.watermark(20), 20);
  queue.push(letter(30, {"bert"}), 0);
  EXPECT_EQ(queue.watermark(30), 29);
}

TEST(store_queue, strikes_a_recipient_off_what_is_not_in_flight) {
  queue_of queue({});
  queue.push(letter(10, {"bert", "cleo"}, 100), 0);
  queue.push(letter(20, {"bert"}), 0);
  EXPECT_FALSE(queue.strike("dora", 10));
  EXPECT_FALSE(queue.strike("bert", 15));
  EXPECT_TRUE(queue.strike("bert", 10));
  EXPECT_FALSE(queue.strike("bert", 10)) << "twice";
  const auto batch = take_now(queue);
  EXPECT_THAT(numbers_of(batch), ElementsAre(10, 20));
  EXPECT_THAT(batch.messages[0].recipients, ElementsAre("cleo"));
  EXPECT_FALSE(queue.strike("cleo", 10)) << "it is in flight";
  queue.stored({});
  EXPECT_EQ(queue.entries(), 0U);
  EXPECT_EQ(queue.bytes(), 0U);
}

TEST(store_queue, never_stores_what_every_recipient_was_struck_off) {
  queue_of queue({});
  for (const int number : {10, 20, 30}) queue.push(letter(number, {"bert"}, 100), 0);
  EXPECT_TRUE(queue.strike("bert", 20));
  EXPECT_EQ(queue.entries(), 2U);
  EXPECT_EQ(queue.watermark(30), 9);
  EXPECT_TRUE(queue.strike("bert", 10));
  EXPECT_EQ(queue.watermark(30), 29) << "20 went with it";
  EXPECT_TRUE(queue.strike("bert", 30));
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.entries(), 0U);
  EXPECT_EQ(queue.bytes(), 0U);
  EXPECT_EQ(queue.queued_by("anna"), 0U);
  EXPECT_FALSE(queue.take(0, 0, 30));
}

TEST(store_queue, passes_over_what_was_struck_in_the_middle) {
  queue_of queue({.batch_messages = 2});
  for (const int number : {10, 20, 30}) queue.push(letter(number, {"bert"}), 0);
  EXPECT_TRUE(queue.strike("bert", 20));
  const auto batch = take_now(queue, 30);
  EXPECT_THAT(numbers_of(batch), ElementsAre(10, 30));
  EXPECT_EQ(batch.stored_through, 30);
}

TEST(store_queue, keeps_a_struck_receipt_that_settles_a_dead_letter) {
  queue_of queue({});
  auto told = letter(10, {"anna"});
  told.dead_letter = 7;
  queue.push(told, 0);
  EXPECT_TRUE(queue.strike("anna", 10));
  const auto batch = take_now(queue);
  EXPECT_THAT(numbers_of(batch), ElementsAre(10));
  EXPECT_THAT(batch.messages[0].recipients, IsEmpty());
  EXPECT_EQ(batch.messages[0].dead_letter, 7);
  queue.stored({});
  EXPECT_EQ(queue.bytes(), 0U);
}

TEST(store_queue, never_lets_a_removal_overtake_its_message) {
  queue_of queue({.batch_messages = 1});
  queue.push(letter(10, {"bert"}), 0);
  queue.push(letter(20, {"bert"}), 0);
  queue.remove({"bert", 20}, 0);
  queue.remove({"bert", 10}, 0);
  queue.remove({"bert", {"cleo", "m1"}, 20}, {}, 0);
  auto batch = take_now(queue, 20);
  EXPECT_THAT(numbers_of(batch), ElementsAre(10));
  ASSERT_EQ(batch.removals.size(), 1U);
  EXPECT_EQ(batch.removals[0].number, 10);
  EXPECT_THAT(batch.removals_by_key, IsEmpty());
  queue.stored({});
  batch = take_now(queue, 20);
  EXPECT_THAT(numbers_of(batch), ElementsAre(20));
  ASSERT_EQ(batch.removals.size(), 1U);
  EXPECT_EQ(batch.removals[0].number, 20);
  EXPECT_EQ(batch.removals_by_key.size(), 1U);
}

TEST(store_queue, bounds_the_removals_of_a_batch) {
  queue_of queue({.batch_removals = 2});
  for (int i = 1; i <= 3; ++i) {
    queue.remove({"bert", i}, 0);
    queue.remove({"bert", {"anna", "k" + std::to_string(i)}, 3}, {}, 0);
  }
  EXPECT_EQ(queue.entries(), 6U);
  auto batch = take_now(queue);
  EXPECT_EQ(batch.removals.size(), 2U);
  EXPECT_EQ(batch.removals_by_key.size(), 2U);
  queue.stored(nothing_found(2));
  EXPECT_EQ(queue.entries(), 2U);
  batch = take_now(queue);
  EXPECT_EQ(batch.removals.size(), 1U);
  EXPECT_EQ(batch.removals_by_key.size(), 1U);
  queue.stored(nothing_found(1));
  EXPECT_TRUE(queue.empty());
}

TEST(store_queue, removes_the_same_delivery_once) {
  queue_of queue({});
  queue.remove({"bert", 10}, 0);
  queue.remove({"bert", 10}, 0);
  queue.remove({"cleo", 10}, 0);
  EXPECT_EQ(queue.entries(), 2U);
  EXPECT_EQ(take_now(queue).removals.size(), 2U);
}

TEST(store_queue, knows_what_is_being_removed_until_that_is_committed) {
  queue_of queue({});
  EXPECT_FALSE(queue.is_being_removed("bert", 10));
  queue.remove({"bert", 10}, 0);
  EXPECT_TRUE(queue.is_being_removed("bert", 10));
  EXPECT_FALSE(queue.is_being_removed("bert", 11));
  EXPECT_FALSE(queue.is_being_removed("cleo", 10));
  take_now(queue);
  EXPECT_TRUE(queue.is_being_removed("bert", 10)) << "in flight";
  EXPECT_TRUE(queue.is_being_removed("bert", *letter(10, {}).what));
  queue.stored({});
  EXPECT_FALSE(queue.is_being_removed("bert", 10));
}

TEST(store_queue, never_hides_what_was_accepted_after_an_acknowledgement_by_key) {
  queue_of queue({});
  const auto earlier = letter(10, {"bert"}), later = letter(21, {"bert"});
  auto same_key = std::make_shared<message>(*later.what);
  same_key->key = earlier.what->key;
  queue.remove({"bert", earlier.what->key, 20}, {}, 0);
  EXPECT_TRUE(queue.is_being_removed("bert", *earlier.what));
  EXPECT_FALSE(queue.is_being_removed("bert", *same_key)) << "nobody acknowledges what is yet to come";
  EXPECT_FALSE(queue.is_being_removed("cleo", *earlier.what));
  queue.remove({"bert", earlier.what->key, 30}, {}, 0);
  EXPECT_TRUE(queue.is_being_removed("bert", *same_key)) << "acknowledged once more";
  take_now(queue);
  queue.stored(nothing_found(2));
  EXPECT_FALSE(queue.is_being_removed("bert", *earlier.what));
  EXPECT_FALSE(queue.is_being_removed("bert", *same_key));
}

TEST(store_queue, says_what_each_removal_by_key_found) {
  queue_of queue({});
  std::vector<std::string> heard;
  for (const char* id : {"m1", "m2", "m3"}) {
    queue.remove(
        {"bert", {"anna", id}, 10},
        [&heard, id](const batch_result::outcome& outcome) {
          heard.push_back(std::string(id) +
                          (outcome.found ? " found as " + std::to_string(outcome.number) : " lost"));
        },
        0);
  }
  take_now(queue);
  EXPECT_THAT(heard, IsEmpty());
  batch_result result;  // shorter than what was asked: a store is not trusted to answer everything
  result.removals_by_key = {{true, 7, true}, {}};
  queue.stored(result);
  EXPECT_THAT(heard, ElementsAre("m1 found as 7", "m2 lost", "m3 lost"));
  queue.stored(result);
  EXPECT_EQ(heard.size(), 3U) << "nothing is in flight any more";
  EXPECT_EQ(queue.entries(), 0U);
}

TEST(store_queue, takes_what_an_answer_to_a_removal_by_key_adds) {
  queue_of queue({});
  queue.remove(
      {"bert", {"anna", "m1"}, 10},
      [&](const batch_result::outcome&) { queue.push(letter(11, {"anna"}), 0); }, 0);
  take_now(queue, 10);
  queue.stored(nothing_found(1));
  EXPECT_EQ(queue.entries(), 1U);
  EXPECT_THAT(numbers_of(take_now(queue, 11)), ElementsAre(11));
}

TEST(store_queue, is_full_when_it_has_as_many_removals_as_it_may) {
  queue_of queue({.removals = 3});
  queue.remove({"bert", 10}, 0);
  EXPECT_TRUE(queue.has_room_for_removals(2));
  EXPECT_FALSE(queue.has_room_for_removals(3));
  take_now(queue);
  EXPECT_FALSE(queue.has_room_for_removals(3)) << "in flight takes room too";
  queue.stored({});
  EXPECT_TRUE(queue.has_room_for_removals(3));
}

TEST(store_queue, settles_the_journal_in_order) {
  queue_of queue({});
  queue.push(letter(10, {"bert"}), 0);
  queue.remove({"bert", 20}, 0);
  queue.remove({"bert", {"anna", "m1"}, 5}, {}, 0);
  queue.push(letter(30, {"bert"}), 0);
  EXPECT_EQ(queue.settled_to(4), 0U);
  EXPECT_TRUE(queue.strike("bert", 10));
  EXPECT_EQ(queue.settled_to(4), 1U);
  take_now(queue, 30);
  queue.push(letter(40, {"bert"}), 0);
  EXPECT_EQ(queue.settled_to(5), 1U) << "in flight";
  queue.stored(nothing_found(1));
  EXPECT_EQ(queue.settled_to(6), 5U);
}

TEST(store_queue, counts_what_each_sender_has_queued) {
  queue_of queue({});
  EXPECT_EQ(queue.queued_by("anna"), 0U);
  queue.push(letter(1, {"bert", "cleo"}), 0);
  auto unresolved = letter(2, {});
  unresolved.group = "town";
  queue.push(unresolved, 0);
  EXPECT_EQ(queue.queued_by("anna"), 3U);
  EXPECT_EQ(queue.queued_by("bert"), 0U);
  queue.strike("bert", 1);
  EXPECT_EQ(queue.queued_by("anna"), 2U);
  take_now(queue, 2);
  EXPECT_EQ(queue.queued_by("anna"), 0U) << "in flight is not queued";
}

TEST(store_queue, counts_a_struck_delivery_of_a_sender_once) {
  queue_of queue({.batch_messages = 1});
  queue.push(letter(1, {"bert", "cleo"}), 0);
  queue.push(letter(2, {"bert"}), 0);
  queue.strike("bert", 1);
  take_now(queue, 2);
  EXPECT_EQ(queue.queued_by("anna"), 1U) << "the second message";
}

TEST(store_queue, forgets_at_the_start_what_turns_out_to_be_stored) {
  queue_of queue({});
  for (const int number : {10, 20, 30}) queue.push(letter(number, {"bert"}), 0);
  EXPECT_TRUE(queue.strike("bert", 20));
  queue.forget_through(20);
  EXPECT_EQ(queue.entries(), 1U);
  EXPECT_EQ(queue.queued_by("anna"), 1U);
  EXPECT_EQ(queue.watermark(30), 29);
  EXPECT_THAT(numbers_of(take_now(queue, 30)), ElementsAre(30));
  queue.stored({});
  EXPECT_EQ(queue.bytes(), 0U);
}

}  // namespace
}  // namespace restante
