// A publisher that did not hear its answer says it again: with the DUP flag, after a new connection, or by
// mistake on another topic.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "each_version.h"
#include "support/post_office_fixture.h"

namespace restante {
namespace {

using namespace support;
using ::testing::ElementsAre;

constexpr int accepted = 0;

class repeated_publishes : public each_version {
 protected:
  // Bob hears all, with an open window.
  raw_mqtt listening_bob() {
    auto bob = raw(account("bob"));
    bob.subscribe({"direct/bob/#", "group/crew/#"}, 2);
    return bob;
  }
  static mqtt_message letter(const std::string& id, int qos) {
    auto message = direct("bob", "alice", id, "once");
    message.qos = qos;
    return message;
  }
  // Nothing but these came before something that is sent now.
  void expect_only(raw_mqtt& bob, std::vector<std::string> topics) {
    auto carol = raw(account("carol"));
    carol.publish(direct("bob", "carol", "fence" + std::to_string(++fences_)));
    topics.push_back("direct/bob/carol/fence" + std::to_string(fences_));
    EXPECT_EQ(topics_of(bob.expect_publishes(topics.size())), topics);
  }

 private:
  int fences_ = 0;
};
INSTANTIATE_TEST_SUITE_P(mqtt, repeated_publishes, both_versions, name_of_version);

TEST_P(repeated_publishes, at_qos_1_are_answered_with_success_and_handed_over_once) {
  open();
  auto bob = listening_bob();
  auto alice = raw(account("alice"));
  auto message = letter("m1", 1);
  const auto packet_id = alice.send_publish(message);
  EXPECT_EQ(parse_acknowledgement(alice.expect(packet_type::puback)).reason, accepted);
  message.duplicate = true;
  for (int i = 0; i < 3; ++i) {
    alice.send_publish(message, packet_id);
    const auto again = parse_acknowledgement(alice.expect(packet_type::puback));
    EXPECT_EQ(again.packet_id, packet_id);
    EXPECT_EQ(again.reason, accepted);
  }
  message.duplicate = false;  // with a new packet id, and without saying so
  EXPECT_LT(alice.publish(message), 0x80);
  expect_only(bob, {message.topic});
  wait_until_waiting("bob", 2);
}

TEST_P(repeated_publishes, at_qos_2_before_pubrel_are_handed_over_once) {
  open();
  auto bob = listening_bob();
  auto alice = raw(account("alice"));
  auto message = letter("m1", 2);
  const auto packet_id = alice.send_publish(message);
  EXPECT_EQ(parse_acknowledgement(alice.expect(packet_type::pubrec)).reason, accepted);
  message.duplicate = true;
  alice.send_publish(message, packet_id);  // once: Mosquitto closes the connection at a second
  EXPECT_EQ(parse_acknowledgement(alice.expect(packet_type::pubrec)).reason, accepted);
  alice.send(acknowledgement_packet(packet_type::pubrel, GetParam(), packet_id));
  EXPECT_EQ(parse_acknowledgement(alice.expect(packet_type::pubcomp)).reason, accepted);
  expect_only(bob, {message.topic});
  wait_until_waiting("bob", 2);
}

TEST_P(repeated_publishes, at_qos_2_after_the_whole_exchange_are_handed_over_once) {
  open();
  auto bob = listening_bob();
  auto alice = raw(account("alice"));
  auto message = letter("m1", 2);
  EXPECT_EQ(alice.publish(message), accepted);
  EXPECT_EQ(alice.publish(message), accepted);
  message.qos = 1;  // the id decides, not how it was sent
  EXPECT_LT(alice.publish(message), 0x80);
  expect_only(bob, {message.topic});
  wait_until_waiting("bob", 2);
}

TEST_P(repeated_publishes, after_a_new_connection_are_handed_over_once) {
  open();
  auto bob = listening_bob();
  for (const bool is_lasting : {false, true}) {
    const std::string id = is_lasting ? "lasting" : "clean";
    auto settings = is_lasting ? lasting("alice") : account("alice");
    std::uint16_t packet_of_1 = 0, packet_of_2 = 0;
    {
      auto alice = raw(settings);
      packet_of_1 = alice.send_publish(letter(id + "1", 1));
      packet_of_2 = alice.send_publish(letter(id + "2", 2));
      alice.expect(packet_type::puback);
      alice.expect(packet_type::pubrec);
    }  // hangs up before PUBREL
    auto alice = raw(settings);
    for (int qos = 1; qos <= 2; ++qos) {
      auto message = letter(id + std::to_string(qos), qos);
      message.duplicate = true;
      alice.send_publish(message, qos == 1 ? packet_of_1 : packet_of_2);
    }
    EXPECT_LT(parse_acknowledgement(alice.expect(packet_type::puback)).reason, 0x80);
    EXPECT_EQ(parse_acknowledgement(alice.expect(packet_type::pubrec)).reason, accepted);
    alice.send(acknowledgement_packet(packet_type::pubrel, GetParam(), packet_of_2));
    alice.expect(packet_type::pubcomp);
    expect_only(bob, {"direct/bob/alice/" + id + "1", "direct/bob/alice/" + id + "2"});
  }
  wait_until_waiting("bob", 6);
}

TEST_P(repeated_publishes, are_not_handed_over_again_when_they_were_acknowledged) {
  open();
  auto bob = listening_bob();
  auto alice = raw(account("alice"));
  EXPECT_EQ(alice.publish(letter("m1", 1)), accepted);
  bob.expect_publish();
  bob.publish(acknowledgement_of("bob", {"alice/m1"}));
  wait_until_waiting("bob", 0);
  EXPECT_LT(alice.publish(letter("m1", 1)), 0x80);
  expect_only(bob, {});
  wait_until_waiting("bob", 1);
}

TEST_P(repeated_publishes, of_one_id_on_another_topic_are_refused) {
  open();
  auto bob = listening_bob();
  auto alice = raw(account("alice"));
  EXPECT_EQ(alice.publish(letter("m1", 1)), accepted);
  for (auto message : {direct("carol", "alice", "m1"), to_group("crew", "alice", "m1")}) {
    for (int qos = 1; qos <= 2; ++qos) {
      message.qos = qos;
      EXPECT_EQ(alice.publish(message), refused_publish()) << message.topic << " " << qos;
    }
  }
  expect_only(bob, {"direct/bob/alice/m1"});
  wait_until_waiting("bob", 2);
  EXPECT_EQ(waiting("carol"), 0);
}

TEST_P(repeated_publishes, of_one_id_by_two_senders_are_two_messages) {
  open();
  auto bob = listening_bob();
  auto alice = raw(account("alice"));
  EXPECT_EQ(alice.publish(letter("m1", 1)), accepted);
  auto dave = raw(account("dave"));
  EXPECT_EQ(dave.publish(direct("bob", "dave", "m1")), accepted);
  expect_only(bob, {"direct/bob/alice/m1", "direct/bob/dave/m1"});
  wait_until_waiting("bob", 3);
}

TEST_P(repeated_publishes, are_new_messages_once_dedupe_is_over) {
  open({.options = {{"dedupe", "0"}}});
  auto bob = listening_bob();
  auto alice = raw(account("alice"));
  EXPECT_EQ(alice.publish(letter("m1", 1)), accepted);
  bob.expect_publishes(1);
  // Else the two are one to him, should he still be given pages.
  EXPECT_TRUE(is_success(bob.publish(acknowledgement_of("bob", {"alice/m1"}))));
  EXPECT_EQ(alice.publish(letter("m1", 1)), accepted);
  expect_only(bob, {"direct/bob/alice/m1"});
}

}  // namespace
}  // namespace restante
