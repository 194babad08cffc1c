// `restante user` and `restante group`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "command_line_fixture.h"

namespace restante {
namespace {

using testing::HasSubstr;

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

}  // namespace
}  // namespace restante
