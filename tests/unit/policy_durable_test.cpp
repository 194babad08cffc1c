// What a policy says of durable topics, whatever an operator's rules.

#include <gtest/gtest.h>

#include "core/policy.h"
#include "policy_table.h"

namespace restante {
namespace {

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

TEST(policy, lets_only_the_account_of_a_service_hear_its_requests_and_answer_them) {
  account_record record = alice({"10 allow everyone publish #", "11 allow everyone subscribe #"});
  record.services = {"profile", "avatar"};
  check(policy(record, {}), {
                                {"publish service/profile/alice/1", "allow 21"},
                                {"publish service/other/alice/1", "allow 21"},
                                {"publish service/profile/bob/1", "no"},
                                {"publish answer/bob/profile/1", "allow 23"},
                                {"publish answer/bob/avatar/1", "allow 23"},
                                {"publish answer/bob/other/1", "no"},
                                {"publish answer/bob/profile", "no"},
                                {"subscribe service/profile/#", "allow 22"},
                                {"subscribe service/avatar/bob/+", "allow 22"},
                                {"subscribe service/other/#", "no"},
                                {"subscribe service/+/#", "no"},
                                {"subscribe service/#", "no"},
                                {"subscribe service", "no"},
                                {"subscribe answer/alice/#", "allow 24"},
                                {"subscribe answer/bob/#", "no"},
                                {"subscribe answer/+/profile/#", "no"},
                                {"subscribe $share/g/service/profile/#", "no"},
                                {"subscribe $share/g/answer/alice/#", "no"},
                            });
  record.services.clear();
  check(policy(record, {}), {
                                {"publish service/profile/alice/1", "allow 21"},
                                {"publish answer/bob/profile/1", "no"},
                                {"publish answer/alice/profile/1", "no"},
                                {"subscribe service/profile/#", "no"},
                            });
}

TEST(policy, lets_nobody_publish_a_profile_and_everybody_subscribe_to_one_by_its_name) {
  check(policy(alice({"10 allow everyone publish #", "11 allow everyone subscribe profile/#"}), {}),
        {
            {"publish profile/alice", "no"},
            {"publish profile/bob", "no"},
            {"subscribe profile/bob", "allow 25"},
            {"subscribe profile/alice", "allow 25"},
            {"subscribe profile/+", "no"},
            {"subscribe profile/#", "no"},
            {"subscribe profile/bob/#", "no"},
            {"subscribe profile", "no"},
            {"subscribe $share/g/profile/bob", "no"},
            {"hear profile/bob", "allow 25"},
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

}  // namespace
}  // namespace restante
