// Sessions that come and go, and the end of the post office.
#include <gmock/gmock.h>

#include <string>

#include "post_office_harness.h"

namespace restante {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class sessions : public post_office_harness {
 protected:
  // A session that the broker keeps, with one filter, gone offline.
  void leave_behind(const std::string& account, const std::string& client_id) {
    const auto handle = resume(account, client_id);
    office->told_subscription_count(handle, 0);
    office->subscribe(handle, "direct/" + account + "/#", 1);
    office->disconnect(handle);
  }
  bool comes_back_known(const std::string& account, const std::string& client_id) {
    const auto handle = resume(account, client_id);
    office->told_subscription_count(handle, 1);
    const session& back = *office->session_of(handle);
    EXPECT_TRUE(back.wants_mail());
    return !back.filters_unknown && back.filters.size() == 1;
  }
};

TEST_F(sessions, that_are_offline_are_remembered_up_to_a_bound) {
  auto settings = small();
  settings.parked_sessions = 2;
  open(settings);
  for (const char* client : {"one", "two", "three"}) leave_behind("bert", client);
  EXPECT_FALSE(comes_back_known("bert", "one")) << "the oldest was forgotten: it gets its whole mailbox";
  EXPECT_TRUE(comes_back_known("bert", "two"));
  EXPECT_TRUE(comes_back_known("bert", "three"));
}

TEST_F(sessions, that_leave_again_are_the_newest) {
  auto settings = small();
  settings.parked_sessions = 2;
  open(settings);
  for (const char* client : {"one", "two", "one", "three"}) leave_behind("bert", client);
  EXPECT_FALSE(comes_back_known("bert", "two"));
  EXPECT_TRUE(comes_back_known("bert", "one"));
  EXPECT_TRUE(comes_back_known("bert", "three"));
}

TEST_F(sessions, that_take_over_an_open_connection_go_on_with_its_filters) {
  open();
  const auto before = resume("bert", "phone");
  office->told_subscription_count(before, 0);
  office->subscribe(before, "direct/bert/#", 1);
  const auto after = resume("bert", "phone");
  office->disconnect(before);
  office->told_subscription_count(after, 1);
  EXPECT_EQ(office->session_of(after)->filters.size(), 1U);
  EXPECT_FALSE(office->needs_count(after));
}

TEST_F(sessions, that_take_over_a_connection_that_leaves_nothing_behind_begin_anew) {
  open();
  const auto before = connect("bert", "phone");
  office->subscribe(before, "direct/bert/#", 1);
  const auto after = resume("bert", "phone");
  EXPECT_THAT(office->session_of(after)->filters, IsEmpty());
}

TEST_F(sessions, of_another_account_are_not_taken_over) {
  open();
  leave_behind("bert", "shared");
  const auto cleo = resume("cleo", "shared");
  EXPECT_THAT(office->session_of(cleo)->filters, IsEmpty());
  EXPECT_TRUE(office->client_id_is_taken("shared", "bert"));
  EXPECT_FALSE(office->client_id_is_taken("shared", "cleo"));
  EXPECT_FALSE(office->client_id_is_taken("another", "bert"));
  office->disconnect(cleo);
  EXPECT_FALSE(office->client_id_is_taken("shared", "bert"));
}

TEST_F(sessions, that_are_clean_leave_nothing_behind) {
  open();
  const auto bert = connect("bert", "phone");
  office->subscribe(bert, "direct/bert/#", 1);
  office->disconnect(bert);
  EXPECT_FALSE(comes_back_known("bert", "phone"));
}

TEST_F(sessions, with_unknown_filters_get_their_whole_mailbox_until_all_are_known) {
  open();
  const auto phone = resume("bert", "phone");
  EXPECT_TRUE(office->needs_count(phone));
  loop();
  EXPECT_THAT(mail.reads, IsEmpty()) << "perhaps it has no subscription at all";
  office->told_subscription_count(phone, 2);
  loop();
  answer(asked(), {row(1, "direct/bert/anna/m1"), row(2, "group/crew/anna/m2")});
  EXPECT_EQ(handed_to("phone").size(), 2U);
  EXPECT_FALSE(is_live(phone));

  office->subscribe(phone, "direct/bert/#", 1);
  office->told_subscription_count(phone, 2);
  EXPECT_TRUE(office->needs_count(phone)) << "one is still unknown";
  office->subscribe(phone, "weather/#", 1);
  office->told_subscription_count(phone, 2);
  EXPECT_FALSE(office->needs_count(phone));
  empty_mailboxes();
  EXPECT_TRUE(is_live(phone));
}

TEST_F(sessions, with_unknown_filters_do_not_count_what_they_unsubscribed_again) {
  open();
  const auto phone = resume("bert", "phone");
  office->told_subscription_count(phone, 2);
  office->subscribe(phone, "group/crew/#", 1);
  office->told_subscription_count(phone, 3);
  office->unsubscribe(phone, "group/crew/#");
  office->subscribe(phone, "direct/bert/#", 1);
  office->told_subscription_count(phone, 2);
  EXPECT_TRUE(office->needs_count(phone)) << "one of the two is still unknown";
}

TEST_F(sessions, have_no_more_durable_filters_than_they_may) {
  auto settings = small();
  settings.filters_a_session = 2;
  open(settings);
  const auto bert = connect("bert");
  EXPECT_TRUE(office->subscribe(bert, "direct/bert/anna/+", 1));
  EXPECT_TRUE(office->subscribe(bert, "direct/bert/cleo/+", 1));
  EXPECT_FALSE(office->subscribe(bert, "direct/bert/dora/+", 1));
  EXPECT_TRUE(office->subscribe(bert, "direct/bert/cleo/+", 0)) << "the same again";
  EXPECT_TRUE(office->subscribe(bert, "weather/today", 1)) << "another topic";
  office->unsubscribe(bert, "direct/bert/anna/+");
  EXPECT_TRUE(office->subscribe(bert, "direct/bert/dora/+", 1));
  EXPECT_EQ(office->session_of(bert)->filters.size(), 2U);
}

TEST_F(sessions, of_an_account_that_is_blocked_are_closed_at_once) {
  open();
  const auto phone = listening("bert", "phone"), tablet = listening("bert", "tablet");
  const auto anna = connect("anna");
  account_record blocked;
  blocked.name = "bert";
  publish(anna, "direct/bert/anna/m1");
  office->set_rights(std::make_shared<const policy>(blocked, topic_prefix()));
  EXPECT_THAT(clients.kicked, UnorderedElementsAre("phone", "tablet"));
  EXPECT_FALSE(office->hear_routed(phone));
  EXPECT_FALSE(office->hear_routed(tablet));
  EXPECT_EQ(lines.count(log_level::info, "bert is blocked or deleted"), 1U);
}

TEST_F(sessions, with_a_full_window_and_no_acknowledgement_ever_are_named_once) {
  open();
  const auto bert = listening("bert");
  const auto anna = connect("anna");
  for (int id = 1; id <= 3; ++id) {
    loop(11'000'000);
    EXPECT_THAT(mail.reports.back().never_acknowledged, IsEmpty());
    EXPECT_EQ(mail.reports.back().sessions, 2U);
    publish(anna, "direct/bert/anna/m" + std::to_string(id));
    EXPECT_TRUE(office->hear_routed(bert));
  }
  for (int i = 0; i < 3; ++i) {
    loop(11'000'000);
    EXPECT_THAT(mail.reports.back().never_acknowledged, ElementsAre("bert"));
  }
  EXPECT_EQ(lines.count(log_level::warning, "bert holds a full window and has never acknowledged"), 1U);
  const auto reports = mail.reports.size();
  loop(9'000'000);
  EXPECT_EQ(mail.reports.size(), reports) << "a report each ten seconds";
  publish(bert, "ack/bert", "anna/unknown\n");
  loop(11'000'000);
  EXPECT_THAT(mail.reports.back().never_acknowledged, IsEmpty());
}

TEST_F(sessions, end_with_the_post_office_and_what_is_accepted_is_stored_without_lingering) {
  auto settings = small();
  settings.values.linger_us = 10'000'000;
  open(settings);
  const auto bert = listening("bert");
  const auto anna = connect("anna");
  publish(anna, "direct/bert/anna/m1");
  EXPECT_TRUE(office->hear_routed(bert));
  publish(anna, "direct/cleo/anna/m2");
  loop();
  EXPECT_FALSE(mail.writing);
  office->close();
  EXPECT_EQ(office->session_count(), 0U);
  EXPECT_FALSE(office->hear_routed(bert));
  EXPECT_FALSE(office->is_drained());
  loop();
  EXPECT_EQ(batch().messages.size(), 2U);
  commit();
  EXPECT_TRUE(office->is_drained());
  EXPECT_EQ(records.trimmed_to, records.end());
  EXPECT_THAT(clients.published, IsEmpty());
}

TEST_F(sessions, may_end_while_their_page_is_read) {
  open();
  const auto bert = connect("bert");
  office->subscribe(bert, "direct/bert/#", 1);
  loop();
  const auto request = asked();
  office->disconnect(bert);
  answer(request, {row(1, "direct/bert/anna/m1")});
  office->page_failed(request.token);
  loop();
  EXPECT_THAT(clients.published, IsEmpty());
}

class what_the_journal_had : public post_office_harness {
 protected:
  // What a post office before this one accepted.
  accepted_message accepted(const std::string& topic, int after_us = 0) {
    const auto what = row(time.wall_us + after_us, topic);
    const auto once = identity_of(*what);
    const auto before = std::string_view(topic).substr(0, topic.size() - once.size());
    return {{what, {"bert"}, {}, 0}, fingerprint_of(small().key, once, before)};
  }
  void restore(const journal_record& record) {
    records.all.push_back(record);
    records.flushed = records.all.size();
    office->restore(records.all.size() - 1, record);
  }
};

TEST_F(what_the_journal_had, is_stored_once_and_a_repeat_is_known) {
  open_unready();
  const auto first = accepted("direct/bert/anna/m1"), second = accepted("direct/bert/anna/m2", 5);
  for (const auto& each : {first, first, second, first}) restore(each);
  office->store_ready(0, 0);
  const auto anna = connect("anna");
  EXPECT_EQ(publish(anna, "direct/bert/anna/m1").what, acceptance::accepted);
  EXPECT_EQ(publish(anna, "direct/cleo/anna/m2").what, acceptance::refused);
  EXPECT_GT(publish(anna, "direct/bert/anna/m3").number, second.what.what->number);
  loop();
  EXPECT_EQ(batch().messages.size(), 3U);
}

TEST_F(what_the_journal_had, and_is_stored_already_is_not_stored_again) {
  open_unready();
  restore(accepted("direct/bert/anna/m1"));
  restore(accepted("direct/bert/anna/m2", 5));
  office->store_ready(time.wall_us, 0);
  loop();
  ASSERT_EQ(batch().messages.size(), 1U);
  EXPECT_EQ(batch().messages[0].what->key.id, "m2");
}

TEST_F(what_the_journal_had, and_was_acknowledged_is_removed_stored_or_not) {
  open_unready();
  const auto first = accepted("direct/bert/anna/m1");
  restore(first);
  restore(removal_list{"bert", {first.what.what->number}});
  office->store_ready(0, 0);
  loop();
  EXPECT_THAT(batch().messages, IsEmpty());
  ASSERT_EQ(batch().removals.size(), 1U);
  EXPECT_EQ(batch().removals[0].number, first.what.what->number);
}

TEST_F(what_the_journal_had, may_be_more_than_fits_in_memory) {
  auto settings = small();
  settings.queue.messages = 2;
  open_unready(settings);
  std::vector<accepted_message> all;
  for (int i = 0; i < 6; ++i) all.push_back(accepted("direct/bert/anna/m" + std::to_string(i), i));
  for (const auto& each : all) restore(each);
  restore(removal_list{"bert", {all[4].what.what->number}});
  office->store_ready(all[0].what.what->number, 0);
  std::vector<std::string> stored;
  for (loop(); mail.writing; loop()) {
    for (const auto& each : batch().messages) stored.push_back(each.what->key.id);
    EXPECT_THAT(batch().removals, IsEmpty());
    commit();
  }
  EXPECT_THAT(stored, ElementsAre("m1", "m2", "m3", "m5"));
  EXPECT_TRUE(office->is_drained());
  EXPECT_EQ(records.trimmed_to, records.end());
}

TEST_F(what_the_journal_had, and_was_to_be_found_by_its_key_is_looked_up_again) {
  open_unready();
  unresolved_receipt receipt;
  receipt.told = *row(0, "receipt/anna/bert/m1", "delivered");
  receipt.told.key = {"bert", "m1"};
  receipt.about = {"anna", "m1"};
  receipt.through = 700;
  restore(receipt);
  restore(removal_by_key{"bert", {"anna", "m2"}, 700, false});
  office->store_ready(600, 0);
  loop();
  ASSERT_EQ(batch().removals_by_key.size(), 2U);
  EXPECT_TRUE(batch().removals_by_key[0].find_only);
  EXPECT_FALSE(batch().removals_by_key[1].find_only);
  batch_result found;
  found.removals_by_key = {{true, 500, true}, {true, 501, true}};
  commit(found);
  loop();
  ASSERT_EQ(batch().messages.size(), 1U);
  EXPECT_EQ(batch().messages[0].what->topic, "receipt/anna/bert/m1");
  EXPECT_EQ(batch().removals.size(), 1U);
}

TEST_F(what_the_journal_had, keeps_its_numbers_from_being_used_again_when_the_clock_was_set_back) {
  open_unready();
  restore(removal_list{"bert", {time.wall_us + 3'600'000'000}});
  office->store_ready(0, 0);
  const auto anna = connect("anna");
  EXPECT_GT(publish(anna, "direct/bert/anna/m1").number, time.wall_us + 3'600'000'000);
}

TEST_F(what_the_journal_had, makes_known_what_was_used_and_is_forgotten) {
  open_unready();
  office->restore(used_once{fingerprint_of(small().key, "anna/m1", "direct/bert/"), 5});
  office->store_ready(0, 0);
  const auto anna = connect("anna");
  EXPECT_EQ(publish(anna, "direct/cleo/anna/m1").what, acceptance::refused);
  EXPECT_EQ(publish(anna, "direct/bert/anna/m1").what, acceptance::accepted);
  EXPECT_THAT(records.messages, IsEmpty()) << "a repeat";
}

}  // namespace
}  // namespace restante
