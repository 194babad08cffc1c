// One account writes to another, by every road that MQTT has.
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

class direct_messages : public each_version {};
INSTANTIATE_TEST_SUITE_P(mqtt, direct_messages, both_versions, name_of_version);

TEST_P(direct_messages, reach_a_recipient_that_is_there_and_wait_until_acknowledged) {
  open();
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#");
  auto alice = paho(account("alice"));
  EXPECT_EQ(alice.publish(direct("bob", "alice", "m1", "hello")), 0);
  const auto heard = bob.expect_messages(1);
  EXPECT_EQ(heard[0].topic, "direct/bob/alice/m1");
  EXPECT_EQ(heard[0].payload, "hello");
  wait_until_waiting("bob", 1);
  bob.publish(acknowledgement_of("bob", {"alice/m1"}));
  wait_until_waiting("bob", 0);
}

TEST_P(direct_messages, wait_for_a_recipient_that_is_away_and_come_in_order) {
  open();
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#");
  bob.disconnect();
  auto alice = paho(account("alice"));
  std::vector<std::string> sent;
  for (int i = 0; i < 20; ++i) {
    const auto message = direct("bob", "alice", "m" + std::to_string(i), std::to_string(i));
    send(alice, message);
    sent.push_back(message.topic);
  }
  wait_until_waiting("bob", 20);
  reconnect(bob);
  bob.subscribe("direct/bob/#");
  EXPECT_EQ(topics_of(bob.expect_messages(20)), sent);
}

TEST_P(direct_messages, wait_for_an_account_that_has_never_connected) {
  open();
  ASSERT_EQ(run_restante({"user", "add", "erin", "--password-stdin"}, "erin\n").exit_code, 0);
  auto alice = paho(account("alice"));
  send(alice, direct("erin", "alice", "m1", "welcome"));
  wait_until_waiting("erin", 1);
  auto erin = paho(account("erin"));
  erin.subscribe("direct/erin/#");
  EXPECT_THAT(payloads_of(erin.expect_messages(1)), ElementsAre("welcome"));
}

TEST_P(direct_messages, reach_a_recipient_that_connects_while_they_are_sent) {
  open(unhurried);
  auto alice = paho(account("alice"));
  const auto letter = [](std::size_t i) { return direct("bob", "alice", "m" + std::to_string(i)); };
  steady_sender sending(alice, letter);
  require_eventually("some wait", [&] { return waiting("bob") >= 20; });
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#");
  // From what waited, over what was accepted meanwhile, into live delivery.
  std::size_t collected = 0;
  collect_and_acknowledge(bob, "bob", collected, sending.sent() + 100);
  const std::size_t last = sending.stop();
  send(alice, letter(last));
  collect_and_acknowledge(bob, "bob", collected, last + 1);
  wait_until_waiting("bob", 0);
  std::vector<std::string> sent;
  for (std::size_t i = 0; i <= last; ++i) sent.push_back(letter(i).topic);
  EXPECT_EQ(topics_of(bob.messages()), sent);
}

TEST_P(direct_messages, keep_their_order_from_waiting_to_live) {
  open();
  auto alice = paho(account("alice"));
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#");
  send(alice, direct("bob", "alice", "m1"));
  EXPECT_EQ(bob.expect_messages(1).size(), 1u);
  bob.disconnect();
  bob.clear();
  send(alice, direct("bob", "alice", "m2"));
  send(alice, direct("bob", "alice", "m3"));
  reconnect(bob);
  bob.subscribe("direct/bob/#");
  bob.expect_messages(3);
  send(alice, direct("bob", "alice", "m4"));
  send(alice, direct("bob", "alice", "m5"));
  EXPECT_THAT(topics_of(bob.expect_messages(5)),
              ElementsAre("direct/bob/alice/m1", "direct/bob/alice/m2", "direct/bob/alice/m3",
                          "direct/bob/alice/m4", "direct/bob/alice/m5"));
}

TEST_P(direct_messages, of_several_senders_come_in_the_order_of_acceptance) {
  open();
  auto alice = paho(account("alice"));
  auto carol = paho(account("carol"));
  auto here = paho(account("bob"));
  here.subscribe("direct/bob/#");
  std::vector<std::string> sent;
  for (int i = 0; i < 20; ++i) {
    const std::string from = i % 3 == 0 ? "carol" : "alice";
    const auto message = direct("bob", from, std::to_string(i));
    send(i % 3 == 0 ? carol : alice, message);
    sent.push_back(message.topic);
  }
  EXPECT_EQ(topics_of(here.expect_messages(20)), sent);
  wait_until_waiting("bob", 20);
  auto later = paho(device("bob", "later"));
  later.subscribe("direct/bob/#");
  EXPECT_EQ(topics_of(later.expect_messages(20)), sent);
}

TEST_P(direct_messages, reach_their_recipient_alone) {
  open();
  auto carol = paho(account("carol"));
  carol.subscribe("direct/carol/#");
  auto alice = paho(account("alice"));
  alice.subscribe("direct/alice/#");
  send(alice, direct("bob", "alice", "private"));
  wait_until_waiting("bob", 1);
  send(alice, direct("carol", "alice", "fence"));
  send(carol, direct("alice", "carol", "fence"));
  EXPECT_THAT(topics_of(carol.expect_messages(1)), ElementsAre("direct/carol/alice/fence"));
  EXPECT_THAT(topics_of(alice.expect_messages(1)), ElementsAre("direct/alice/carol/fence"));
}

TEST_P(direct_messages, to_oneself_are_notes) {
  open();
  auto phone = paho(device("alice", "phone"));
  phone.subscribe("direct/alice/#");
  auto laptop = paho(device("alice", "laptop"));
  laptop.subscribe("direct/alice/#");
  send(phone, direct("alice", "alice", "milk", "buy milk"));
  EXPECT_THAT(payloads_of(phone.expect_messages(1)), ElementsAre("buy milk"));
  EXPECT_THAT(payloads_of(laptop.expect_messages(1)), ElementsAre("buy milk"));
  wait_until_waiting("alice", 1);
  auto later = paho(device("alice", "later"));
  later.subscribe("direct/alice/#");
  EXPECT_THAT(payloads_of(later.expect_messages(1)), ElementsAre("buy milk"));
  send(later, acknowledgement_of("alice", {"alice/milk"}));
  wait_until_waiting("alice", 0);
}

TEST_P(direct_messages, to_nobody_look_to_their_sender_like_any_other) {
  open();
  auto alice = paho(account("alice"));
  const int to_somebody = alice.publish(direct("bob", "alice", "m1"));
  EXPECT_EQ(alice.publish(direct("nobody", "alice", "m2")), to_somebody);
  EXPECT_EQ(alice.publish(direct("BOB", "alice", "m3")), to_somebody);  // names are used exactly as created
  wait_until_waiting("bob", 1);
  EXPECT_TRUE(eventually([&] {
    return sql("select recipient, message_id, reason from restante.dead_letter order by number") ==
           "nobody|m2|unknown\nBOB|m3|unknown";
  })) << sql("select * from restante.dead_letter");
}

}  // namespace
}  // namespace restante
