// The built `restante` against a real PostgreSQL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/failure.h"
#include "support/postgres_server.h"
#include "support/process.h"

namespace restante {
namespace {

using support::finished;
using support::query;
using testing::HasSubstr;
using testing::Not;
using json = nlohmann::ordered_json;

constexpr int done = 0, refused = 1, usage = 2, unreachable = 3;

std::vector<std::string> with_program(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), RESTANTE_PROGRAM);
  return arguments;
}

finished restante(const std::string& database, std::vector<std::string> arguments,
                  const std::string& input = "") {
  return support::run(
      {.arguments = with_program(std::move(arguments)), .environment = {{"RESTANTE_DATABASE", database}}},
      input);
}

class command_line : public testing::Test {
 protected:
  finished restante(std::vector<std::string> arguments, const std::string& input = "") {
    return restante::restante(database_.owner, std::move(arguments), input);
  }

  // What must succeed.
  std::string must(std::vector<std::string> arguments, const std::string& input = "") {
    const finished ended = restante(std::move(arguments), input);
    if (ended.exit_code != done) throw support::failure(ended.output);
    return ended.output;
  }

  json must_json(std::vector<std::string> arguments) {
    arguments.emplace_back("--json");
    return json::parse(must(std::move(arguments)));
  }

  void expect(int exit_code, const std::string& words, std::vector<std::string> arguments,
              const std::string& input = "") {
    std::string shown;
    for (const std::string& each : arguments) shown += " " + each;
    const finished ended = restante(std::move(arguments), input);
    EXPECT_EQ(ended.exit_code, exit_code) << shown << "\n" << ended.output;
    EXPECT_THAT(ended.output, HasSubstr(words)) << shown;
    EXPECT_EQ(std::ranges::count(ended.output, '\n'), 1) << "not one line: " << ended.output;
  }

  std::string sql(const std::string& text) { return query(database_.owner, text); }

  support::database database_ = support::shared_postgres().create_database(support::migrated());
};

TEST_F(command_line, ends_with_2_when_it_is_used_wrongly) {
  const std::vector<std::vector<std::string>> table = {
      {},
      {"frobnicate"},
      {"user"},
      {"user", "add"},
      {"user", "add", "bad name"},
      {"user", "add", "a/b"},
      {"user", "add", ""},
      {"user", "add", std::string(65, 'a')},
      {"user", "add", "anna", "--name", std::string(257, 'a')},
      {"user", "add", "anna", "--image", std::string(2049, 'a')},
      {"user", "add", "anna", "extra"},
      {"user", "set", "anna"},
      {"user", "set", "anna", "--acknowledge", "never"},
      {"group", "join", "tea"},
      {"group", "join", "tea", "anna", "--role", "boss"},
      {"group", "set", "tea"},
      {"acl", "allow", "publish", "x"},
      {"acl", "allow", "--everyone", "--user", "anna", "publish", "x"},
      {"acl", "allow", "--everyone", "write", "x"},
      {"acl", "allow", "--everyone", "publish", "x/#/y"},
      {"acl", "allow", "--everyone", "publish", ""},
      {"acl", "allow", "--everyone", "publish", std::string(1025, 'a')},
      {"acl", "remove"},
      {"acl", "remove", "seven"},
      {"acl", "remove", "--everyone", "7"},
      {"acl", "remove", "publish", "x"},
      {"acl", "explain", "anna", "read", "x"},
      {"queue"},
      {"queue", "anna", "--limit", "0"},
      {"queue", "anna", "--after", "-1"},
      {"dead", "retrieve"},
      {"migrate", "--wait", "0"},
  };
  for (const auto& arguments : table) expect(usage, "restante: ", arguments);
}

TEST_F(command_line, helps) {
  EXPECT_THAT(must({"--help"}), HasSubstr("migrate"));
  EXPECT_THAT(must({"user", "add", "--help"}), HasSubstr("--password-stdin"));
  EXPECT_THAT(must({"--version"}), HasSubstr("."));
}

TEST_F(command_line, ends_with_3_when_there_is_no_database) {
  expect(unreachable, "cannot reach the database", {"stats", "--database", "host=/nowhere"});
  expect(unreachable, "refuses the connection",
         {"stats", "--database", support::shared_postgres().superuser("no_such_database")});
  const finished sick = restante({"doctor", "--database", "host=/nowhere"});
  EXPECT_EQ(sick.exit_code, unreachable);
  EXPECT_THAT(sick.output, HasSubstr("start PostgreSQL"));
}

TEST_F(command_line, takes_the_database_from_its_option_then_its_variable_then_those_of_libpq) {
  const std::string other = support::shared_postgres().create_database(support::migrated()).owner;
  must({"user", "add", "here"});
  restante::restante(other, {"user", "add", "there"});
  EXPECT_EQ(must_json({"user", "list"})[0]["name"], "here");
  EXPECT_EQ(must_json({"--database", other, "user", "list"})[0]["name"], "there");
  EXPECT_EQ(must_json({"user", "list", "--database", other})[0]["name"], "there");
  const finished by_libpq =
      support::run({.arguments = with_program({"stats"}),
                    .environment = {{"RESTANTE_DATABASE", ""}, {"PGHOST", "/nowhere"}}});
  EXPECT_EQ(by_libpq.exit_code, unreachable);
  EXPECT_THAT(by_libpq.output, HasSubstr("/nowhere"));
}

TEST_F(command_line, names_migrate_when_there_is_no_schema) {
  const std::string empty = support::shared_postgres().create_database().owner;
  for (const char* verb : {"stats", "dead"}) {
    const finished ended = restante::restante(empty, {verb});
    EXPECT_EQ(ended.exit_code, refused);
    EXPECT_THAT(ended.output, HasSubstr("run `restante migrate`"));
  }
  const finished sick = restante::restante(empty, {"doctor"});
  EXPECT_EQ(sick.exit_code, refused);
  EXPECT_THAT(sick.output, HasSubstr("run `restante migrate`"));
}

TEST_F(command_line, prints_json_for_every_verb) {
  must({"user", "add", "anna"});
  must({"group", "add", "tea"});
  const std::vector<std::vector<std::string>> table = {
      {"migrate"},
      {"doctor"},
      {"stats"},
      {"user", "add", "bert"},
      {"user", "set", "bert", "--name", "Bert"},
      {"user", "block", "bert"},
      {"user", "unblock", "bert"},
      {"user", "list"},
      {"user", "show", "bert"},
      {"group", "add", "coffee", "--receipts", "off"},
      {"group", "set", "coffee", "--receipts", "on"},
      {"group", "join", "coffee", "bert"},
      {"group", "list"},
      {"group", "show", "coffee"},
      {"group", "leave", "coffee", "bert"},
      {"group", "delete", "coffee"},
      {"user", "delete", "bert"},
      {"acl", "allow", "--everyone", "publish", "x"},
      {"acl", "deny", "--everyone", "publish", "y"},
      {"acl", "remove", "--everyone", "publish", "x"},
      {"acl", "list"},
      {"acl", "explain", "anna", "publish", "y"},
      {"queue", "anna"},
      {"dead"},
      {"dead", "list"},
  };
  for (const auto& arguments : table) {
    SCOPED_TRACE(arguments[0] + " " + (arguments.size() > 1 ? arguments[1] : ""));
    EXPECT_TRUE(must_json(arguments).is_structured());
  }
}

TEST_F(command_line, adds_an_account_with_all_that_belongs_to_it) {
  must({"user", "add", "Anna", "--password-stdin", "--name", "\xc3\x84nna", "--image",
        "https://example.org/a.png"},
       "first line\nsecond line\n");
  const json anna = must_json({"user", "show", "Anna"});
  EXPECT_EQ(anna["name"], "Anna");
  EXPECT_EQ(anna["status"], "active");
  EXPECT_EQ(anna["display_name"], "\xc3\x84nna");
  EXPECT_EQ(anna["image_url"], "https://example.org/a.png");
  EXPECT_EQ(anna["acknowledge"], "default");
  EXPECT_EQ(anna["has_password"], true);
  EXPECT_EQ(anna["groups"], json::array());
  EXPECT_EQ(anna["waiting"], 0);
  EXPECT_THAT(sql("select password_hash from restante.account"),
              HasSubstr("$argon2id$v=19$m=12288,t=3,p=1$"));
}

TEST_F(command_line, refuses_an_empty_password_and_keeps_the_old) {
  expect(refused, "password is empty", {"user", "add", "anna", "--password-stdin"}, "\nsecret\n");
  expect(refused, "password is empty", {"user", "add", "anna", "--password-stdin"}, "");
  expect(refused, "longer than", {"user", "add", "anna", "--password-stdin"}, std::string(65'536, 'x'));
  EXPECT_EQ(must_json({"user", "list"}), json::array());
  must({"user", "add", "anna", "--password-stdin"}, "secret");
  const std::string hash = sql("select password_hash from restante.account");
  expect(refused, "password is empty", {"user", "set", "anna", "--password-stdin"}, "\r\n");
  EXPECT_EQ(sql("select password_hash from restante.account"), hash);
}

TEST_F(command_line, refuses_a_name_that_is_taken_or_reserved_in_any_case) {
  must({"user", "add", "Anna"});
  expect(refused, "taken by account 'Anna'", {"user", "add", "Anna"});
  expect(refused, "taken by account 'Anna'", {"user", "add", "aNNA"});
  must({"user", "delete", "Anna"});
  expect(refused, "reserved", {"user", "add", "anna"});
  must({"group", "add", "Tea"});
  expect(refused, "taken by group 'Tea'", {"group", "add", "tea"});
  must({"group", "delete", "Tea"});
  expect(refused, "reserved", {"group", "add", "tea"});
}

TEST_F(command_line, takes_names_that_are_verbs_or_look_like_options) {
  for (const std::string name : {"list", "user", "add", "migrate", "a=b@c:d.e_f-"}) {
    must({"user", "add", name});
    EXPECT_EQ(must_json({"user", "show", name})["name"], name);
  }
  must({"user", "add", "--", "--json"});
  EXPECT_EQ(must_json({"user", "list"}).size(), 6u);
}

TEST_F(command_line, sets_only_what_it_was_given) {
  must({"user", "add", "anna", "--name", "Anna", "--image", "https://example.org/a.png"});
  must({"user", "set", "anna", "--acknowledge", "receipt"});
  json anna = must_json({"user", "show", "anna"});
  EXPECT_EQ(anna["acknowledge"], "receipt");
  EXPECT_EQ(anna["display_name"], "Anna");
  EXPECT_EQ(anna["has_password"], false);
  must({"user", "set", "anna", "--name", "", "--password-stdin"}, "secret\n");
  anna = must_json({"user", "show", "anna"});
  EXPECT_EQ(anna["acknowledge"], "receipt");
  EXPECT_EQ(anna["display_name"], nullptr);
  EXPECT_EQ(anna["image_url"], "https://example.org/a.png");
  EXPECT_EQ(anna["has_password"], true);
  must({"user", "set", "anna", "--acknowledge", "default"});
  EXPECT_EQ(must_json({"user", "show", "anna"})["acknowledge"], "default");
}

TEST_F(command_line, blocks_unblocks_and_deletes_accounts) {
  must({"user", "add", "anna"});
  must({"user", "block", "anna"});
  EXPECT_EQ(must_json({"user", "show", "anna"})["status"], "blocked");
  EXPECT_THAT(must({"user", "block", "anna"}), HasSubstr("already"));
  must({"user", "unblock", "anna"});
  EXPECT_EQ(must_json({"user", "show", "anna"})["status"], "active");
  must({"user", "delete", "anna"});
  EXPECT_EQ(must_json({"user", "list"}), json::array());
  EXPECT_EQ(must_json({"user", "list", "--all"})[0]["status"], "deleted");
  for (const char* verb : {"show", "block", "unblock", "delete"}) {
    expect(refused, "was deleted", {"user", verb, "anna"});
    expect(refused, "there is no account 'bert'", {"user", verb, "bert"});
  }
}

TEST_F(command_line, suggests_the_name_in_its_own_case) {
  must({"user", "add", "Anna"});
  expect(refused, "did you mean 'Anna'", {"user", "show", "anna"});
}

TEST_F(command_line, keeps_groups_and_their_members) {
  for (const char* name : {"anna", "bert"}) must({"user", "add", name});
  must({"group", "add", "tea"});
  must({"group", "join", "tea", "anna", "--role", "admin"});
  must({"group", "join", "tea", "bert"});
  must({"group", "join", "tea", "anna"});  // again: still admin
  json tea = must_json({"group", "show", "tea"});
  EXPECT_EQ(tea["members"],
            json::parse(R"([{"name":"anna","role":"admin"},{"name":"bert","role":"member"}])"));
  EXPECT_EQ(tea["receipts"], "auto");
  EXPECT_EQ(must_json({"user", "show", "anna"})["groups"],
            json::parse(R"([{"group":"tea","role":"admin"}])"));
  must({"group", "join", "tea", "anna", "--role", "member"});
  must({"group", "set", "tea", "--receipts", "off"});
  must({"group", "leave", "tea", "bert"});
  tea = must_json({"group", "show", "tea"});
  EXPECT_EQ(tea["members"], json::parse(R"([{"name":"anna","role":"member"}])"));
  EXPECT_EQ(tea["receipts"], "off");
  EXPECT_EQ(must_json({"group", "list"})[0]["members"], 1);
  must({"group", "delete", "tea"});
  EXPECT_EQ(must_json({"group", "list"}), json::array());
  EXPECT_EQ(must_json({"user", "show", "anna"})["groups"], json::array());
}

TEST_F(command_line, refuses_groups_and_members_that_are_not_there) {
  must({"user", "add", "anna"});
  must({"group", "add", "tea"});
  expect(refused, "there is no group 'coffee'", {"group", "show", "coffee"});
  expect(refused, "there is no group 'coffee'", {"group", "join", "coffee", "anna"});
  expect(refused, "there is no account 'bert'", {"group", "join", "tea", "bert"});
  expect(refused, "not a member", {"group", "leave", "tea", "anna"});
  must({"group", "delete", "tea"});
  expect(refused, "was deleted", {"group", "delete", "tea"});
}

TEST_F(command_line, keeps_rules) {
  must({"user", "add", "anna"});
  must({"group", "add", "tea"});
  const std::size_t installed = must_json({"acl", "list"}).size();
  const json added = must_json({"acl", "allow", "--user", "anna", "publish", "a/%u/#"});
  EXPECT_EQ(added["user"], "anna");
  EXPECT_EQ(added["group"], nullptr);
  EXPECT_EQ(added["everyone"], false);
  EXPECT_EQ(added["effect"], "allow");
  EXPECT_EQ(added["action"], "publish");
  EXPECT_EQ(added["filter"], "a/%u/#");
  EXPECT_EQ(added["durable"], false);
  EXPECT_EQ(must_json({"acl", "allow", "--user", "anna", "publish", "a/%u/#"})["id"], added["id"]);
  must({"acl", "deny", "--group", "tea", "subscribe", "b/+"});
  must({"acl", "allow", "--everyone", "subscribe", "c"});
  EXPECT_EQ(must_json({"acl", "list"}).size(), installed + 3);
  EXPECT_EQ(must_json({"acl", "list", "--user", "anna"}).size(), 1u);
  EXPECT_EQ(must_json({"acl", "list", "--group", "tea"})[0]["filter"], "b/+");
  EXPECT_EQ(must_json({"acl", "list", "--everyone"}).size(), installed + 1);
  must({"acl", "remove", added["id"].dump()});
  must({"acl", "remove", "--group", "tea", "subscribe", "b/+"});
  must({"acl", "remove", "--everyone", "subscribe", "c"});
  EXPECT_EQ(must_json({"acl", "list"}).size(), installed);
  expect(refused, "no such rule", {"acl", "remove", "--everyone", "subscribe", "c"});
  expect(refused, "no such rule", {"acl", "remove", "999999"});
  expect(refused, "there is no account 'bert'", {"acl", "allow", "--user", "bert", "publish", "x"});
}

TEST_F(command_line, lets_a_later_rule_replace_its_opposite) {
  must({"acl", "deny", "--everyone", "publish", "x"});
  EXPECT_THAT(must({"acl", "allow", "--everyone", "publish", "x"}), HasSubstr("in place of its opposite"));
  must({"user", "add", "anna"});
  EXPECT_EQ(must_json({"acl", "explain", "anna", "publish", "x"})["allowed"], true);
}

TEST_F(command_line, removes_no_rule_of_the_durable_topics) {
  const json before = must_json({"acl", "list"});
  ASSERT_EQ(before[0]["durable"], true);
  expect(refused, "durable topics", {"acl", "remove", before[0]["id"].dump()});
  expect(refused, "durable topics", {"acl", "remove", "--everyone", "publish", before[0]["filter"]});
  EXPECT_EQ(must_json({"acl", "list"}), before);
}

TEST_F(command_line, explains_the_verdict_and_its_rule) {
  for (const char* name : {"anna", "bert"}) must({"user", "add", name});
  must({"group", "add", "tea"});
  must({"group", "join", "tea", "anna"});
  must({"acl", "allow", "--everyone", "publish", "device/%c/#"});
  const json denied = must_json({"acl", "deny", "--group", "tea", "publish", "device/d1/secret"});
  const struct {
    std::vector<std::string> question;
    bool allowed;
    const char* filter;  // of the rule; empty: none
  } table[] = {
      {{"anna", "publish", "direct/bert/anna/1"}, true, "direct/+/%u/+"},
      {{"anna", "publish", "direct/anna/bert/1"}, false, ""},
      {{"anna", "subscribe", "direct/anna/#"}, true, "direct/%u/#"},
      {{"anna", "subscribe", "direct/#"}, false, ""},
      {{"anna", "subscribe", "#"}, false, ""},
      {{"anna", "subscribe", "group/tea/#"}, true, "group/%g/#"},
      {{"bert", "subscribe", "group/tea/#"}, false, ""},
      {{"anna", "publish", "elsewhere"}, false, ""},
      {{"bert", "publish", "device/d1/secret"}, false, ""},
      {{"bert", "publish", "device/d1/secret", "--client-id", "d1"}, true, "device/%c/#"},
      {{"anna", "publish", "device/d1/secret", "--client-id", "d1"}, false, "device/d1/secret"},
  };
  for (const auto& each : table) {
    std::vector<std::string> arguments = {"acl", "explain"};
    arguments.insert(arguments.end(), each.question.begin(), each.question.end());
    const json verdict = must_json(arguments);
    SCOPED_TRACE(each.question[0] + " " + each.question[1] + " " + each.question[2]);
    EXPECT_EQ(verdict["allowed"], each.allowed);
    EXPECT_EQ(verdict["rule"].is_null() ? "" : verdict["rule"]["filter"].get<std::string>(), each.filter);
    EXPECT_THAT(must(arguments), testing::StartsWith(each.allowed ? "allowed" : "refused"));
  }
  const json verdict = must_json({"acl", "explain", "anna", "publish", "device/d1/secret"});
  EXPECT_EQ(verdict["rule"]["id"], denied["id"]);
  EXPECT_EQ(verdict["rule"]["group"], "tea");
  expect(refused, "there is no account 'cleo'", {"acl", "explain", "cleo", "publish", "x"});
}

TEST_F(command_line, explains_that_a_blocked_account_may_nothing) {
  must({"user", "add", "anna"});
  must({"user", "block", "anna"});
  const json verdict = must_json({"acl", "explain", "anna", "publish", "direct/bert/anna/1"});
  EXPECT_EQ(verdict["allowed"], false);
  EXPECT_THAT(verdict["why"].get<std::string>(), HasSubstr("not active"));
}

TEST_F(command_line, explains_topics_with_the_prefix_that_the_broker_last_had) {
  must({"user", "add", "anna"});
  sql("update restante.broker set topic_prefix = 'post/'");
  EXPECT_EQ(must_json({"acl", "explain", "anna", "publish", "post/direct/bert/anna/1"})["allowed"], true);
  EXPECT_EQ(must_json({"acl", "explain", "anna", "publish", "direct/bert/anna/1"})["allowed"], false);
}

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
