// `restante service`, what `restante user set` says of profiles, and their version.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "command_line_fixture.h"

namespace restante {
namespace {

class service_verbs : public command_line {
 protected:
  void SetUp() override {
    must({"user", "add", "bridge"});
    must({"user", "add", "alice"});
  }
  std::string version() {
    return sql(
        "select version from restante.profile p join restante.account a on a.id = p.account_id "
        "where a.name = 'alice'");
  }
};

TEST_F(service_verbs, grant_move_revoke_and_list) {
  EXPECT_EQ(must_json({"service", "list"}), json::array());
  EXPECT_EQ(must({"service", "grant", "profile", "bridge"}), "bridge now has service profile\n");
  EXPECT_EQ(must({"service", "grant", "profile", "bridge"}), "bridge has service profile\n");
  EXPECT_EQ(must_json({"service", "grant", "profile", "alice"})["account"], "alice");
  must({"service", "grant", "stream-token", "bridge"});
  const json all = must_json({"service", "list"});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0]["name"], "profile");
  EXPECT_EQ(all[0]["account"], "alice");
  EXPECT_EQ(all[1]["name"], "stream-token");
  EXPECT_EQ(must_json({"service", "revoke", "profile"})["name"], "profile");
  EXPECT_EQ(must_json({"service", "list"}).size(), 1U);
}

TEST_F(service_verbs, refuse_what_is_not_there_and_what_is_no_name) {
  expect(refused, "nobody", {"service", "grant", "profile", "nobody"});
  expect(refused, "nobody is granted a service 'profile'", {"service", "revoke", "profile"});
  must({"service", "grant", "profile", "bridge"});
  expect(refused, "in other case", {"service", "grant", "Profile", "bridge"});
  expect(usage, "no name", {"service", "grant", "a/b", "bridge"});
  expect(usage, "required", {"service", "grant", "profile"});
}

TEST_F(service_verbs, are_explained_by_their_rules) {
  must({"service", "grant", "profile", "bridge"});
  const auto allowed = [&](const std::string& user, const std::string& action, const std::string& topic) {
    return must_json({"acl", "explain", user, action, topic})["allowed"].get<bool>();
  };
  EXPECT_TRUE(allowed("alice", "publish", "service/profile/alice/1"));
  EXPECT_FALSE(allowed("alice", "publish", "service/profile/bridge/1"));
  EXPECT_TRUE(allowed("bridge", "subscribe", "service/profile/#"));
  EXPECT_FALSE(allowed("alice", "subscribe", "service/profile/#"));
  EXPECT_TRUE(allowed("bridge", "publish", "answer/alice/profile/1"));
  EXPECT_FALSE(allowed("alice", "publish", "answer/alice/profile/1"));
  EXPECT_TRUE(allowed("alice", "subscribe", "answer/alice/#"));
  EXPECT_EQ(must_json({"acl", "explain", "alice", "subscribe", "service/profile/#"})["why"],
            "the account is not granted the service");
}

TEST_F(service_verbs, go_with_an_account_that_is_deleted) {
  must({"service", "grant", "profile", "bridge"});
  must({"user", "delete", "bridge"});
  EXPECT_EQ(must_json({"service", "list"}), json::array());
}

TEST_F(service_verbs, profile_is_set_part_by_part) {
  must({"user", "set", "alice", "--name", "Alice", "--language", "pt-BR", "--custom", R"({"city":"Ulm"})",
        "--role", "admin", "--team", "red", "--team", "blue"});
  json shown = must_json({"user", "show", "alice"});
  EXPECT_EQ(shown["language"], "pt-BR");
  EXPECT_EQ(shown["custom"], (json{{"city", "Ulm"}}));
  EXPECT_EQ(shown["role"], "admin");
  EXPECT_EQ(shown["teams"], (json{"red", "blue"}));
  EXPECT_EQ(shown["profile_version"], 2);
  must({"user", "set", "alice", "--language", "", "--custom", "", "--role", "", "--team", ""});
  shown = must_json({"user", "show", "alice"});
  EXPECT_EQ(shown["display_name"], "Alice");
  EXPECT_TRUE(shown["language"].is_null());
  EXPECT_EQ(shown["custom"], json::object());
  EXPECT_TRUE(shown["role"].is_null());
  EXPECT_TRUE(shown["teams"].is_null()) << shown["teams"];
  expect(usage, "language tag", {"user", "set", "alice", "--language", "Deutsch"});
  expect(usage, "not a JSON object", {"user", "set", "alice", "--custom", "[1]"});
  expect(usage, "not a JSON object", {"user", "set", "alice", "--custom", "{"});
  expect(usage, "no role", {"user", "set", "alice", "--role", "a b"});
}

TEST_F(service_verbs, version_of_a_profile_grows_by_one_with_each_change_by_whoever) {
  EXPECT_EQ(version(), "1");
  must({"user", "set", "alice", "--name", "Alice"});
  EXPECT_EQ(version(), "2");
  sql("update restante.profile set custom = '{\"a\":1}', language = 'de' "
      "where account_id = (select id from restante.account where name = 'alice')");
  EXPECT_EQ(version(), "3");
  // The bridge's own way.
  sql("select restante.change_profile('alice', 'r1', 'profile', true, 'Al', true, null, true, 'de', true, "
      "'{}')");
  EXPECT_EQ(version(), "4");
  // Not by what changes nothing, nor by whoever sets it by hand.
  must({"user", "set", "alice", "--name", "Al"});
  sql("update restante.profile set display_name = display_name, version = 1");
  must({"user", "set", "alice", "--acknowledge", "handoff"});
  EXPECT_EQ(version(), "4");
  sql("update restante.profile set version = 900");
  EXPECT_EQ(version(), "5");
}

TEST_F(service_verbs, version_of_a_profile_grows_with_the_status_of_its_account) {
  must({"user", "block", "alice"});
  EXPECT_EQ(version(), "2");
  must({"user", "block", "alice"});
  EXPECT_EQ(version(), "2");
  must({"user", "unblock", "alice"});
  EXPECT_EQ(version(), "3");
  must({"user", "delete", "alice"});
  EXPECT_EQ(version(), "4");
}

TEST_F(service_verbs, change_of_a_profile_is_told_to_brokers_as_that) {
  sql("delete from restante.change");
  must({"user", "set", "alice", "--name", "Alice"});
  must({"user", "set", "alice", "--name", "Alice"});
  EXPECT_EQ(sql("select count(*), bool_and(of_profile) from restante.change"), "1|t");
  must({"service", "grant", "profile", "bridge"});
  EXPECT_EQ(sql("select count(*) from restante.change where not of_profile"), "1");
}

}  // namespace
}  // namespace restante
