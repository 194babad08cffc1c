#include "core/topic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace restante {
namespace {

using testing::HasSubstr;

// "direct(bob,alice,1)", "ordinary", "malformed"
std::string shape(std::string_view topic) {
  struct namer {
    std::string operator()(const ordinary_topic&) const { return "ordinary"; }
    std::string operator()(const malformed_topic&) const { return "malformed"; }
    std::string operator()(const direct_topic& t) const { return name("direct", {t.to, t.from, t.id}); }
    std::string operator()(const group_topic& t) const { return name("group", {t.group, t.from, t.id}); }
    std::string operator()(const acknowledge_topic& t) const { return name("ack", {t.by}); }
    std::string operator()(const receipt_topic& t) const { return name("receipt", {t.from, t.by, t.id}); }
    std::string operator()(const request_topic& t) const { return name("service", {t.name, t.from, t.id}); }
    std::string operator()(const profile_topic& t) const { return name("profile", {t.account}); }
    std::string operator()(const answer_topic& t) const { return name("answer", {t.to, t.name, t.id}); }
    static std::string name(std::string text, std::initializer_list<std::string_view> levels) {
      char before = '(';
      for (const auto level : levels) {
        text += before;
        text += level;
        before = ',';
      }
      return text + ')';
    }
  };
  return std::visit(namer{}, parse_topic(topic));
}

TEST(topic, is_parsed_as_the_table_says) {
  const std::string longest(64, 'x');
  const std::string too_long(65, 'x');
  const struct {
    std::string topic, expected;
  } table[] = {
      {"direct/bob/alice/1", "direct(bob,alice,1)"},
      {"direct/alice/alice/1", "direct(alice,alice,1)"},
      {"direct/a@b.c/did:x=1/01ARZ3NDEKTSV4RRFFQ69G5FAV", "direct(a@b.c,did:x=1,01ARZ3NDEKTSV4RRFFQ69G5FAV)"},
      {"group/team/alice/1", "group(team,alice,1)"},
      {"ack/alice", "ack(alice)"},
      {"receipt/alice/bob/1", "receipt(alice,bob,1)"},
      {"service/profile/alice/1", "service(profile,alice,1)"},
      {"answer/alice/profile/1", "answer(alice,profile,1)"},
      {"profile/alice", "profile(alice)"},
      {"profile/alice/1", "malformed"},
      {"profile", "malformed"},
      {"profile/+", "malformed"},
      {"direct/" + longest + "/" + longest + "/" + longest,
       "direct(" + longest + "," + longest + "," + longest + ")"},

      {"direct", "malformed"},
      {"direct/", "malformed"},
      {"direct/bob", "malformed"},
      {"direct/bob/alice", "malformed"},
      {"direct/bob/alice/", "malformed"},
      {"direct/bob/alice/1/", "malformed"},
      {"direct/bob/alice/1/2", "malformed"},
      {"direct//alice/1", "malformed"},
      {"direct/bob//1", "malformed"},
      {"direct/b ob/alice/1", "malformed"},
      {"direct/bob/al$ice/1", "malformed"},
      {"direct/bob/alice/a@b", "malformed"},
      {"direct/b\xC3\xB6"
       "b/alice/1",
       "malformed"},
      {"direct/bob/\xFF/1", "malformed"},
      {"direct/" + too_long + "/alice/1", "malformed"},
      {"direct/bob/" + too_long + "/1", "malformed"},
      {"direct/bob/alice/" + too_long, "malformed"},
      {"direct/" + std::string(60'000, '/'), "malformed"},
      {"group", "malformed"},
      {"group/team/alice", "malformed"},
      {"group/te am/alice/1", "malformed"},
      {"group/team/a+b/1", "malformed"},
      {"group/team/alice/1/2", "malformed"},
      {"ack", "malformed"},
      {"ack/", "malformed"},
      {"ack/alice/", "malformed"},
      {"ack/alice/1", "malformed"},
      {"ack/" + too_long, "malformed"},
      {"receipt", "malformed"},
      {"receipt/alice/bob", "malformed"},
      {"receipt/alice/bob/1/read", "malformed"},
      {"receipt/alice/b ob/1", "malformed"},
      {"receipt/a lice/bob/1", "malformed"},
      {"receipt/alice/bob/", "malformed"},

      {"", "ordinary"},
      {"/", "ordinary"},
      {"directory/x", "ordinary"},
      {"Direct/bob/alice/1", "ordinary"},
      {"/direct/bob/alice/1", "ordinary"},
      {"groups/team/alice/1", "ordinary"},
      {"acknowledge/alice", "ordinary"},
      {"typing/direct/bob/alice", "ordinary"},
      {"$SYS/uptime", "ordinary"},
  };
  for (const auto& [topic, expected] : table) EXPECT_EQ(shape(topic), expected) << topic.substr(0, 300);
}

TEST(topic, says_what_is_wrong_with_it) {
  const struct {
    std::string_view topic, why;
  } table[] = {
      {"direct/bob", "direct/{to}/{from}/{id}"},
      {"direct/b ob/alice/1", "{to} is not an account name"},
      {"direct/bob/al ice/1", "{from} is not an account name"},
      {"direct/bob/alice/a@b", "{id} is not a message id"},
      {"group/te am/alice/1", "{group} is not a group name"},
      {"group/team/al ice/1", "{from} is not an account name"},
      {"group/team/alice/", "{id} is not a message id"},
      {"ack/a b", "{me} is not an account name"},
      {"ack", "ack/{me}"},
      {"receipt/a b/bob/1", "{from} is not an account name"},
      {"receipt/alice/b b/1", "{by} is not an account name"},
      {"receipt/alice/bob/a=b", "{id} is not a message id"},
      {"service/profile/alice", "service/{name}/{from}/{id}"},
      {"service/pro file/alice/1", "{name} is not a name of a service"},
      {"service/profile/al ice/1", "{from} is not an account name"},
      {"service/profile/alice/a=b", "{id} is not a message id"},
      {"answer/alice/profile/1/2", "answer/{to}/{name}/{id}"},
      {"answer/al ice/profile/1", "{to} is not an account name"},
      {"answer/alice/pro file/1", "{name} is not a name of a service"},
      {"answer/alice/profile/a=b", "{id} is not a message id"},
  };
  for (const auto& [topic, why] : table) {
    const auto parsed = parse_topic(topic);
    const auto* malformed = std::get_if<malformed_topic>(&parsed);
    ASSERT_NE(malformed, nullptr) << topic;
    EXPECT_THAT(std::string(malformed->why), HasSubstr(std::string(why))) << topic;
  }
}

TEST(topic, names_who_speaks) {
  EXPECT_EQ(speaker(parse_topic("direct/bob/alice/1")), "alice");
  EXPECT_EQ(speaker(parse_topic("group/team/alice/1")), "alice");
  EXPECT_EQ(speaker(parse_topic("ack/alice")), "alice");
  EXPECT_EQ(speaker(parse_topic("receipt/bob/alice/1")), "alice");
  EXPECT_EQ(speaker(parse_topic("service/profile/alice/1")), "alice");
  EXPECT_EQ(speaker(parse_topic("answer/alice/profile/1")), "");
  EXPECT_EQ(speaker(parse_topic("direct/bob/alice")), "");
  EXPECT_EQ(speaker(parse_topic("weather/alice")), "");
}

TEST(topic, of_a_request_names_service_sender_and_id_and_of_its_answer_whom_it_is_for) {
  const auto request = parse_topic("service/profile/alice/1");
  const auto& asked = std::get<request_topic>(request);
  EXPECT_EQ(asked.name, "profile");
  EXPECT_EQ(asked.from, "alice");
  EXPECT_EQ(asked.id, "1");
  const auto answer = parse_topic("answer/alice/profile/1");
  const auto& answered = std::get<answer_topic>(answer);
  EXPECT_EQ(answered.to, "alice");
  EXPECT_EQ(answered.name, "profile");
  EXPECT_EQ(answered.id, "1");
}

TEST(topic, of_receipts_and_answers_is_kept_until_handed_over) {
  for (const std::string_view topic : {"receipt/alice/bob/1", "answer/alice/profile/1"}) {
    EXPECT_TRUE(is_kept_until_handed_over(topic)) << topic;
    EXPECT_TRUE(is_kept_until_handed_over(parse_topic(topic))) << topic;
  }
  for (const std::string_view topic :
       {"direct/bob/alice/1", "group/team/alice/1", "service/profile/alice/1", "ack/alice", "weather"}) {
    EXPECT_FALSE(is_kept_until_handed_over(topic)) << topic;
    EXPECT_FALSE(is_kept_until_handed_over(parse_topic(topic))) << topic;
  }
}

TEST(topic, has_a_first_level) {
  EXPECT_EQ(first_level("direct/bob"), "direct");
  EXPECT_EQ(first_level("direct"), "direct");
  EXPECT_EQ(first_level("/a"), "");
  EXPECT_EQ(first_level("#"), "#");
  EXPECT_EQ(first_level(""), "");
  for (const auto root : durable_roots) EXPECT_TRUE(is_durable_root(root));
  for (const auto* other : {"", "+", "#", "directory", "DIRECT", "typing", "$share"}) {
    EXPECT_FALSE(is_durable_root(other)) << other;
  }
}

TEST(topic_prefix, is_the_same_with_and_without_its_last_slash) {
  EXPECT_EQ(topic_prefix("site/one").text(), "site/one/");
  EXPECT_EQ(topic_prefix("site/one/").text(), "site/one/");
  EXPECT_EQ(topic_prefix("").text(), "");
  EXPECT_EQ(topic_prefix().text(), "");
}

TEST(topic_prefix, is_taken_off_whole_levels_only) {
  const topic_prefix prefix("site/one");
  const struct {
    std::string_view text, rest;
    bool inside;
  } table[] = {
      {"site/one/direct/#", "direct/#", true},
      {"site/one/", "", true},
      {"site/one", "site/one", false},
      {"site/onedirect/#", "site/onedirect/#", false},
      {"direct/#", "direct/#", false},
      {"site/+/direct/#", "site/+/direct/#", false},
      {"", "", false},
  };
  for (const auto& [text, rest, inside] : table) {
    const auto stripped = prefix.strip(text);
    EXPECT_EQ(stripped.rest, rest) << text;
    EXPECT_EQ(stripped.inside, inside) << text;
  }
  EXPECT_EQ(prefix.prepend("direct/bob/alice/1"), "site/one/direct/bob/alice/1");
}

TEST(topic_prefix, empty_has_everything_inside) {
  const topic_prefix none;
  EXPECT_TRUE(none.strip("direct/#").inside);
  EXPECT_EQ(none.strip("direct/#").rest, "direct/#");
  EXPECT_EQ(none.prepend("ack/bob"), "ack/bob");
}

}  // namespace
}  // namespace restante
