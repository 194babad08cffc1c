#include "core/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "policy_table.h"

namespace restante {
namespace {

using testing::HasSubstr;

TEST(policy, deny_wins_whatever_the_order_and_the_subject) {
  check(policy(alice({"10 allow user alice publish lab/#", "11 deny everyone publish lab/secret/#",
                      "12 allow user alice publish lab/secret/#", "13 deny group chess publish lab/board",
                      "14 deny everyone publish direct/mallory/+/+ durable"}),
               {}),
        {
            {"publish lab/x", "allow 10"},
            {"publish lab/secret", "deny 11"},
            {"publish lab/secret/x", "deny 11"},
            {"publish lab/board", "deny 13"},
            {"publish direct/mallory/alice/1", "deny 14"},
            {"publish direct/bob/alice/1", "allow 1"},
        });
}

TEST(policy, an_allow_must_cover_the_whole_filter_and_a_deny_too) {
  check(policy(alice({"10 allow everyone subscribe lab/#", "11 deny everyone subscribe lab/secret/#",
                      "12 allow everyone subscribe news/+"}),
               {}),
        {
            {"subscribe lab/#", "allow 10"},
            {"subscribe lab/+/x", "allow 10"},
            {"hear lab/open/x", "allow 10"},
            {"hear lab/secret/x", "deny 11"},
            {"subscribe lab/secret/#", "deny 11"},
            {"subscribe lab/secret/x", "deny 11"},
            {"subscribe news/+", "allow 12"},
            {"subscribe news/a", "allow 12"},
            {"subscribe news/#", "no"},
            {"subscribe +/a", "no"},
        });
}

TEST(policy, rules_of_other_actions_and_subjects_say_nothing) {
  check(policy(alice({"10 allow everyone subscribe a", "11 allow everyone publish b",
                      "12 allow user bob publish c", "13 allow user Alice publish d",
                      "14 allow group other publish e", "15 allow group team publish f"}),
               {}),
        {
            {"publish a", "no"},
            {"subscribe a", "allow 10"},
            {"subscribe b", "no"},
            {"hear b", "no"},
            {"publish b", "allow 11"},
            {"publish c", "no"},
            {"publish d", "no"},
            {"publish e", "no"},
            {"publish f", "allow 15"},
        });
}

TEST(policy, of_an_account_that_is_not_active_allows_nothing) {
  auto record = alice({"10 allow everyone publish #", "11 allow everyone subscribe #"});
  record.active = false;
  const policy judge(std::move(record), {});
  check(judge, {{"publish direct/bob/alice/1", "no"},
                {"publish weather", "no"},
                {"hear direct/alice/bob/1", "no"},
                {"subscribe direct/alice/#", "no"},
                {"subscribe #", "no"}});
  EXPECT_EQ(judge.may_publish("phone", "weather").why, "the account is not active");
}

TEST(policy, survives_a_hostile_record) {
  auto record = alice({"10 allow everyone publish x/%g/y", "11 allow everyone publish a#",
                       "12 allow everyone publish #/a", "13 allow everyone subscribe $share/g/#",
                       "14 allow group + publish y", "15 allow everyone publish ok"});
  record.groups.push_back({"+", true, true});
  record.groups.push_back({"#", true, true});
  record.groups.push_back({"a/b", true, true});
  record.groups.push_back({"", true, true});
  record.groups.push_back({"%c", true, true});
  record.groups.push_back({std::string(65, 'g'), true, true});
  rule two_subjects = to_rule("16 allow user alice publish z");
  two_subjects.subject_group = "team";
  record.rules.push_back(two_subjects);
  rule empty_filter = to_rule("17 allow everyone publish z");
  empty_filter.filter = "";
  record.rules.push_back(empty_filter);
  rule nul = to_rule("18 allow everyone publish z");
  nul.filter = std::string("z\0", 2);
  record.rules.push_back(nul);
  rule too_long = to_rule("19 allow everyone publish z");
  too_long.filter = std::string(70'000, 'z');
  record.rules.push_back(too_long);
  const policy judge(std::move(record), {});
  check(judge, {
                   {"publish x/team/y", "allow 10"},
                   {"publish x/other/y", "no"},
                   {"publish x/a/b/y", "no"},
                   {"publish x//y", "no"},
                   {"publish x/phone/y", "no"},
                   {"publish a", "no"},
                   {"publish y", "no"},
                   {"publish z", "no"},
                   {"publish zphone", "no"},
                   {"publish ok", "allow 15"},
                   {"subscribe group/+/#", "no"},
                   {"subscribe #", "no"},
                   {"subscribe group/#", "no"},
                   {"publish group/a/b/alice/1", "no"},
               });
  EXPECT_EQ(judge.member_of("+"), nullptr);
  EXPECT_EQ(judge.member_of(""), nullptr);
  EXPECT_EQ(judge.record().groups.size(), 2U);
}

TEST(policy, of_a_name_that_is_none_allows_nothing) {
  for (const auto* name : {"", "+", "#", "a/b", "$SYS", "al ice"}) {
    auto record = alice({"10 allow everyone publish #", "11 allow everyone subscribe #"});
    record.name = name;
    check(policy(std::move(record), {}), {{"publish weather", "no"},
                                          {"publish direct/bob//1", "no"},
                                          {"hear weather", "no"},
                                          {"subscribe direct/+/#", "no"},
                                          {"subscribe direct", "no"},
                                          {"subscribe #", "no"}});
  }
}

TEST(policy, knows_its_memberships) {
  const policy judge(alice(), {});
  ASSERT_NE(judge.member_of("team"), nullptr);
  EXPECT_TRUE(judge.member_of("team")->admin);
  ASSERT_NE(judge.member_of("chess"), nullptr);
  EXPECT_FALSE(judge.member_of("chess")->passes_receipts);
  EXPECT_EQ(judge.member_of("Team"), nullptr);
  EXPECT_EQ(judge.member_of("other"), nullptr);
  EXPECT_EQ(judge.name(), "alice");
}

TEST(policy, points_to_its_own_rules) {
  const policy judge(alice(), {});
  const auto* decided_by = judge.may_publish("phone", "direct/bob/alice/1").decided_by;
  EXPECT_EQ(decided_by, &judge.record().rules[0]);
}

TEST(policy, says_why_when_no_rule_decided) {
  const policy judge(alice({"10 allow everyone publish #", "11 allow everyone subscribe +/#"}), {});
  EXPECT_EQ(judge.may_publish("", "direct/bob/bob/1").why, "the topic names another account as its sender");
  EXPECT_EQ(judge.may_publish("", "group/other/alice/1").why, "the account is not a member of the group");
  EXPECT_THAT(std::string(judge.may_publish("", "direct/bob").why), HasSubstr("direct/{to}/{from}/{id}"));
  EXPECT_EQ(judge.may_publish("", "$SYS/x").why, "no rule allows it");
  EXPECT_EQ(judge.may_publish("", "a/#").why, "not a well-formed topic");
  EXPECT_EQ(judge.may_hear("", "a/#").why, "not a well-formed topic");
  EXPECT_EQ(judge.may_subscribe("", "a#").why, "not a well-formed filter");
  EXPECT_EQ(judge.may_subscribe("", "$share/x").why, "not of the form $share/{group}/{filter}");
  EXPECT_EQ(judge.may_subscribe("", "$share/x/#").why, "durable topics cannot be shared by $share");
  EXPECT_EQ(judge.may_subscribe("", "direct/#").why, "the filter reaches beyond the account's own topics");
  EXPECT_EQ(judge.may_subscribe("", "group/#").why, "the filter reaches beyond the account's own groups");
  EXPECT_EQ(judge.may_subscribe("", "ack/alice").why, "nobody subscribes to acknowledgements");
}

TEST(policy, describes_rules_and_verdicts_in_words) {
  EXPECT_EQ(describe(to_rule("3 allow everyone publish direct/+/%u/+ durable")),
            "allow everyone publish direct/+/%u/+ (rule 3)");
  EXPECT_EQ(describe(to_rule("4 deny user bob subscribe #")), "deny user bob subscribe # (rule 4)");
  EXPECT_EQ(describe(to_rule("5 deny group team publish a/%g")), "deny group team publish a/%g (rule 5)");
  const policy judge(alice({"10 deny user alice publish secret"}), {});
  EXPECT_EQ(describe(judge.may_publish("", "ack/alice")),
            "allowed by: allow everyone publish ack/%u (rule 5)");
  EXPECT_EQ(describe(judge.may_publish("", "secret")),
            "refused by: deny user alice publish secret (rule 10)");
  EXPECT_EQ(describe(judge.may_publish("", "weather")), "refused: no rule allows it");
}

}  // namespace
}  // namespace restante
