// A member writes to its group.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "each_version.h"
#include "steady_sender.h"
#include "support/post_office_fixture.h"

namespace restante {
namespace {

using namespace support;
using ::testing::ElementsAre;

class group_messages : public each_version {
 protected:
  void must_run(const std::vector<std::string>& arguments, const std::string& input = "") const {
    const finished ended = run_restante(arguments, input);
    if (ended.exit_code != 0) throw failure(ended.output);
  }
};
INSTANTIATE_TEST_SUITE_P(mqtt, group_messages, both_versions, name_of_version);

TEST_P(group_messages, reach_the_members_and_wait_for_each_until_it_acknowledges) {
  open();
  auto alice = paho(account("alice"));
  auto bob = paho(account("bob"));
  bob.subscribe("group/crew/#");
  auto carol = paho(account("carol"));
  carol.subscribe("group/crew/#");
  send(alice, to_group("crew", "alice", "m1", "ahoy"));
  for (const auto* each : {&bob, &carol}) {
    const auto heard = each->expect_messages(1);
    EXPECT_EQ(heard[0].topic, "group/crew/alice/m1");
    EXPECT_EQ(heard[0].payload, "ahoy");
  }
  wait_until_waiting("bob", 1);
  EXPECT_EQ(waiting("carol"), 1);
  EXPECT_EQ(waiting("alice"), 0);
  EXPECT_EQ(sql("select count(*) from restante.message"), "1");  // its body is kept once
  send(bob, acknowledgement_of("bob", {"alice/m1"}));
  wait_until_waiting("bob", 0);
  EXPECT_EQ(waiting("carol"), 1);
  send(carol, acknowledgement_of("carol", {"alice/m1"}));
  wait_until_waiting("carol", 0);
}

TEST_P(group_messages, wait_for_members_that_are_away_and_come_in_order) {
  open();
  auto alice = paho(account("alice"));
  auto bob = paho(account("bob"));
  std::vector<std::string> sent;
  for (int i = 0; i < 20; ++i) {
    const std::string from = i % 2 == 0 ? "alice" : "bob";
    const auto message = to_group("crew", from, std::to_string(i), "ahoy");
    send(i % 2 == 0 ? alice : bob, message);
    sent.push_back(message.topic);
  }
  wait_until_waiting("carol", 20);
  EXPECT_EQ(waiting("alice"), 10);
  EXPECT_EQ(waiting("bob"), 10);
  auto carol = paho(account("carol"));
  carol.subscribe("group/crew/#");
  const auto heard = carol.expect_messages(20);
  EXPECT_EQ(topics_of(heard), sent);
  EXPECT_EQ(heard[7].payload, "ahoy");
}

TEST_P(group_messages, reach_a_member_that_connects_while_they_are_sent) {
  open(unhurried);
  auto alice = paho(account("alice"));
  auto carol = paho(account("carol"));
  carol.subscribe("group/crew/#");
  const auto letter = [](std::size_t i) { return to_group("crew", "alice", "m" + std::to_string(i)); };
  std::size_t last = 0;
  std::size_t collected = 0;
  {
    steady_sender sending(alice, letter);
    require_eventually("some wait", [&] { return waiting("bob") >= 20; });
    auto bob = paho(account("bob"));
    bob.subscribe("group/crew/#");
    collect_and_acknowledge(bob, "bob", collected, sending.sent() + 100);
    last = sending.stop();
    send(alice, letter(last));
    collect_and_acknowledge(bob, "bob", collected, last + 1);
    wait_until_waiting("bob", 0);
    std::vector<std::string> sent;
    for (std::size_t i = 0; i <= last; ++i) sent.push_back(letter(i).topic);
    EXPECT_EQ(topics_of(bob.messages()), sent);
  }
  // Another member's pace is its own.
  collected = 0;
  collect_and_acknowledge(carol, "carol", collected, last + 1);
  wait_until_waiting("carol", 0);
}

TEST_P(group_messages, wait_for_a_member_that_has_never_connected) {
  open();
  must_run({"user", "add", "erin", "--password-stdin"}, "erin\n");
  must_run({"group", "add", "newcomers"});
  must_run({"group", "join", "newcomers", "erin"});
  must_run({"group", "join", "newcomers", "alice"});
  auto alice = paho(account("alice"));
  send(alice, to_group("newcomers", "alice", "m1", "welcome"));
  wait_until_waiting("erin", 1);
  auto erin = paho(account("erin"));
  erin.subscribe("group/newcomers/#");
  EXPECT_THAT(payloads_of(erin.expect_messages(1)), ElementsAre("welcome"));
}

TEST_P(group_messages, give_their_sender_no_echo) {
  open();
  auto phone = paho(device("alice", "phone"));
  phone.subscribe("group/crew/#");
  auto laptop = paho(device("alice", "laptop"));
  laptop.subscribe("group/crew/alice/#");
  laptop.subscribe("group/crew/#");
  auto bob = paho(account("bob"));
  bob.subscribe("group/crew/#");
  for (int qos = 0; qos <= 2; ++qos) {
    auto message = to_group("crew", "alice", "m" + std::to_string(qos));
    message.qos = qos;
    send(phone, message);
  }
  bob.expect_messages(3);
  send(bob, to_group("crew", "bob", "fence"));
  EXPECT_THAT(topics_of(phone.expect_messages(1)), ElementsAre("group/crew/bob/fence"));
  EXPECT_THAT(topics_of(laptop.expect_messages(1)), ElementsAre("group/crew/bob/fence"));
  // Nor out of the mailbox.
  wait_until_waiting("bob", 2);
  wait_until_waiting("alice", 1);
  auto later = paho(device("alice", "later"));
  later.subscribe("group/crew/#");
  EXPECT_THAT(topics_of(later.expect_messages(1)), ElementsAre("group/crew/bob/fence"));
}

TEST_P(group_messages, of_non_members_are_refused_whatever_the_rules_say) {
  open();
  must_run({"acl", "allow", "--everyone", "publish", "group/#"});
  auto bob = paho(account("bob"));
  bob.subscribe("group/crew/#");
  auto dave = paho(account("dave"));
  for (int qos = 0; qos <= 2; ++qos) {
    auto message = to_group("crew", "dave", "m" + std::to_string(qos));
    message.qos = qos;
    EXPECT_EQ(dave.publish(message), qos == 0 ? 0 : refused_publish());
  }
  auto alice = paho(account("alice"));
  send(alice, to_group("crew", "alice", "fence"));
  EXPECT_THAT(topics_of(bob.expect_messages(1)), ElementsAre("group/crew/alice/fence"));
  wait_until_waiting("bob", 1);
  EXPECT_EQ(waiting("carol"), 1);
  EXPECT_EQ(sql("select count(*) from restante.dead_letter"), "0");
}

TEST_P(group_messages, are_not_for_non_members_whatever_the_rules_say) {
  open();
  must_run({"acl", "allow", "--everyone", "subscribe", "group/#"});
  auto dave = raw(account("dave"));
  EXPECT_THAT(dave.subscribe({"group/crew/#", "group/#", "group/+/alice/+", "direct/dave/#"}),
              ElementsAre(refused_filter(), refused_filter(), refused_filter(), 1));
  auto alice = paho(account("alice"));
  send(alice, to_group("crew", "alice", "m1"));
  wait_until_waiting("carol", 1);
  EXPECT_EQ(waiting("dave"), 0);
  send(alice, direct("dave", "alice", "fence"));
  EXPECT_EQ(dave.expect_publish().topic, "direct/dave/alice/fence");
}

TEST_P(group_messages, to_a_group_that_is_not_there_are_refused) {
  open();
  auto alice = paho(account("alice"));
  EXPECT_EQ(alice.publish(to_group("nothing", "alice", "m1")), refused_publish());
  EXPECT_EQ(alice.publish(to_group("CREW", "alice", "m2")), refused_publish());
  send(alice, to_group("crew", "alice", "fence"));
  wait_until_waiting("bob", 1);
  EXPECT_EQ(waiting("carol"), 1);
}

TEST_P(group_messages, to_a_group_of_one_are_accepted_and_wait_for_nobody) {
  open();
  must_run({"group", "add", "hermitage"});
  must_run({"group", "join", "hermitage", "alice"});
  auto alice = paho(account("alice"));
  alice.subscribe("group/hermitage/#");
  alice.subscribe("direct/alice/#");
  EXPECT_LT(alice.publish(to_group("hermitage", "alice", "m1")), 0x80);
  send(alice, direct("alice", "alice", "fence"));
  EXPECT_THAT(topics_of(alice.expect_messages(1)), ElementsAre("direct/alice/alice/fence"));
  wait_until_waiting("alice", 1);
  EXPECT_EQ(sql("select count(*) from restante.message"), "0");
}

}  // namespace
}  // namespace restante
