// Handing over: windows, pages, and what the broker resends on its own.
#include <gmock/gmock.h>

#include <string>

#include "post_office_harness.h"

namespace restante {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class handing_over : public post_office_harness {
 protected:
  // What is missed is always read.
  static post_office_settings forgetful() {
    auto made = small();
    made.missed_bytes = 0;
    return made;
  }
  static std::string topic(const std::string& to, int id) {
    return "direct/" + to + "/anna/m" + std::to_string(id);
  }
  // Accepted, and not heard live.
  shared_message stored(session_handle from, const std::string& to, int id, const std::string& payload = "",
                        int qos = 1) {
    EXPECT_EQ(publish(from, topic(to, id), payload, qos).what, acceptance::accepted);
    const shared_message what = records.messages.back().what;
    commit_all();
    return what;
  }
};

TEST_F(handing_over, routes_to_a_live_session_until_its_window_is_full) {
  open(forgetful());
  const auto bert = listening("bert");
  const auto anna = connect("anna");
  for (int id = 1; id <= 3; ++id) {
    publish(anna, topic("bert", id));
    EXPECT_TRUE(office->hear_routed(bert));
    EXPECT_FALSE(office->hear_routed(bert)) << "at most once";
  }
  publish(anna, topic("bert", 4));
  EXPECT_FALSE(office->hear_routed(bert));
  EXPECT_FALSE(is_live(bert));
  commit_all();
  EXPECT_THAT(mail.reads, IsEmpty()) << "there is no room for anything";
  publish(bert, "ack/bert", "anna/m1\n");
  commit_all();
  EXPECT_EQ(asked().limit, 1U);
}

TEST_F(handing_over, catches_up_with_what_was_missed_without_reading_it) {
  open();
  const auto bert = listening("bert");
  const auto anna = connect("anna");
  for (int id = 1; id <= 5; ++id) {
    publish(anna, topic("bert", id));
    EXPECT_EQ(office->hear_routed(bert), id < 4);
  }
  loop();
  EXPECT_THAT(handed_to("bert"), IsEmpty()) << "there is no room";
  publish(bert, "ack/bert", "anna/m1\n");
  loop();
  EXPECT_THAT(handed_to("bert"), ElementsAre(topic("bert", 4)));
  EXPECT_FALSE(is_live(bert));
  publish(anna, topic("bert", 6));
  EXPECT_FALSE(office->hear_routed(bert)) << "it must not overtake the fifth";
  publish(bert, "ack/bert", "anna/m2\nanna/m3\nanna/m4\n");
  loop();
  EXPECT_THAT(handed_to("bert"), ElementsAre(topic("bert", 4), topic("bert", 5), topic("bert", 6)));
  EXPECT_TRUE(is_live(bert));
  EXPECT_THAT(mail.reads, IsEmpty());
}

TEST_F(handing_over, catches_up_behind_its_page_though_more_keeps_coming) {
  open();
  const auto bert = connect("bert");
  const auto anna = connect("anna");
  office->subscribe(bert, "direct/bert/#", 1);
  publish(anna, topic("bert", 1));
  loop();
  const auto first = asked();
  publish(anna, topic("bert", 2));
  answer(first, {row(500, topic("bert", 9))});
  loop();
  EXPECT_THAT(handed_to("bert"), ElementsAre(topic("bert", 9), topic("bert", 1), topic("bert", 2)));
  EXPECT_TRUE(is_live(bert)) << "though nothing is stored yet";
}

TEST_F(handing_over, reads_what_was_missed_when_it_was_too_much_to_keep) {
  open();
  const auto bert = listening("bert");
  const auto anna = connect("anna");
  std::vector<shared_message> sent;
  for (int id = 1; id <= 7; ++id) {  // a window is held, one more is kept, and the fourth is given up
    publish(anna, topic("bert", id));
    office->hear_routed(bert);
    sent.push_back(records.messages.back().what);
  }
  publish(bert, "ack/bert", "anna/m1\nanna/m2\nanna/m3\n");
  commit_all();
  const auto request = asked();
  EXPECT_EQ(request.after, sent[2]->number);
  answer(request, {sent[3], sent[4], sent[5]}, false);
  publish(bert, "ack/bert", "anna/m4\nanna/m5\nanna/m6\n");
  loop();
  answer(asked(), {sent[6]});
  loop();
  EXPECT_THAT(handed_to("bert"),
              ElementsAre(topic("bert", 4), topic("bert", 5), topic("bert", 6), topic("bert", 7)));
}

TEST_F(handing_over, does_not_catch_up_with_what_another_device_acknowledged) {
  open();
  const auto phone = listening("bert", "phone");
  const auto anna = connect("anna");
  for (int id = 1; id <= 3; ++id) {
    publish(anna, topic("bert", id));
    office->hear_routed(phone);
  }
  commit_all();
  const auto tablet = listening("bert", "tablet");
  publish(anna, topic("bert", 4));
  EXPECT_TRUE(office->hear_routed(tablet));
  publish(tablet, "ack/bert", "anna/m4\nanna/m1\n");
  loop();
  EXPECT_THAT(handed_to("phone"), IsEmpty());
  EXPECT_TRUE(is_live(phone));
}

TEST_F(handing_over, reads_no_pages_while_too_much_waits_to_be_removed) {
  auto settings = small();
  settings.removals_before_pages = 1;
  open(settings);
  const auto bert = connect("bert");
  publish(bert, "ack/bert", "anna/x\n");
  office->subscribe(bert, "direct/bert/#", 1);
  loop();
  EXPECT_THAT(mail.reads, IsEmpty());
  commit_all();
  EXPECT_EQ(mail.reads.size(), 1U);
}

TEST_F(handing_over, reads_what_is_stored_while_more_keeps_coming) {
  open(forgetful());
  const auto bert = listening("bert");
  const auto anna = connect("anna");
  for (int id = 1; id <= 4; ++id) {
    publish(anna, topic("bert", id));
    EXPECT_EQ(office->hear_routed(bert), id < 4);
  }
  publish(bert, "ack/bert", "anna/m1\n");
  loop();
  EXPECT_EQ(batch().messages.size(), 3U);
  publish(anna, topic("bert", 5));
  commit();
  loop();
  EXPECT_EQ(mail.reads.size(), 1U) << "the fourth is stored, though the fifth is not";
}

TEST_F(handing_over, does_not_begin_anew_when_the_same_is_subscribed_again) {
  open();
  const auto bert = listening("bert");
  office->subscribe(bert, "direct/bert/#", 2);
  office->subscribe(bert, "weather/#", 1);
  EXPECT_TRUE(is_live(bert));
  office->subscribe(bert, "direct/bert/#", 0);
  EXPECT_TRUE(is_live(bert));
  office->subscribe(bert, "direct/bert/#", 1);
  EXPECT_FALSE(is_live(bert)) << "what came meanwhile may wait";
}

TEST_F(handing_over, gives_a_message_larger_than_the_windows_bytes_alone) {
  open(forgetful());
  const auto bert = listening("bert");
  const auto anna = connect("anna");
  publish(anna, topic("bert", 1), std::string(100, 'x'));
  EXPECT_TRUE(office->hear_routed(bert));
  const auto large = stored(anna, "bert", 2, std::string(5'000, 'x'));
  const auto small_one = stored(anna, "bert", 3);

  const auto first = asked();
  EXPECT_EQ(first.limit_bytes, 900U);
  answer(first, {large}, false);
  EXPECT_THAT(handed_to("bert"), IsEmpty());
  for (int i = 0; i < 5; ++i) loop(100'000);
  EXPECT_THAT(mail.reads, IsEmpty()) << "asking again would give the same";

  publish(bert, "ack/bert", "anna/m1\n");
  commit_all();
  answer(asked(), {large, small_one});
  EXPECT_THAT(handed_to("bert"), ElementsAre(topic("bert", 2))) << "the window is over-full with it";
  publish(bert, "ack/bert", "anna/m2\n");
  commit_all();
  loop(100'000);
  answer(asked(), {small_one});
  EXPECT_THAT(handed_to("bert"), ElementsAre(topic("bert", 2), topic("bert", 3)));
}

TEST_F(handing_over, bounds_what_a_session_holds_in_bytes) {
  open();
  const auto bert = listening("bert");
  const auto anna = connect("anna");
  publish(anna, topic("bert", 1), std::string(600, 'x'));
  EXPECT_TRUE(office->hear_routed(bert));
  publish(anna, topic("bert", 2), std::string(400, 'x'));
  EXPECT_TRUE(office->hear_routed(bert));
  publish(anna, topic("bert", 3), "x");
  EXPECT_FALSE(office->hear_routed(bert));
  EXPECT_EQ(held_by(bert), 2U);
}

TEST_F(handing_over, does_not_wait_for_room_for_a_large_message_that_is_gone) {
  open(forgetful());
  const auto bert = listening("bert");
  const auto anna = connect("anna");
  publish(anna, topic("bert", 1), std::string(100, 'x'));
  EXPECT_TRUE(office->hear_routed(bert));
  const auto large = stored(anna, "bert", 2, std::string(5'000, 'x'));
  answer(asked(), {large});
  publish(bert, "ack/bert", "anna/m1\n");
  commit_all();
  answer(asked(), {row(large->number + 1, topic("bert", 3), std::string(100, 'x'))}, false);  // it expired
  loop();
  EXPECT_EQ(asked().limit_bytes, 900U);
}

TEST_F(handing_over, asks_no_page_for_a_session_that_only_has_the_handle_of_one_in_line) {
  auto settings = small();
  settings.pages_at_once = 1;
  open(settings);
  const auto first = connect("bert");
  office->subscribe(first, "direct/bert/#", 1);
  loop();
  const auto second = connect("cleo");
  office->subscribe(second, "direct/cleo/#", 1);
  loop();
  office->disconnect(second);
  office->connect(second, "tablet", rights_of("anna"), false, true);  // the broker uses the address again
  answer(asked());
  loop();
  EXPECT_THAT(mail.reads, IsEmpty()) << "its number of subscriptions is not told yet";
}

TEST_F(handing_over, gives_at_the_lower_qos_of_message_and_filter) {
  open();
  const auto anna = connect("anna");
  const auto bert = connect("bert", "phone");
  office->subscribe(bert, "direct/bert/#", 1);
  office->subscribe(bert, "direct/bert/anna/m2", 2);
  empty_mailboxes();
  for (int id = 1; id <= 2; ++id) {
    publish(anna, topic("bert", id), "", 2);
    EXPECT_FALSE(office->hear_routed(bert)) << "the broker routes it on PUBREL, or never";
  }
  ASSERT_EQ(clients.published.size(), 2U);
  EXPECT_EQ(clients.published[0].qos, 1);
  EXPECT_EQ(clients.published[1].qos, 2);
}

TEST_F(handing_over, lets_a_filter_of_qos_0_hear_live_copies_only) {
  open();
  const auto anna = connect("anna");
  const auto bert = connect("bert", "phone");
  office->subscribe(bert, "direct/bert/#", 0);
  loop();
  EXPECT_THAT(mail.reads, IsEmpty());
  publish(anna, topic("bert", 1));
  EXPECT_TRUE(office->hear_routed(bert));
  publish(anna, topic("bert", 2), "", 2);
  ASSERT_EQ(clients.published.size(), 1U) << "a message of QoS 2 is not routed";
  EXPECT_EQ(clients.published[0].qos, 0);
  EXPECT_EQ(held_by(bert), 0U);
  office->subscribe(bert, "direct/bert/#", 1);
  loop();
  EXPECT_EQ(asked().after, 0) << "both still wait";
}

TEST_F(handing_over, hands_off_no_faster_than_a_window_in_a_tenth_of_a_second) {
  open();
  const auto dora = listening("dora", "", acknowledge_mode::handoff);
  const auto anna = connect("anna");
  for (int id = 1; id <= 3; ++id) {
    publish(anna, topic("dora", id));
    EXPECT_TRUE(office->hear_routed(dora));
  }
  EXPECT_EQ(office->queued_entries(), 0U) << "handed off before it was stored";
  EXPECT_EQ(held_by(dora), 0U);
  std::vector<shared_message> waiting;
  for (int id = 4; id <= 8; ++id) {
    publish(anna, topic("dora", id));
    EXPECT_FALSE(office->hear_routed(dora));
    waiting.push_back(records.messages.back().what);
  }
  commit_all();
  answer(asked(), {waiting[0], waiting[1], waiting[2]}, false);
  EXPECT_THAT(handed_to("dora"), IsEmpty()) << "it had its window in this tenth of a second";
  loop(50'000);
  EXPECT_THAT(mail.reads, IsEmpty());
  loop(60'000);
  answer(asked(), {waiting[0], waiting[1], waiting[2]}, false);
  EXPECT_EQ(handed_to("dora").size(), 3U);
  commit_all();
  answer(asked(), {waiting[3], waiting[4]});
  EXPECT_EQ(handed_to("dora").size(), 3U);
  loop(110'000);
  answer(asked(), {waiting[3], waiting[4]});
  EXPECT_EQ(handed_to("dora").size(), 5U);
  loop();
  EXPECT_TRUE(is_live(dora));
  EXPECT_EQ(batch().removals.size(), 2U);
}

TEST_F(handing_over, asks_for_no_more_pages_at_once_than_it_may) {
  auto settings = small();
  settings.pages_at_once = 2;
  open(settings);
  for (int i = 0; i < 5; ++i) {
    const auto handle = connect("bert", "phone" + std::to_string(i));
    subscribe_to_all(handle, "bert");
  }
  for (int i = 0; i < 3; ++i) loop();
  ASSERT_EQ(mail.reads.size(), 2U);
  const auto first = asked();
  answer(first);
  loop();
  EXPECT_EQ(mail.reads.size(), 2U);
  office->page_failed(asked().token);
  loop();
  EXPECT_EQ(mail.reads.size(), 2U) << "a page that failed makes room as well";
  answer(first);
  loop();
  EXPECT_EQ(mail.reads.size(), 2U) << "what is answered twice does not";
}

TEST_F(handing_over, asks_again_for_a_page_that_failed_but_not_at_once) {
  open();
  const auto bert = connect("bert");
  office->subscribe(bert, "direct/bert/#", 1);
  loop();
  office->page_failed(asked().token);
  for (int i = 0; i < 4; ++i) loop(49'000);
  EXPECT_THAT(mail.reads, IsEmpty());
  for (int i = 0; i < 4; ++i) loop(49'000);
  answer(asked(), {row(1, topic("bert", 1))});
  EXPECT_THAT(handed_to("bert"), ElementsAre(topic("bert", 1)));
}

TEST_F(handing_over, does_not_ask_for_a_page_at_each_acknowledgement) {
  auto settings = small();
  settings.values.window = 100;
  open(settings);
  const auto bert = connect("bert");
  office->subscribe(bert, "direct/bert/#", 1);
  loop();
  std::vector<shared_message> rows;
  for (int id = 1; id <= 100; ++id) rows.push_back(row(id, topic("bert", id)));
  answer(asked(), rows, false);
  publish(bert, "ack/bert", "anna/m1\n");
  loop();
  EXPECT_THAT(mail.reads, IsEmpty()) << "room for one more is not worth a page yet";
  for (int id = 2; id <= 25; ++id) publish(bert, "ack/bert", "anna/m" + std::to_string(id));
  loop();
  EXPECT_EQ(asked().limit, 25U) << "room for a quarter is";
  EXPECT_EQ(handed_to("bert").size(), 100U);
}

TEST_F(handing_over, lets_the_store_decide_on_what_a_blocked_account_writes) {
  open();
  const auto bert = listening("bert");
  const auto anna = connect("anna"), cleo = connect("cleo");
  account_record blocking = rights_of("bert")->record();
  blocking.blocked = {"zoe", "anna"};
  office->set_rights(std::make_shared<const policy>(blocking, topic_prefix()));
  publish(anna, topic("bert", 0), "", 0);
  EXPECT_FALSE(office->hear_routed(bert));
  publish(cleo, "group/crew/cleo/m1");
  EXPECT_TRUE(office->hear_routed(bert));
  publish(anna, "group/crew/anna/m2");
  EXPECT_FALSE(office->hear_routed(bert));
  commit_all();
  answer(asked(), {row(time.wall_us, "group/crew/anna/m2")});
  EXPECT_THAT(handed_to("bert"), ElementsAre("group/crew/anna/m2")) << "it was not blocked any more";
  EXPECT_TRUE(is_live(bert));
}

TEST_F(handing_over, withdraws_what_waits_of_a_group_that_was_left) {
  open();
  const auto dora = connect("dora");
  subscribe_to_all(dora, "dora");
  loop();
  answer(asked(), {row(1, "group/crew/anna/m1"), row(2, topic("dora", 2))});
  EXPECT_THAT(handed_to("dora"), ElementsAre(topic("dora", 2)));
  loop();
  ASSERT_EQ(batch().removals.size(), 1U);
  EXPECT_EQ(batch().removals[0].number, 1);
}

// The store may count somebody as a member before the directory has told us.
TEST_F(handing_over, keeps_what_a_group_sent_while_a_membership_may_not_be_known_yet) {
  open();
  const auto dora = connect("dora");
  subscribe_to_all(dora, "dora");
  loop();
  const auto early = row(time.wall_us - 100'000, "group/crew/anna/m1");
  answer(asked(), {early});
  loop();
  EXPECT_THAT(records.removals, IsEmpty());
  EXPECT_THAT(handed_to("dora"), IsEmpty());

  account_record joined = rights_of("dora")->record();
  joined.groups.push_back({"crew", false, true});
  office->set_rights(std::make_shared<const policy>(joined, topic_prefix()));
  loop();
  answer(asked(), {early});
  EXPECT_THAT(handed_to("dora"), ElementsAre("group/crew/anna/m1"));
}

TEST_F(handing_over, withdraws_what_a_group_sent_just_after_it_was_left) {
  open();
  const auto dora = connect("dora");
  subscribe_to_all(dora, "dora");
  loop();
  const auto late = row(time.wall_us - 100'000, "group/crew/anna/m1");
  answer(asked(), {late});
  loop();
  EXPECT_THAT(records.removals, IsEmpty());
  for (int i = 0; i < 50; ++i) {
    loop(100'000);
    while (!mail.reads.empty()) answer(asked(), {late});
  }
  ASSERT_EQ(records.removals.size(), 1U);
  EXPECT_EQ(records.removals[0].number, late->number);
}

class resent_messages : public handing_over {
 protected:
  session_handle reconnect_with(const std::string& topic_resent, std::size_t bytes = 0) {
    const auto phone = resume("bert", "phone");
    EXPECT_TRUE(office->hear_resent(phone, topic_resent, bytes));
    office->told_subscription_count(phone, 1);
    loop();
    return phone;
  }
};

TEST_F(resent_messages, are_granted_only_to_whom_they_are_for) {
  open();
  const auto phone = resume("bert", "phone");
  for (const char* topic :
       {"direct/bert/anna/m1", "group/crew/anna/m2", "receipt/bert/anna/m3", "direct/bert/bert/note"}) {
    EXPECT_TRUE(office->hear_resent(phone, topic, 0)) << topic;
  }
  EXPECT_EQ(held_by(phone), 3U) << "receipts are not acknowledged";
  for (const char* topic : {"group/crew/bert/mine", "group/elsewhere/anna/m4", "direct/cleo/anna/m5",
                            "receipt/anna/bert/m6", "ack/bert", "direct/bert", "weather/today"}) {
    EXPECT_FALSE(office->hear_resent(phone, topic, 0)) << topic;
  }
  EXPECT_FALSE(office->hear_resent(99, "direct/bert/anna/m1", 0)) << "nobody";
  EXPECT_EQ(held_by(phone), 3U);
}

TEST_F(resent_messages, whose_removal_is_under_way_keep_no_place_in_the_window) {
  open();
  const auto tablet = listening("bert", "tablet");
  const auto anna = connect("anna");
  publish(anna, topic("bert", 1));
  EXPECT_TRUE(office->hear_routed(tablet));
  const auto first = records.messages.back().what;
  commit_all();
  publish(tablet, "ack/bert", "anna/m1\n");
  loop();
  EXPECT_EQ(batch().removals.size(), 1U);

  const auto phone = reconnect_with(topic("bert", 1));
  EXPECT_EQ(held_by(phone), 1U);
  const auto request = asked();
  EXPECT_THAT(request.resolve, ElementsAre(first->key));
  answer(request, {first}, true, {{first->key, first->number}});  // read before the removal was committed
  EXPECT_EQ(held_by(phone), 0U);
  EXPECT_THAT(handed_to("phone"), IsEmpty());
}

TEST_F(resent_messages, that_are_not_stored_yet_are_not_forgotten_by_a_page_that_is_too_old) {
  open();
  const auto anna = connect("anna");
  const auto before = listening("bert", "phone");
  publish(anna, topic("bert", 1));
  EXPECT_TRUE(office->hear_routed(before));
  const auto first = records.messages.back().what;
  loop();
  EXPECT_EQ(batch().messages.size(), 1U);

  const auto phone = reconnect_with(topic("bert", 1));
  answer(asked(), {row(2, topic("bert", 2))});
  EXPECT_EQ(held_by(phone), 2U) << "nothing of it is stored yet";
  for (int i = 0; i < 5; ++i) loop();
  EXPECT_THAT(mail.reads, IsEmpty()) << "asking before it is stored would tell nothing";
  commit();
  loop();
  const auto second = asked();
  EXPECT_THAT(second.resolve, ElementsAre(first->key)) << "the number of the other is known";
  answer(second, {first}, true, {{first->key, first->number}});
  EXPECT_EQ(held_by(phone), 2U);
  EXPECT_EQ(office->session_of(phone)->held_without_number, 0U);
  EXPECT_THAT(handed_to("phone"), ElementsAre(topic("bert", 2))) << "the broker has resent the first";
  publish(phone, "ack/bert", "anna/m1\nanna/m2\n");
  EXPECT_EQ(held_by(phone), 0U);
}

TEST_F(resent_messages, that_wait_no_more_make_room_even_in_a_full_window) {
  open();
  const auto phone = resume("bert", "phone");
  for (int id = 1; id <= 3; ++id) EXPECT_TRUE(office->hear_resent(phone, topic("bert", id), 0));
  office->told_subscription_count(phone, 1);
  loop();
  const auto request = asked();
  EXPECT_EQ(request.resolve.size(), 3U);
  EXPECT_EQ(request.limit, 1U);
  answer(request, {row(2, topic("bert", 2))}, true, {{{"anna", "m2"}, 2}});
  EXPECT_EQ(held_by(phone), 1U);
}

TEST_F(resent_messages, may_be_acknowledged_by_a_receipt_before_their_numbers_are_known) {
  open();
  const auto phone = reconnect_with(topic("bert", 1));
  publish(phone, "receipt/anna/bert/m1", "delivered");
  EXPECT_EQ(held_by(phone), 0U);
  EXPECT_THAT(records.messages, IsEmpty()) << "nobody knows yet whether there was such a message";
  loop();
  commit({.removals_by_key = {{true, 500, true}}});
  EXPECT_EQ(records.messages.size(), 1U);
}

TEST_F(resent_messages, may_be_acknowledged_before_their_numbers_are_known) {
  open();
  const auto phone = reconnect_with(topic("bert", 1));
  publish(phone, "ack/bert", "anna/m1\n");
  EXPECT_EQ(held_by(phone), 0U);
  answer(asked(), {row(1, topic("bert", 1))}, true, {{{"anna", "m1"}, 1}});
  EXPECT_EQ(held_by(phone), 0U);
  EXPECT_THAT(handed_to("phone"), IsEmpty()) << "its removal is under way";
  loop();
  EXPECT_EQ(batch().removals_by_key.size(), 1U);
}

}  // namespace
}  // namespace restante
