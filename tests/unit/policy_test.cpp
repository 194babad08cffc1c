#include "core/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace restante {
namespace {

using testing::HasSubstr;

// "7 allow everyone publish direct/+/%u/+ durable", "8 deny user bob subscribe #", "9 deny group team publish
// x/%g"
rule to_rule(const std::string& line) {
  rule made;
  std::istringstream words(line);
  std::string effect, subject, action, durable;
  words >> made.id >> effect >> subject;
  if (subject == "user") words >> made.subject_account;
  if (subject == "group") words >> made.subject_group;
  words >> action >> made.filter >> durable;
  made.effect = effect == "allow" ? rule_effect::allow : rule_effect::deny;
  made.action = action == "publish" ? rule_action::publish : rule_action::subscribe;
  made.durable = durable == "durable";
  return made;
}

// Those that a migration installs.
const std::vector<std::string> installed = {
    "1 allow everyone publish direct/+/%u/+ durable", "2 allow everyone subscribe direct/%u/# durable",
    "3 allow everyone publish group/%g/%u/+ durable", "4 allow everyone subscribe group/%g/# durable",
    "5 allow everyone publish ack/%u durable",        "6 allow everyone publish receipt/+/%u/+ durable",
    "7 allow everyone subscribe receipt/%u/# durable"};

account_record alice(const std::vector<std::string>& more_rules = {}) {
  account_record record;
  record.id = 1;
  record.name = "alice";
  record.active = true;
  record.groups = {{"team", true, true}, {"chess", false, false}};
  for (const auto& line : installed) record.rules.push_back(to_rule(line));
  for (const auto& line : more_rules) record.rules.push_back(to_rule(line));
  return record;
}

// "allow 3": allowed by rule 3. "deny 8": refused by rule 8. "no": refused, no rule decided.
std::string outcome(const verdict& judged) {
  if (judged.decided_by == nullptr) {
    EXPECT_FALSE(judged.allowed);
    EXPECT_FALSE(judged.why.empty());
    return "no";
  }
  EXPECT_TRUE(judged.why.empty());
  EXPECT_EQ(judged.allowed, judged.decided_by->effect == rule_effect::allow);
  return (judged.allowed ? "allow " : "deny ") + std::to_string(judged.decided_by->id);
}

struct question {
  std::string asked;  // "publish TOPIC", "hear TOPIC", "subscribe FILTER"
  std::string expected;
};

void check(const policy& judge, const std::vector<question>& table, std::string_view client_id = "phone") {
  for (const auto& [asked, expected] : table) {
    const auto space = asked.find(' ');
    const auto verb = asked.substr(0, space);
    const auto what = asked.substr(space + 1);
    const auto judged = verb == "publish" ? judge.may_publish(client_id, what)
                        : verb == "hear"  ? judge.may_hear(client_id, what)
                                          : judge.may_subscribe(client_id, what);
    EXPECT_EQ(outcome(judged), expected) << asked << " (" << describe(judged) << ")";
  }
}

TEST(policy, of_the_installed_rules) {
  const policy judge(alice(), {});
  check(judge, {
                   {"publish direct/bob/alice/1", "allow 1"},
                   {"publish direct/alice/alice/1", "allow 1"},
                   {"publish direct/bob/bob/1", "no"},
                   {"publish direct/bob/Alice/1", "no"},
                   {"publish direct/alice/bob/1", "no"},
                   {"publish group/team/alice/1", "allow 3"},
                   {"publish group/chess/alice/1", "allow 3"},
                   {"publish group/other/alice/1", "no"},
                   {"publish group/team/bob/1", "no"},
                   {"publish ack/alice", "allow 5"},
                   {"publish ack/bob", "no"},
                   {"publish receipt/bob/alice/1", "allow 6"},
                   {"publish receipt/alice/bob/1", "no"},
                   {"publish weather", "no"},
                   {"publish $SYS/x", "no"},

                   {"hear direct/alice/bob/1", "allow 2"},
                   {"hear direct/bob/alice/1", "no"},
                   {"hear group/team/bob/1", "allow 4"},
                   {"hear group/other/bob/1", "no"},
                   {"hear ack/alice", "no"},
                   {"hear receipt/alice/bob/1", "allow 7"},
                   {"hear receipt/bob/alice/1", "no"},
                   {"hear weather", "no"},

                   {"subscribe direct/alice/#", "allow 2"},
                   {"subscribe direct/alice/bob/+", "allow 2"},
                   {"subscribe direct/alice/+/+", "allow 2"},
                   {"subscribe direct/alice/bob/1", "allow 2"},
                   {"subscribe direct/bob/#", "no"},
                   {"subscribe direct/+/alice/#", "no"},
                   {"subscribe direct/#", "no"},
                   {"subscribe direct", "no"},
                   {"subscribe group/team/#", "allow 4"},
                   {"subscribe group/chess/bob/+", "allow 4"},
                   {"subscribe group/other/#", "no"},
                   {"subscribe group/+/bob/+", "no"},
                   {"subscribe receipt/alice/#", "allow 7"},
                   {"subscribe receipt/bob/#", "no"},
                   {"subscribe ack/alice", "no"},
                   {"subscribe ack/#", "no"},
                   {"subscribe #", "no"},
                   {"subscribe +/alice/#", "no"},
                   {"subscribe weather", "no"},
                   {"subscribe $share/all/direct/alice/#", "no"},
               });
}

TEST(policy, refuses_malformed_topics_and_filters_whatever_the_rules) {
  const policy judge(alice({"10 allow everyone publish #", "11 allow everyone subscribe #"}), {});
  check(judge, {
                   {"publish weather", "allow 10"},
                   {"publish weather/#", "no"},
                   {"publish weather/+", "no"},
                   {"publish ", "no"},
                   {"publish a\xFF", "no"},
                   {"publish direct/bob/alice", "no"},
                   {"publish direct/bob/alice/1/2", "no"},
                   {"publish direct", "no"},
                   {"publish direct/bob/alice/a@b", "no"},
                   {"publish ack", "no"},
                   {"publish ack/alice/1", "no"},
                   {"publish receipt/bob/alice", "no"},
                   {"publish group/team", "no"},
                   {"subscribe ", "no"},
                   {"subscribe a#", "no"},
                   {"subscribe #/a", "no"},
                   {"subscribe a\xC0\xAF", "no"},
                   {"subscribe weather/#", "allow 11"},
                   {"hear weather", "allow 11"},
                   {"hear weather/#", "no"},
                   {"hear \xFF", "no"},
               });
}

TEST(policy, no_rule_of_an_operator_opens_others_durable_topics) {
  const std::vector<question> table = {
      {"publish direct/bob/bob/1", "no"},
      {"publish group/other/alice/1", "no"},
      {"publish group/team/bob/1", "no"},
      {"publish ack/bob", "no"},
      {"publish receipt/alice/bob/1", "no"},
      {"subscribe direct/bob/#", "no"},
      {"subscribe direct/+/alice/1", "no"},
      {"subscribe direct/#", "no"},
      {"subscribe direct", "no"},
      {"subscribe direct/+", "no"},
      {"subscribe group/other/#", "no"},
      {"subscribe group/#", "no"},
      {"subscribe group/+/+/+", "no"},
      {"subscribe receipt/bob/#", "no"},
      {"subscribe receipt/#", "no"},
      {"subscribe ack/alice", "no"},
      {"subscribe ack/#", "no"},
      {"subscribe ack/+", "no"},
      {"subscribe ack", "no"},
  };
  check(policy(alice({"10 allow everyone publish #", "11 allow everyone subscribe #"}), {}), table);
  check(policy(alice({"10 allow everyone publish # durable", "11 allow user alice subscribe # durable",
                      "12 allow group team subscribe direct/#", "13 allow everyone subscribe direct/bob/#",
                      "14 allow everyone subscribe group/# durable", "15 allow everyone subscribe ack/#",
                      "16 allow everyone publish +/+/+/+"}),
               {}),
        table);
}

TEST(policy, leaves_filters_with_a_wildcard_in_front_to_the_rules) {
  check(policy(alice({"11 allow everyone subscribe #"}), {}), {
                                                                  {"subscribe #", "allow 11"},
                                                                  {"subscribe +/#", "allow 11"},
                                                                  {"subscribe +/bob/#", "allow 11"},
                                                                  {"subscribe $SYS/#", "no"},
                                                                  {"subscribe direct/alice/#", "allow 2"},
                                                              });
}

TEST(policy, shares_no_durable_topic) {
  check(policy(alice({"11 allow everyone subscribe #", "12 deny everyone subscribe secret/#"}), {}),
        {
            {"subscribe $share/g/weather/#", "allow 11"},
            {"subscribe $share/g//a", "allow 11"},
            {"subscribe $share/g/directory/#", "allow 11"},
            {"subscribe $share/g/secret/x", "deny 12"},
            {"subscribe $share/g/direct/alice/#", "no"},
            {"subscribe $share/g/direct", "no"},
            {"subscribe $share/g/group/team/#", "no"},
            {"subscribe $share/g/ack/alice", "no"},
            {"subscribe $share/g/receipt/alice/#", "no"},
            {"subscribe $share/g/#", "no"},
            {"subscribe $share/g/+", "no"},
            {"subscribe $share/g/+/alice/#", "no"},
            {"subscribe $share/g/+/+/alice/1", "no"},
            {"subscribe $share", "no"},
            {"subscribe $share/", "no"},
            {"subscribe $share/g", "no"},
            {"subscribe $share/g/", "no"},
            {"subscribe $share//weather", "no"},
            {"subscribe $share/+/weather", "no"},
            {"subscribe $share/#", "no"},
            {"subscribe $share/g#/weather", "no"},
            {"subscribe $share/g\xFF/weather", "no"},
            {"subscribe $share/g/$share/h/weather", "no"},
            {"subscribe $share/g/weather#", "no"},
            {"subscribe $share/g/$SYS/#", "no"},
        });
}

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

TEST(policy, puts_names_for_placeholders) {
  check(policy(alice({"10 allow everyone publish home/%u/+", "11 allow everyone publish room/%g/%u/%g",
                      "12 allow everyone publish in/x-%u-%g", "13 deny everyone publish in/%g",
                      "14 allow everyone publish %%u/%"}),
               {}),
        {
            {"publish home/alice/x", "allow 10"},
            {"publish home/bob/x", "no"},
            {"publish home/%u/x", "no"},
            {"publish room/team/alice/team", "allow 11"},
            {"publish room/chess/alice/chess", "allow 11"},
            {"publish room/team/alice/chess", "no"},
            {"publish room/%g/alice/%g", "no"},
            {"publish in/x-alice-team", "allow 12"},
            {"publish in/x-alice-other", "no"},
            {"publish in/chess", "deny 13"},
            {"publish %alice/%", "allow 14"},
        });
}

TEST(policy, a_rule_of_groups_says_nothing_to_an_account_without) {
  auto record = alice({"10 allow everyone publish x/%g", "11 allow everyone publish x%g/y"});
  record.groups.clear();
  check(policy(std::move(record), {}), {
                                           {"publish x/", "no"},
                                           {"publish x", "no"},
                                           {"publish x/y", "no"},
                                           {"publish group/team/alice/1", "no"},
                                           {"subscribe group/team/#", "no"},
                                       });
}

TEST(policy, matches_the_client_id_when_asked) {
  const policy judge(
      alice({"10 allow everyone publish device/%c/state", "11 allow everyone publish dev-%c/x-%c-y",
             "12 allow everyone subscribe inbox/%c/#", "13 deny everyone publish ban/%c",
             "14 allow everyone publish ban/+", "15 allow everyone publish %c/%u"}),
      {});
  check(judge, {
                   {"publish device/phone/state", "allow 10"},
                   {"publish device/laptop/state", "no"},
                   {"publish device//state", "no"},
                   {"publish device/%c/state", "no"},
                   {"publish dev-phone/x-phone-y", "allow 11"},
                   {"publish dev-phone/x-phone", "no"},
                   {"publish dev-phone/x-phon-y", "no"},
                   {"publish dev-phone/x-laptop-y", "no"},
                   {"publish dev-/x--y", "no"},
                   {"subscribe inbox/phone/#", "allow 12"},
                   {"subscribe inbox/phone/a/+", "allow 12"},
                   {"subscribe inbox/+/a", "no"},
                   {"subscribe inbox/#", "no"},
                   {"hear inbox/phone/a", "allow 12"},
                   {"hear inbox/laptop/a", "no"},
                   {"publish ban/phone", "deny 13"},
                   {"publish ban/laptop", "allow 14"},
                   {"publish phone/alice", "allow 15"},
               });
  check(judge, {{"publish device/laptop/state", "allow 10"}, {"publish device/phone/state", "no"}}, "laptop");
  check(judge, {{"publish device/%c/state", "allow 10"}, {"publish device/phone/state", "no"}}, "%c");
  check(judge, {{"publish device/%u/state", "allow 10"}, {"publish device/alice/state", "no"}}, "%u");
}

TEST(policy, takes_no_client_id_that_would_reach_further) {
  const policy judge(alice({"10 allow everyone subscribe inbox/%c/#", "11 allow everyone publish x%c",
                            "12 allow everyone publish %c/x", "13 allow everyone subscribe %c/#"}),
                     {});
  check(judge, {{"subscribe inbox/+/#", "no"}, {"hear inbox/a/b", "no"}}, "+");
  check(judge, {{"subscribe inbox/#", "no"}, {"hear inbox/a/b", "no"}}, "#");
  check(judge, {{"subscribe inbox/a/b/#", "no"}, {"publish a/b/x", "no"}}, "a/b");
  check(judge, {{"subscribe inbox//#", "no"}, {"publish x", "no"}, {"publish /x", "no"}}, "");
  check(judge, {{"subscribe $SYS/#", "no"}, {"publish $SYS/x", "no"}, {"hear $SYS/x", "no"}}, "$SYS");
  check(judge, {{"subscribe direct/#", "no"}, {"subscribe direct/bob/#", "no"}, {"publish direct/x", "no"}},
        "direct");
  check(judge, {{"subscribe $share/g/direct/#", "no"}, {"subscribe ack/#", "no"}}, "ack");
}

TEST(policy, moves_durable_rules_with_the_prefix_and_no_others) {
  const policy judge(alice({"10 allow everyone publish weather", "11 allow everyone subscribe +/one/direct/#",
                            "12 allow everyone subscribe direct/#", "13 allow everyone subscribe site/#"}),
                     topic_prefix("site/one"));
  check(judge, {
                   {"publish site/one/direct/bob/alice/1", "allow 1"},
                   {"publish site/one/direct/bob/bob/1", "no"},
                   {"publish direct/bob/alice/1", "no"},
                   {"publish weather", "allow 10"},
                   {"publish site/one/weather", "no"},
                   {"subscribe site/one/direct/alice/#", "allow 2"},
                   {"subscribe site/one/group/team/#", "allow 4"},
                   {"hear site/one/direct/alice/bob/1", "allow 2"},
                   // others', whatever the rules
                   {"subscribe site/one/direct/bob/#", "no"},
                   {"subscribe site/one/direct/#", "no"},
                   {"subscribe site/one/ack/alice", "no"},
                   {"subscribe +/one/direct/#", "no"},
                   {"subscribe +/one/direct/bob/#", "no"},
                   {"subscribe site/+/group/other/#", "no"},
                   {"subscribe site/+/direct", "no"},
                   {"subscribe $share/g/site/one/direct/alice/#", "no"},
                   {"subscribe $share/g/site/#", "no"},
                   {"subscribe $share/g/site/+/+/alice/#", "no"},
                   // not durable here
                   {"subscribe direct/bob/#", "allow 12"},
                   {"subscribe $share/g/direct/bob/#", "allow 12"},
                   {"subscribe site/two/direct/bob/#", "allow 13"},
                   {"subscribe +/one/direct/alice/#", "allow 11"},
                   {"subscribe site/#", "allow 13"},
                   {"subscribe site", "allow 13"},
                   {"subscribe site/one", "allow 13"},
                   {"subscribe site/one/#", "allow 13"},
                   {"subscribe site/one/", "allow 13"},
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
