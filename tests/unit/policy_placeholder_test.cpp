// %u, %g and %c in rules.

#include <gtest/gtest.h>

#include <utility>

#include "core/policy.h"
#include "policy_table.h"

namespace restante {
namespace {

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
                   {"publish device/table/state", "no"},
                   {"publish device//state", "no"},
                   {"publish device/%c/state", "no"},
                   {"publish dev-phone/x-phone-y", "allow 11"},
                   {"publish dex-phone/x-phone-y", "no"},
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

}  // namespace
}  // namespace restante
