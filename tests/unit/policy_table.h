// Rules, questions and verdicts as lines of text, for tables that a reviewer can read.
#pragma once

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "core/policy.h"

namespace restante {

// "7 allow everyone publish direct/+/%u/+ durable", "8 deny user bob subscribe #",
// "9 deny group team publish x/%g"
inline rule to_rule(const std::string& line) {
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
inline const std::vector<std::string> installed = {
    "1 allow everyone publish direct/+/%u/+ durable",  "2 allow everyone subscribe direct/%u/# durable",
    "3 allow everyone publish group/%g/%u/+ durable",  "4 allow everyone subscribe group/%g/# durable",
    "5 allow everyone publish ack/%u durable",         "6 allow everyone publish receipt/+/%u/+ durable",
    "7 allow everyone subscribe receipt/%u/# durable", "21 allow everyone publish service/+/%u/+ durable",
    "22 allow everyone subscribe service/+/# durable", "23 allow everyone publish answer/+/+/+ durable",
    "24 allow everyone subscribe answer/%u/# durable", "25 allow everyone subscribe profile/+ durable"};

inline account_record alice(const std::vector<std::string>& more_rules = {}) {
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
inline std::string outcome(const verdict& judged) {
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

inline void check(const policy& judge, const std::vector<question>& table,
                  std::string_view client_id = "phone") {
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

}  // namespace restante
