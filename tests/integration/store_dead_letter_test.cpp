// plugin/postgres/store_thread.h against a real server: what cannot be delivered, expires, or is refused.
#include <gmock/gmock.h>

#include "integration/store_fixture.h"
#include "postgres/connection.h"
#include "postgres/store_thread.h"

namespace restante {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class store_dead_letter : public store_fixture {
 protected:
  void block(const std::string& account, const std::string& blocked) {
    sql("insert into restante.block (account_id, blocked_id) select a.id, b.id from restante.account a,"
        " restante.account b where a.name = '" +
        account + "' and b.name = '" + blocked + "'");
  }
};

TEST_F(store_dead_letter, holds_what_is_for_unknown_departed_and_blocking_recipients) {
  block("carl", "anna");
  running_store store(usual_settings(database_.broker));
  store.write(
      batch_of({direct("nobody", "anna", "m1", "kept"), direct("gone", "anna", "m2"),
                direct("carl", "anna", "m3"), direct("bert", "anna", "m4"), direct("carl", "bert", "m5")}));
  EXPECT_EQ(dead_letters(), "nobody|unknown|t\ngone|departed|t\ncarl|blocked|t");
  EXPECT_EQ(
      sql("select topic, sender, message_id, convert_from(payload, 'UTF8'), qos from restante.dead_letter"
          " where reason = 'unknown'"),
      "direct/nobody/anna/m1|anna|m1|kept|1");
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m4"));
  EXPECT_THAT(ids(store.read("carl")), ElementsAre("m5"));
  // The sender hears of them when it would of a message that nobody fetched.
  EXPECT_EQ(sql("select distinct receipt_at = restante.number_time(number) + interval '30 days'"
                " from restante.dead_letter"),
            "t");
}

TEST_F(store_dead_letter, holds_what_is_for_such_members_of_a_group) {
  block("carl", "anna");
  running_store store(usual_settings(database_.broker));
  store.write(batch_of({to_group("crew", "anna", "m1", {"bert", "carl", "gone", "nobody"})}));
  EXPECT_EQ(sql("select recipient, reason, receipt_at is not null, convert_from(payload, 'UTF8')"
                " from restante.dead_letter order by recipient"),
            "carl|blocked|t|hello all\ngone|departed|t|hello all\nnobody|unknown|t|hello all");
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m1"));
}

TEST_F(store_dead_letter, tells_nobody_of_receipts_and_of_groups_that_pass_none) {
  sql("update restante.account_group set receipts = false");
  running_store store(usual_settings(database_.broker));
  store.write(batch_of({receipt("nobody", "anna", "m1", "read"), to_group("crew", "anna", "m2", {"gone"})}));
  EXPECT_EQ(dead_letters(), "nobody|unknown|f\ngone|departed|f");
}

TEST_F(store_dead_letter, is_told_at_the_messages_own_expiry) {
  running_store store(usual_settings(database_.broker));
  envelope sent = direct("nobody", "anna", "m1");
  auto what = std::make_shared<message>(*sent.what);
  what->expires_at_us = what->number + 3600 * second_us;
  sent.what = what;
  store.write(batch_of({sent}));
  EXPECT_EQ(
      sql("select receipt_at = restante.number_time(number) + interval '1 hour' from restante.dead_letter"),
      "t");
}

TEST_F(store_dead_letter, keeps_what_speaks_for_an_account_that_never_was) {
  running_store store(usual_settings(database_.broker));
  store.write(batch_of({receipt("anna", "nobody", "m1", "expired")}));
  const page got = store.read("anna");
  ASSERT_EQ(got.rows.size(), 1u);
  EXPECT_EQ(got.rows[0]->key, (message_key{"nobody", "m1"}));
}

TEST_F(store_dead_letter, takes_a_group_message_whose_sender_there_is_not) {
  running_store store(usual_settings(database_.broker));
  store.write(
      batch_of({to_group("crew", "nobody", "m1", {"bert"}), to_group("crew", "anna", "m2", {"bert"})}));
  EXPECT_EQ(sql("select sender, recipient, reason from restante.dead_letter"), "nobody|bert|refused");
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m2"));
}

TEST_F(store_dead_letter, isolates_what_postgresql_refuses) {
  running_store store(usual_settings(database_.broker));
  std::vector<envelope> sent;
  for (int i = 0; i < 40; ++i) sent.push_back(direct("bert", "anna", "m" + std::to_string(i)));
  sent[7] = made(std::string("direct/bert/anna/nul\0", 21), "anna", "nul", {"bert"}, "seven", next_number());
  sent[8] = direct("bert", "anna", "m8");
  sent[33] = made("direct/bert/anna/\xff", "anna", "\xff", {"bert"}, "thirty-three", next_number());
  for (int i = 34; i < 40; ++i)
    sent[static_cast<std::size_t>(i)] = direct("bert", "anna", "m" + std::to_string(i));
  store_batch batch = batch_of(sent);
  batch.removals_by_key = {{"bert", {"anna", "m39"}, INT64_MAX, false}};
  const batch_result result = store.write(std::move(batch));
  EXPECT_TRUE(result.removals_by_key.at(0).found);
  EXPECT_EQ(store.read("bert").rows.size(), 37u);
  EXPECT_EQ(sql("select topic, reason, convert_from(payload, 'UTF8'), receipt_at is not null"
                " from restante.dead_letter order by payload"),
            "direct/bert/anna/nul?|refused|seven|t\ndirect/bert/anna/?|refused|thirty-three|t");
  const log_line line = store.next<log_line>();
  EXPECT_EQ(line.level, log_level::warning);
  EXPECT_THAT(line.text, HasSubstr("refused by PostgreSQL"));
  // The store goes on.
  store.write(batch_of({direct("dora", "anna", "after")}));
  EXPECT_THAT(ids(store.read("dora")), ElementsAre("after"));
}

TEST_F(store_dead_letter, drops_what_can_be_kept_nowhere_and_says_so) {
  running_store store(usual_settings(database_.broker));
  store_batch batch;
  batch.messages = {direct("bert", "anna", "m1"), direct("bert", "anna", "m2", "x", INT64_MAX)};
  store.write(std::move(batch));
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m1"));
  const log_line line = store.next<log_line>();
  EXPECT_EQ(line.level, log_level::error);
  EXPECT_THAT(line.text, HasSubstr("is lost"));
}

TEST_F(store_dead_letter, takes_what_is_beyond_a_mailboxs_limit) {
  store_settings settings = usual_settings(database_.broker);
  settings.mailbox_limit = 3;
  running_store store(settings);
  store.write(batch_of({direct("bert", "anna", "m1"), direct("bert", "anna", "m2")}));
  store.write(batch_of(
      {direct("bert", "anna", "m3"), to_group("crew", "anna", "m4", {}), direct("dora", "anna", "m5")}));
  EXPECT_EQ(dead_letters(), "bert|full|t");
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m1", "m2", "m3"));
  EXPECT_THAT(ids(store.read("dora")), ElementsAre("m4", "m5"));

  const message_number first = store.read("bert").rows.at(0)->number;
  store_batch removal;
  removal.removals = {{"bert", first}};
  store.write(std::move(removal));
  store.write(batch_of({direct("bert", "anna", "m6"), direct("bert", "anna", "m7")}));
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m2", "m3", "m6"));
}

TEST_F(store_dead_letter, is_where_expired_mail_goes_and_its_sender_is_to_be_told_once) {
  store_settings settings = usual_settings(database_.broker);
  settings.retention_us = second_us;
  running_store store(settings);
  store.write(batch_of({direct("bert", "anna", "m1"), receipt("bert", "anna", "m0", "read"),
                        to_group("crew", "anna", "m2", {"carl"})}));
  std::vector<expired_delivery> told;
  while (told.size() < 2) {
    for (const expired_delivery& each : store.next<expired_due>().expired) told.push_back(each);
  }
  EXPECT_THAT(store.read("bert").rows, IsEmpty());
  EXPECT_EQ(dead_letters(), "bert|expired|t\nbert|expired|f\ncarl|expired|t");
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].sender, "anna");

  std::vector<envelope> answers;
  for (const expired_delivery& each : told) {
    answers.push_back(receipt(each.sender, each.recipient, each.id, "expired"));
    answers.back().dead_letter = each.dead_letter;
  }
  store.write(batch_of(answers));
  EXPECT_EQ(dead_letters().substr(0, 48), "bert|expired|f\nbert|expired|f\ncarl|expired|f");
}

TEST_F(store_dead_letter, settles_without_a_message_too) {
  running_store store(usual_settings(database_.broker));
  store.write(batch_of({direct("nobody", "anna", "m1")}));
  envelope answer = receipt("anna", "nobody", "m1", "expired");
  answer.recipients.clear();  // struck while it waited
  answer.dead_letter = std::stoll(sql("select id from restante.dead_letter"));
  store.write(batch_of({answer}));
  EXPECT_EQ(dead_letters(), "nobody|unknown|f");
  EXPECT_THAT(store.read("anna").rows, IsEmpty());
}

TEST_F(store_dead_letter, comes_at_once_for_what_expired_on_its_way_here) {
  running_store store(usual_settings(database_.broker));
  store.write(
      batch_of({direct("bert", "anna", "m1", "old", now_us() - 31 * day_us),
                to_group("crew", "anna", "m2", {}, now_us() - 40 * day_us), direct("bert", "anna", "m3")}));
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m3"));
  EXPECT_EQ(sql("select reason, message_id, count(*) from restante.dead_letter group by 1, 2 order by 2"),
            "expired|m1|1\nexpired|m2|3");
}

TEST_F(store_dead_letter, does_not_stand_in_line_behind_those_that_cannot_be_told) {
  sql("insert into restante.dead_letter (number, recipient, topic, sender, message_id, qos, reason, "
      "receipt_at)"
      " select i, 'bert?', 'direct/bert/anna/x', 'anna', 'x', 1, 'refused', now() - interval '1 day'"
      " from generate_series(1, 250) i;"
      "insert into restante.dead_letter (number, recipient, topic, sender, message_id, qos, reason, "
      "receipt_at)"
      " values (9, 'bert', 'direct/bert/anna/m1', 'anna', 'm1', 1, 'unknown', now())");
  running_store store(usual_settings(database_.broker));
  const expired_due due = store.next<expired_due>();
  ASSERT_EQ(due.expired.size(), 1u);
  EXPECT_EQ(due.expired[0].id, "m1");
  EXPECT_EQ(due.expired[0].recipient, "bert");
  // Said before the last of the others are settled.
  EXPECT_TRUE(support::eventually(
      [&] { return sql("select count(*) from restante.dead_letter where receipt_at is not null") == "1"; }));
}

TEST_F(store_dead_letter, comes_of_days_that_are_over) {
  sql(R"(
    do $$ declare day date := current_date - 40; suffix text := to_char(day, 'YYYYMMDD'); begin
      execute format('create table restante.delivery_%1$s partition of restante.delivery
        for values from (%2$s) to (%3$s)', suffix, restante.day_number(day), restante.day_number(day + 1));
      execute format('create table restante.message_%1$s partition of restante.message
        for values from (%2$s) to (%3$s)', suffix, restante.day_number(day), restante.day_number(day + 1));
      insert into restante.message select restante.day_number(day) + 2, 'group/crew/anna/m2', a.id, 'm2', 'two', 1
        from restante.account a where a.name = 'anna';
      insert into restante.delivery (mailbox_id, number)
        select b.id, restante.day_number(day) + 2 from restante.mailbox b
        join restante.account a on a.id = b.account_id where a.name = 'carl';
      insert into restante.delivery (mailbox_id, number, topic, sender_id, message_id, payload, qos)
        select b.id, restante.day_number(day) + i, 'direct/bert/anna/m1', (select id from restante.account where name = 'anna'),
               'm1', 'one', 1
        from generate_series(10, 1500) i, restante.mailbox b
        join restante.account a on a.id = b.account_id where a.name = 'bert';
    end $$)");
  running_store store(usual_settings(database_.broker));
  EXPECT_TRUE(support::eventually([&] {
    return sql("select count(*) from pg_class where relname = 'delivery_' ||"
               " to_char(current_date - 40, 'YYYYMMDD')") == "0";
  }));
  EXPECT_EQ(sql("select recipient, reason, convert_from(payload, 'UTF8'), count(*) from restante.dead_letter"
                " group by 1, 2, 3 order by 1"),
            "bert|expired|one|1491\ncarl|expired|two|1");
  EXPECT_EQ(sql("select count(*) from restante.expired_day"), "0");
  EXPECT_EQ(store.next<expired_due>().expired.size(), 100u);
  // The others are next, whatever becomes of these.
  EXPECT_EQ(sql("select count(*) from restante.dead_letter where receipt_at > now()"), "100");
}

// A day that is over, with `rows` for bert, and detached.
std::string over_sql(int rows) {
  return R"(
    do $$ declare day date := current_date - 40; suffix text := to_char(day, 'YYYYMMDD'); begin
      perform restante.restante_roll('100 days', 1, day);
      insert into restante.delivery (mailbox_id, number, topic, sender_id, message_id, payload, qos)
        select b.id, restante.day_number(day) + i, 'direct/bert/anna/m', b.account_id, 'm', 'x', 1
        from generate_series(1, )" +
         std::to_string(rows) + R"() i, restante.mailbox b
        join restante.account a on a.id = b.account_id where a.name = 'bert';
    end $$;
    select from restante.restante_roll('30 days', 1))";
}

TEST_F(store_dead_letter, is_made_of_a_day_in_pieces_that_begin_where_the_last_ended) {
  sql(over_sql(250));
  for (const char* moved : {"100", "100", "50", "0"})
    EXPECT_EQ(sql("select restante.restante_expire(100)"), moved);
  EXPECT_EQ(sql("select count(*), count(distinct number) from restante.dead_letter"), "250|250");
  EXPECT_EQ(sql("select count(*) from restante.expired_day"), "0");
  EXPECT_EQ(sql("select to_regclass('restante.delivery_' || to_char(current_date - 40, 'YYYYMMDD'))"), "");
}

TEST_F(store_dead_letter, does_not_wait_for_a_reader_of_a_day_that_is_over) {
  sql(over_sql(3));
  EXPECT_EQ(sql("select restante.restante_expire(100)"), "3");
  auto reader = connection::open({.database = database_.owner}).value();
  const std::string leaf = sql("select 'restante.delivery_' || to_char(current_date - 40, 'YYYYMMDD')");
  ASSERT_TRUE(reader.execute_script("begin; select count(*) from " + leaf));
  EXPECT_EQ(sql("select restante.restante_expire(100)"), "0");
  EXPECT_EQ(sql("select count(*) from restante.expired_day"), "1");
  ASSERT_TRUE(reader.execute_script("commit"));
  EXPECT_EQ(sql("select restante.restante_expire(100)"), "0");
  EXPECT_EQ(sql("select count(*) from restante.expired_day"), "0");
}

TEST_F(store_dead_letter, is_not_made_of_days_that_only_lack_a_partition) {
  running_store store(usual_settings(database_.broker));
  store.write(
      batch_of({direct("bert", "anna", "m1", "x", now_us() - 9 * day_us), direct("bert", "anna", "m2")}));
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m1", "m2"));
  EXPECT_EQ(dead_letters(), "");
}

TEST_F(store_dead_letter, forgets_its_body_after_a_day_and_itself_once_it_was_told) {
  running_store store(usual_settings(database_.broker));
  store.write(batch_of({direct("nobody", "anna", "m1"), receipt("nobody", "anna", "m2", "read")}));
  EXPECT_EQ(sql("select letters from restante.restante_sweep()"), "0");
  EXPECT_EQ(sql("select letters from restante.restante_sweep(interval '0')"), "1");
  EXPECT_EQ(sql("select message_id, payload is null from restante.dead_letter"), "m1|t");
}

}  // namespace
}  // namespace restante
