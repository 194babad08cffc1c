// One account writes to another, by every road that MQTT has.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/post_office_fixture.h"

namespace restante {
namespace {

using namespace support;
using ::testing::ElementsAre;

class direct_messages : public post_office_fixture {};

TEST_F(direct_messages, reach_a_recipient_that_is_there_and_wait_until_acknowledged) {
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

TEST_F(direct_messages, wait_for_a_recipient_that_is_away_and_come_in_order) {
  open();
  auto alice = paho(account("alice"));
  std::vector<std::string> sent;
  for (int i = 0; i < 20; ++i) {
    const auto message = direct("bob", "alice", "m" + std::to_string(i), std::to_string(i));
    alice.publish(message);
    sent.push_back(message.topic);
  }
  wait_until_waiting("bob", 20);
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#");
  EXPECT_EQ(topics_of(bob.expect_messages(20)), sent);
}

}  // namespace
}  // namespace restante
