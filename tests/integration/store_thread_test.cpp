// plugin/postgres/store_thread.h against a real server: storing, reading and removing.
#include "postgres/store_thread.h"

#include <gmock/gmock.h>

#include "integration/store_fixture.h"

namespace restante {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class store : public store_fixture {};

TEST_F(store, becomes_ready_with_the_mark_and_the_clock) {
  sql("update restante.broker set stored_through = 12345");
  running_store store(usual_settings(database_.broker));
  const store_ready ready = store.next<store_ready>();
  EXPECT_EQ(ready.stored_through, 12345);
  EXPECT_LT(std::abs(ready.database_clock_offset_us), second_us);
  EXPECT_EQ(sql("select version, topic_prefix, started_at is not null from restante.broker"), "test||t");
}

TEST_F(store, keeps_a_message_until_it_is_removed) {
  running_store store(usual_settings(database_.broker));
  envelope sent = direct("bert", "anna", "m1", std::string("\0\xff", 2));
  auto what = std::make_shared<message>(*sent.what);
  what->properties = std::string("\x03\0\x01x", 4);
  what->qos = 2;
  what->expires_at_us = now_us() + 3600 * second_us;
  sent.what = what;
  store.write(batch_of({sent}));

  const page got = store.read("bert");
  ASSERT_EQ(got.rows.size(), 1u);
  EXPECT_TRUE(got.complete);
  const message& row = *got.rows[0];
  EXPECT_EQ(row.number, what->number);
  EXPECT_EQ(row.topic, "direct/bert/anna/m1");
  EXPECT_EQ(row.payload, what->payload);
  EXPECT_EQ(row.properties, what->properties);
  EXPECT_EQ(row.key, (message_key{"anna", "m1"}));
  EXPECT_EQ(row.qos, 2);
  EXPECT_EQ(row.expires_at_us, what->expires_at_us);
  EXPECT_EQ(sql("select stored_through from restante.broker"), std::to_string(what->number));

  store_batch removal;
  removal.removals = {{"bert", what->number}};
  store.write(std::move(removal));
  EXPECT_THAT(store.read("bert").rows, IsEmpty());
  EXPECT_EQ(sql("select stored_through from restante.broker"), std::to_string(what->number));
}

TEST_F(store, keeps_an_empty_payload_apart_from_none) {
  running_store store(usual_settings(database_.broker));
  store.write(batch_of({direct("bert", "anna", "m1", "")}));
  const page got = store.read("bert");
  ASSERT_EQ(got.rows.size(), 1u);
  EXPECT_EQ(got.rows[0]->payload, "");
}

TEST_F(store, keeps_the_body_of_a_group_message_once) {
  running_store store(usual_settings(database_.broker));
  const envelope sent = to_group("crew", "anna", "m1", {"bert", "carl"}, now_us() - 120 * second_us);
  store.write(batch_of({sent}));
  EXPECT_EQ(sql("select count(*) from restante.message"), "1");
  EXPECT_EQ(sql("select count(*), count(payload), count(topic) from restante.delivery"), "2|0|0");
  for (const char* member : {"bert", "carl"}) {
    const page got = store.read(member);
    ASSERT_EQ(got.rows.size(), 1u);
    EXPECT_EQ(got.rows[0]->topic, "group/crew/anna/m1");
    EXPECT_EQ(got.rows[0]->payload, "hello all");
    EXPECT_EQ(got.rows[0]->key, (message_key{"anna", "m1"}));
  }
  EXPECT_THAT(store.read("anna").rows, IsEmpty());

  store_batch first, second;
  first.removals = {{"bert", sent.what->number}};
  store.write(std::move(first));
  EXPECT_EQ(sql("select bodies from restante.restante_sweep()"), "0");
  second.removals = {{"carl", sent.what->number}};
  store.write(std::move(second));
  EXPECT_EQ(sql("select bodies from restante.restante_sweep()"), "1");
  EXPECT_EQ(sql("select count(*) from restante.message"), "0");
}

TEST_F(store, finds_the_members_of_a_group_whose_audience_is_not_given) {
  running_store store(usual_settings(database_.broker));
  store.write(batch_of({to_group("crew", "anna", "m1", {}), to_group("crew", "bert", "m2", {}),
                        to_group("no-such-group", "bert", "m3", {})}));
  EXPECT_THAT(ids(store.read("anna")), ElementsAre("m2"));
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m1"));
  EXPECT_THAT(ids(store.read("carl")), ElementsAre("m1", "m2"));
  EXPECT_EQ(dead_letters(), "");
}

TEST_F(store, stores_more_than_fits_in_one_statement) {
  sql("insert into restante.account (name) select 'many' || i from generate_series(1, 12000) i;"
      "insert into restante.member (group_id, account_id)"
      " select g.id, a.id from restante.account_group g, restante.account a where a.name like 'many%'");
  running_store store(usual_settings(database_.broker));
  const std::string large(3 << 20, 'x');
  store.write(batch_of({to_group("crew", "anna", "m1", {}), direct("bert", "anna", "m2", large),
                        direct("bert", "anna", "m3", large), direct("bert", "anna", "m4", large),
                        direct("bert", "anna", "m5", large)}));
  EXPECT_EQ(sql("select count(*) from restante.delivery"), "12007");
  EXPECT_THAT(ids(store.read("bert", 0, 100, 100 << 20)), ElementsAre("m1", "m2", "m3", "m4", "m5"));
}

TEST_F(store, reads_pages_of_at_most_so_many_rows_and_bytes) {
  running_store store(usual_settings(database_.broker));
  store_batch batch;
  std::vector<envelope> sent;
  for (int i = 1; i <= 5; ++i)
    sent.push_back(direct("bert", "anna", "m" + std::to_string(i), std::string(100, 'x')));
  store.write(batch_of(sent));

  const page first = store.read("bert", 0, 2);
  EXPECT_THAT(ids(first), ElementsAre("m1", "m2"));
  EXPECT_FALSE(first.complete);
  const page second = store.read("bert", first.rows.back()->number, 3);
  EXPECT_THAT(ids(second), ElementsAre("m3", "m4", "m5"));
  EXPECT_TRUE(second.complete);
  EXPECT_THAT(ids(store.read("bert", 0, 10, 250)), ElementsAre("m1", "m2"));
  const page too_large = store.read("bert", 0, 10, 1);
  EXPECT_THAT(ids(too_large), ElementsAre("m1"));
  EXPECT_FALSE(too_large.complete);
  EXPECT_TRUE(store.read("bert", sent.back().what->number).complete);
}

TEST_F(store, reads_the_pages_of_many_accounts_at_once) {
  running_store store(usual_settings(database_.broker));
  const std::vector<std::string> accounts{"anna", "bert", "carl", "dora", "nobody", "not a name"};
  std::vector<envelope> sent{to_group("crew", "dora", "g1", {"bert", "carl"})};
  for (int i = 1; i <= 3; ++i) {
    for (std::size_t to = 0; to < 3; ++to) {
      sent.push_back(direct(accounts[to], "dora", accounts[to] + std::to_string(i)));
    }
  }
  const message_number second = sent[4].what->number;
  store.write(batch_of(sent));
  for (std::size_t i = 0; i < accounts.size(); ++i) {
    store.thread().read({100 + i, accounts[i], i == 0 ? second : 0, 3, 1 << 20, {{"dora", "bert2"}}});
  }
  std::map<std::uint64_t, page> got;
  while (got.size() < accounts.size()) {
    page next = store.next<page_ready>().read;
    got[next.token] = std::move(next);
  }
  EXPECT_THAT(ids(got[100]), ElementsAre("anna3"));
  EXPECT_THAT(ids(got[101]), ElementsAre("g1", "bert1", "bert2"));
  EXPECT_THAT(ids(got[102]), ElementsAre("g1", "carl1", "carl2"));
  for (const std::uint64_t token : {103, 104, 105}) EXPECT_THAT(got[token].rows, IsEmpty());
  EXPECT_EQ(got[101].resolved.size(), 1u);
  EXPECT_THAT(got[102].resolved, IsEmpty());
  EXPECT_TRUE(got[100].complete);
  EXPECT_FALSE(got[101].complete);
}

TEST_F(store, has_an_empty_page_for_whoever_has_no_mailbox) {
  running_store store(usual_settings(database_.broker));
  for (const char* name : {"nobody", "", "a/b", "\xff"}) {
    const page got = store.read(name);
    EXPECT_THAT(got.rows, IsEmpty());
    EXPECT_TRUE(got.complete);
  }
}

TEST_F(store, passes_over_rows_that_are_no_messages) {
  running_store store(usual_settings(database_.broker));
  store.write(batch_of({direct("bert", "anna", "m1")}));
  const message_number first = store.read("bert").rows.at(0)->number;
  const std::string mailbox =
      "(select b.id from restante.mailbox b join restante.account a on a.id = b.account_id"
      " where a.name = 'bert')";
  const auto plant = [&](int step, const std::string& values) {
    sql("insert into restante.delivery (mailbox_id, number, topic, sender_id, message_id, payload, qos) "
        "select " +
        mailbox + ", " + std::to_string(first + step) + ", " + values);
  };
  const std::string anna = "(select id from restante.account where name = 'anna')";
  plant(1, "null, null, null, null, null");
  plant(2, "'direct/bert/anna', " + anna + ", 'x', '', 1");
  plant(3, "'direct/bert/anna/x', " + anna + ", 'x', '', 3");
  plant(4, "'direct/bert/carl/x', " + anna + ", 'x', '', 1");
  plant(5, "'direct/bert/anna/x', " + anna + ", 'x/y', '', 1");
  plant(6, "'#', " + anna + ", 'x', '', 1");
  plant(7, "'direct/bert/anna/good', " + anna + ", 'good', '', 1");
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m1", "good"));
  EXPECT_THAT(store.next<log_line>().text, testing::HasSubstr("of the mailbox of bert is no message"));
  // Even where there are only such rows on a page, it is not empty unless it is the last.
  EXPECT_THAT(ids(store.read("bert", first, 2)), ElementsAre("good"));
}

TEST_F(store, resolves_keys_to_the_numbers_of_what_waits) {
  running_store store(usual_settings(database_.broker));
  const envelope one = direct("bert", "anna", "m1"), two = to_group("crew", "anna", "m2", {"bert", "carl"});
  store.write(batch_of({one, two, receipt("bert", "anna", "m3", "read")}));
  const page got = store.read("bert", two.what->number, 10, 1000,
                              {{"anna", "m1"}, {"anna", "m2"}, {"anna", "m3"}, {"carl", "m1"}, {"?", "m1"}});
  ASSERT_EQ(got.resolved.size(), 2u);
  EXPECT_EQ(got.resolved[0].key, one.what->key);
  EXPECT_EQ(got.resolved[0].number, one.what->number);
  EXPECT_EQ(got.resolved[1].key, two.what->key);
  EXPECT_EQ(got.resolved[1].number, two.what->number);
}

store_batch removing_by_key(std::vector<std::pair<std::string, message_key>> keys,
                            message_number through = INT64_MAX) {
  store_batch batch;
  for (auto& [account, key] : keys) batch.removals_by_key.push_back({account, key, through, false});
  return batch;
}

TEST_F(store, removes_by_key_and_says_what_it_found) {
  running_store store(usual_settings(database_.broker));
  store.write(batch_of({direct("bert", "anna", "m1"), to_group("crew", "anna", "m2", {"bert", "carl"}),
                        receipt("bert", "anna", "m3", "read")}));
  const batch_result result = store.write(removing_by_key({{"bert", {"anna", "m1"}},
                                                           {"bert", {"anna", "m1"}},
                                                           {"carl", {"anna", "m2"}},
                                                           {"bert", {"anna", "m2"}},
                                                           {"bert", {"anna", "m3"}},
                                                           {"dora", {"anna", "m2"}},
                                                           {"bert", {"nobody", "m1"}},
                                                           {"\xff", {"anna", "\n"}}}));
  ASSERT_EQ(result.removals_by_key.size(), 8u);
  const auto found = [&](std::size_t at) { return result.removals_by_key[at].found; };
  EXPECT_TRUE(found(0));
  EXPECT_TRUE(result.removals_by_key[0].passes_receipts);
  EXPECT_FALSE(found(1));
  EXPECT_TRUE(found(2));
  EXPECT_TRUE(result.removals_by_key[2].passes_receipts);
  EXPECT_TRUE(found(3));
  for (std::size_t i = 4; i < 8; ++i) EXPECT_FALSE(found(i)) << i;
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m3"));
  EXPECT_THAT(store.read("carl").rows, IsEmpty());
}

TEST_F(store, finds_by_key_and_leaves_it_where_it_is) {
  running_store store(usual_settings(database_.broker));
  const envelope one = direct("bert", "anna", "m1");
  store.write(batch_of({one}));
  store_batch batch;
  batch.removals_by_key = {{"bert", {"anna", "m1"}, INT64_MAX, true},
                           {"bert", {"anna", "m1"}, INT64_MAX, true}};
  const batch_result result = store.write(std::move(batch));
  for (const auto& each : result.removals_by_key) {
    EXPECT_TRUE(each.found);
    EXPECT_EQ(each.number, one.what->number);
  }
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m1"));
}

TEST_F(store, removes_by_key_what_the_same_batch_stores) {
  running_store store(usual_settings(database_.broker));
  store_batch batch = batch_of({direct("bert", "anna", "m1"), direct("bert", "anna", "m2")});
  batch.removals = {{"bert", batch.messages[1].what->number}};
  batch.removals_by_key = {{"bert", {"anna", "m1"}, INT64_MAX, false},
                           {"bert", {"anna", "m2"}, INT64_MAX, false}};
  const batch_result result = store.write(std::move(batch));
  EXPECT_TRUE(result.removals_by_key.at(0).found);
  EXPECT_FALSE(result.removals_by_key.at(1).found);  // it was removed by its number
  EXPECT_THAT(store.read("bert").rows, IsEmpty());
}

TEST_F(store, removes_by_key_the_oldest_first_and_nothing_accepted_later) {
  running_store store(usual_settings(database_.broker));
  const envelope first = direct("bert", "anna", "same"), second = direct("bert", "anna", "same");
  store.write(batch_of({first, second}));
  EXPECT_FALSE(store.write(removing_by_key({{"bert", {"anna", "same"}}}, first.what->number - 1))
                   .removals_by_key.at(0)
                   .found);
  EXPECT_TRUE(store.write(removing_by_key({{"bert", {"anna", "same"}}})).removals_by_key.at(0).found);
  const page left = store.read("bert");
  ASSERT_EQ(left.rows.size(), 1u);
  EXPECT_EQ(left.rows[0]->number, second.what->number);
}

TEST_F(store, replaces_a_waiting_receipt_by_a_later_one) {
  running_store store(usual_settings(database_.broker));
  store.write(
      batch_of({receipt("anna", "bert", "m1", "delivered"), receipt("anna", "carl", "m1", "delivered")}));
  store.write(batch_of({receipt("anna", "bert", "m1", "read")}));
  store.write(batch_of({receipt("anna", "bert", "m2", "delivered"), receipt("anna", "bert", "m2", "read")}));
  const page got = store.read("anna");
  ASSERT_EQ(got.rows.size(), 3u);
  EXPECT_EQ(got.rows[0]->topic + " " + got.rows[0]->payload, "receipt/anna/carl/m1 delivered");
  EXPECT_EQ(got.rows[1]->topic + " " + got.rows[1]->payload, "receipt/anna/bert/m1 read");
  EXPECT_EQ(got.rows[2]->topic + " " + got.rows[2]->payload, "receipt/anna/bert/m2 read");
}

TEST_F(store, stores_what_it_is_given_twice_only_once) {
  running_store store(usual_settings(database_.broker));
  const std::vector<envelope> sent = {direct("bert", "anna", "m1"),
                                      to_group("crew", "anna", "m2", {"bert", "carl"}),
                                      direct("nobody", "anna", "m3"), receipt("bert", "carl", "m4", "read")};
  store.write(batch_of(sent));
  store.write(batch_of(sent));
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m1", "m2", "m4"));
  EXPECT_EQ(dead_letters(), "nobody|unknown|t");
}

TEST_F(store, stores_the_rest_of_a_batch_of_which_some_is_stored_already) {
  running_store store(usual_settings(database_.broker));
  const envelope one = direct("bert", "anna", "m1"), two = to_group("crew", "anna", "m2", {"bert", "carl"});
  store.write(batch_of({one, two}));
  store.write(batch_of({one, two, direct("bert", "anna", "m3")}));
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m1", "m2", "m3"));
  EXPECT_THAT(ids(store.read("carl")), ElementsAre("m2"));
  EXPECT_EQ(dead_letters(), "");
}

TEST_F(store, removes_what_waits_in_a_day_whose_tables_are_gone_without_a_word) {
  running_store store(usual_settings(database_.broker));
  const message_number old = now_us() - 20 * day_us;
  store.write(batch_of({direct("bert", "anna", "m1", "x", old)}));
  store_batch first, second;
  first.removals = {{"bert", old + 1}};  // nothing, but the day's table was used
  store.write(first);
  const std::string day =
      sql("select to_char(restante.number_time(" + std::to_string(old) + "), 'YYYYMMDD')");
  sql("drop table restante.delivery_" + day + ", restante.message_" + day);
  second = batch_of({direct("bert", "anna", "m2")});
  second.removals = {{"bert", old}};
  store.write(second);
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m2"));
  EXPECT_FALSE(store.has<store_lost>());
}

TEST_F(store, writes_reports_and_who_acknowledges) {
  running_store store(usual_settings(database_.broker));
  store.next<store_ready>();
  store.thread().report({3, 4, {"anna", "bert"}});
  store.thread().remember_acknowledging("carl");
  EXPECT_TRUE(support::eventually([&] {
    return sql("select sessions, journal_bytes, never_acknowledged, reported_at is not null from "
               "restante.broker") == "3|4|{anna,bert}|t";
  }));
  EXPECT_TRUE(support::eventually([&] {
    return sql("select string_agg(name, ',') from restante.account where has_acknowledged") == "carl";
  }));
}

}  // namespace
}  // namespace restante
