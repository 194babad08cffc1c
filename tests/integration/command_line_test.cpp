// The built `restante` against a real PostgreSQL: usage, exit codes, the database it uses, JSON.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "command_line_fixture.h"

namespace restante {
namespace {

using testing::HasSubstr;

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

}  // namespace
}  // namespace restante
