// `ack/{me}`: what is acknowledged goes, and nothing else does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "each_version.h"
#include "support/post_office_fixture.h"

namespace restante {
namespace {

using namespace support;
using ::testing::ElementsAre;

class acknowledgements : public each_version {};
INSTANTIATE_TEST_SUITE_P(mqtt, acknowledgements, both_versions, name_of_version);

TEST_P(acknowledgements, end_what_would_come_again_at_each_connection) {
  open();
  auto alice = paho(account("alice"));
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#");
  for (const char* id : {"m1", "m2", "m3"}) send(alice, direct("bob", "alice", id));
  bob.expect_messages(3);
  for (int i = 0; i < 2; ++i) {
    bob.disconnect();
    bob.clear();
    reconnect(bob);
    bob.subscribe("direct/bob/#");
    EXPECT_THAT(topics_of(bob.expect_messages(3)),
                ElementsAre("direct/bob/alice/m1", "direct/bob/alice/m2", "direct/bob/alice/m3"));
  }
  send(bob, acknowledgement_of("bob", {"alice/m2"}));
  wait_until_waiting("bob", 2);
  bob.disconnect();
  bob.clear();
  reconnect(bob);
  bob.subscribe("direct/bob/#");
  EXPECT_THAT(topics_of(bob.expect_messages(2)), ElementsAre("direct/bob/alice/m1", "direct/bob/alice/m3"));
}

TEST_P(acknowledgements, are_taken_at_any_qos_and_tell_nobody) {
  open();
  auto alice = paho(account("alice"));
  alice.subscribe("receipt/alice/#");
  alice.subscribe("direct/alice/#");
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#");
  for (int qos = 0; qos <= 2; ++qos) {
    const std::string id = "m" + std::to_string(qos);
    send(alice, direct("bob", "alice", id));
    bob.expect_messages(static_cast<std::size_t>(qos) + 1);
    wait_until_waiting("bob", 1);
    auto acknowledgement = acknowledgement_of("bob", {"alice/" + id});
    acknowledgement.qos = qos;
    send(bob, acknowledgement);
    wait_until_waiting("bob", 0);
  }
  send(bob, direct("alice", "bob", "fence"));
  EXPECT_THAT(topics_of(alice.expect_messages(1)), ElementsAre("direct/alice/bob/fence"));
}

TEST_P(acknowledgements, name_direct_and_group_messages_of_any_sender_in_one) {
  open();
  auto alice = paho(account("alice"));
  auto carol = paho(account("carol"));
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#");
  bob.subscribe("group/crew/#");
  send(alice, direct("bob", "alice", "same-id"));
  send(carol, direct("bob", "carol", "same-id"));
  send(alice, to_group("crew", "alice", "to-all"));
  send(carol, to_group("crew", "carol", "to-all"));
  send(alice, direct("bob", "alice", "left"));
  bob.expect_messages(5);
  wait_until_waiting("bob", 5);
  wait_until_waiting("carol", 1);
  // Unknown ones among them do not matter; the last line may end or not.
  auto mixed = acknowledgement_of("bob", {"alice/none", "alice/same-id", "nobody/same-id", "carol/to-all",
                                          "carol/same-id", "alice/to-all"});
  mixed.payload.pop_back();
  send(bob, mixed);
  wait_until_waiting("bob", 1);
  EXPECT_EQ(sql("select message_id from restante.waiting where account = 'bob'"), "left");
  EXPECT_EQ(waiting("carol"), 1);  // others' deliveries of the same message are theirs
  EXPECT_EQ(waiting("alice"), 1);
}

TEST_P(acknowledgements, of_unknown_ids_change_nothing) {
  open();
  auto alice = paho(account("alice"));
  send(alice, direct("bob", "alice", "m1"));
  send(alice, direct("carol", "alice", "m2"));
  wait_until_waiting("bob", 1);
  auto bob = paho(account("bob"));
  send(bob, acknowledgement_of("bob", {"alice/m2", "alice/none", "carol/m1", "ALICE/m1", "bob/m1"}));
  send(bob, acknowledgement_of("bob", {"alice/early"}));
  // Nobody acknowledges what is yet to come.
  send(alice, direct("bob", "alice", "early"));
  bob.subscribe("direct/bob/#");
  EXPECT_THAT(topics_of(bob.expect_messages(2)),
              ElementsAre("direct/bob/alice/m1", "direct/bob/alice/early"));
  wait_until_waiting("bob", 2);
  EXPECT_EQ(waiting("carol"), 1);
}

TEST_P(acknowledgements, of_what_waits_need_no_subscription) {
  open();
  auto alice = paho(account("alice"));
  send(alice, direct("bob", "alice", "m1"));
  send(alice, to_group("crew", "alice", "m2"));
  wait_until_waiting("bob", 2);
  auto bob = paho(account("bob"));
  send(bob, acknowledgement_of("bob", {"alice/m1", "alice/m2"}));
  wait_until_waiting("bob", 0);
  EXPECT_EQ(waiting("carol"), 1);
}

TEST_P(acknowledgements, that_come_before_the_message_is_stored_keep_it_from_being_stored) {
  open({.options = {{"linger", "10s"}}});
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#");
  auto alice = paho(account("alice"));
  send(alice, direct("bob", "alice", "m1"));
  send(alice, direct("bob", "alice", "m2"));
  bob.expect_messages(2);
  send(bob, acknowledgement_of("bob", {"alice/m1"}));
  EXPECT_EQ(waiting("bob"), 0);
  broker().stop();  // stores what it still has
  EXPECT_EQ(sql("select message_id from restante.waiting"), "m2");
}

TEST_P(acknowledgements, take_the_mail_of_all_devices_of_an_account) {
  open();
  auto phone = paho(device("bob", "phone"));
  phone.subscribe("direct/bob/#");
  phone.subscribe("group/crew/#");
  auto laptop = paho(device("bob", "laptop"));
  laptop.subscribe("direct/bob/#");
  laptop.subscribe("group/crew/#");
  auto alice = paho(account("alice"));
  send(alice, direct("bob", "alice", "m1"));
  auto at_qos_2 = direct("bob", "alice", "m2");
  at_qos_2.qos = 2;
  send(alice, at_qos_2);
  send(alice, to_group("crew", "alice", "m3"));
  for (auto* each : {&phone, &laptop}) {
    EXPECT_THAT(topics_of(each->expect_messages(3)),
                ElementsAre("direct/bob/alice/m1", "direct/bob/alice/m2", "group/crew/alice/m3"));
  }
  wait_until_waiting("bob", 3);
  laptop.disconnect();
  laptop.clear();
  send(phone, acknowledgement_of("bob", {"alice/m1", "alice/m3"}));
  wait_until_waiting("bob", 1);
  reconnect(laptop);
  laptop.subscribe("direct/bob/#");
  laptop.subscribe("group/crew/#");
  send(alice, direct("bob", "alice", "m4"));
  EXPECT_THAT(topics_of(laptop.expect_messages(2)),
              ElementsAre("direct/bob/alice/m2", "direct/bob/alice/m4"));
  // The other device acknowledges too, later and for nothing.
  send(laptop, acknowledgement_of("bob", {"alice/m1", "alice/m2", "alice/m4"}));
  wait_until_waiting("bob", 0);
}

TEST_P(acknowledgements, take_both_of_a_message_that_came_again_after_dedupe) {
  open({.options = {{"dedupe", "0"}}});
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#");
  auto alice = paho(account("alice"));
  send(alice, direct("bob", "alice", "m1"));
  bob.expect_messages(1);
  send(alice, direct("bob", "alice", "m1"));
  wait_until_waiting("bob", 2);
  send(bob, acknowledgement_of("bob", {"alice/m1"}));
  wait_until_waiting("bob", 0);
}

}  // namespace
}  // namespace restante
