// `restante queue`, `restante dead` and `restante stats`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "command_line_fixture.h"

namespace restante {
namespace {

using testing::HasSubstr;
using testing::Not;

// Two messages of anna's wait: one for bert, one for the group of bert and cleo.
class command_line_with_mail : public command_line {
 protected:
  command_line_with_mail() {
    sql(R"(
      begin;  -- one now() for all of it
      insert into restante.account (name) values ('anna'), ('bert'), ('cleo');
      create function pg_temp.mailbox(owner text) returns bigint language sql as $$
        select b.id from restante.mailbox b join restante.account a on a.id = b.account_id where a.name = owner $$;
      create function pg_temp.number(seconds_ago integer) returns bigint language sql as $$
        select (extract(epoch from now() - make_interval(secs => seconds_ago)) * 1000000)::bigint $$;
      insert into restante.delivery (mailbox_id, number, topic, sender_id, message_id, payload, qos)
        select pg_temp.mailbox('bert'), pg_temp.number(100), 'direct/bert/anna/one', id, 'one', 'hello', 1
        from restante.account where name = 'anna';
      insert into restante.message (number, topic, sender_id, message_id, payload, qos)
        select pg_temp.number(50), 'group/tea/anna/two', id, 'two', '', 2
        from restante.account where name = 'anna';
      insert into restante.delivery (mailbox_id, number)
        select pg_temp.mailbox(name), pg_temp.number(50) from restante.account where name <> 'anna';
      commit)");
  }
};

TEST_F(command_line_with_mail, lists_what_waits_oldest_first) {
  const json waiting = must_json({"queue", "bert"});
  ASSERT_EQ(waiting.size(), 2u);
  EXPECT_EQ(waiting[0]["topic"], "direct/bert/anna/one");
  EXPECT_EQ(waiting[0]["sender"], "anna");
  EXPECT_EQ(waiting[0]["message_id"], "one");
  EXPECT_EQ(waiting[0]["bytes"], 5);
  EXPECT_EQ(waiting[0]["qos"], 1);
  EXPECT_EQ(waiting[0]["expires_at"], nullptr);
  EXPECT_EQ(waiting[1]["topic"], "group/tea/anna/two");
  EXPECT_EQ(waiting[1]["bytes"], 0);
  EXPECT_EQ(must_json({"queue", "anna"}), json::array());
  EXPECT_EQ(must_json({"user", "show", "bert"})["waiting"], 2);
  expect(refused, "there is no account 'dora'", {"queue", "dora"});
}

TEST_F(command_line_with_mail, lists_what_waits_page_by_page) {
  const json first = must_json({"queue", "bert", "--limit", "1"});
  ASSERT_EQ(first.size(), 1u);
  const std::string number = first[0]["number"].dump();
  EXPECT_THAT(must({"queue", "bert", "--limit", "1"}), HasSubstr("--after " + number));
  const json second = must_json({"queue", "bert", "--limit", "1", "--after", number});
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0]["message_id"], "two");
}

TEST_F(command_line_with_mail, counts_a_group_message_once_and_each_delivery) {
  sql("update restante.broker set sessions = 7, journal_bytes = 4096");
  const json stats = must_json({"stats"});
  EXPECT_EQ(stats["messages"], 2);
  EXPECT_EQ(stats["deliveries"], 3);
  EXPECT_GE(stats["oldest_seconds"], 100);
  EXPECT_LT(stats["oldest_seconds"], 400);
  EXPECT_EQ(stats["accounts"], 3);
  EXPECT_EQ(stats["sessions"], 7);
  EXPECT_EQ(stats["journal_bytes"], 4096);
}

TEST_F(command_line, counts_nothing_in_an_empty_database) {
  const json stats = must_json({"stats"});
  for (const char* key :
       {"messages", "deliveries", "oldest_seconds", "accounts", "sessions", "journal_bytes"}) {
    EXPECT_EQ(stats[key], 0) << key;
  }
}

TEST_F(command_line, lists_dead_letters_and_lets_none_of_them_steer_the_terminal) {
  sql(R"(
    insert into restante.dead_letter (number, recipient, topic, sender, message_id, payload, qos, reason) values
      (1, 'nobody', E'direct/nobody/anna/\x1b[2J\u0085\u202e', 'anna', 'one', 'x', 1, 'unknown'),
      (2, 'bert', 'direct/bert/anna/two', 'anna', 'two', null, 1, 'expired'))");
  const json letters = must_json({"dead", "list"});
  ASSERT_EQ(letters.size(), 2u);
  EXPECT_EQ(letters[0]["message_id"], "two");
  EXPECT_EQ(letters[0]["reason"], "expired");
  EXPECT_EQ(letters[0]["bytes"], nullptr);
  EXPECT_EQ(letters[1]["topic"], "direct/nobody/anna/\x1b[2J\xc2\x85\xe2\x80\xae");
  const std::string table = must({"dead"});
  EXPECT_THAT(table, HasSubstr("direct/nobody/anna/\\x1b[2J\\xc2\\x85\\xe2\\x80\\xae"));
  EXPECT_THAT(table, Not(HasSubstr("\x1b")));
  EXPECT_EQ(must_json({"dead", "--limit", "1"}).size(), 1u);
  EXPECT_EQ(must_json({"dead", "list", "--limit", "1"}).size(), 1u);
}

}  // namespace
}  // namespace restante
