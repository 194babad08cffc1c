// `restante acl`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "command_line_fixture.h"

namespace restante {
namespace {

using testing::HasSubstr;

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

}  // namespace
}  // namespace restante
