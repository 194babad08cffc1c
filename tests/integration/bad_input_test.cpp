// Bad topics, payloads and acknowledgements: a reason or a line in the log, and nothing else affected.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bad_input_fixture.h"

namespace restante {
namespace {

using namespace support;
using ::testing::ElementsAre;

const std::string longest(64, 'x'), longer(65, 'x');

class bad_messages : public bad_input {};

TEST_F(bad_messages, on_topics_of_no_shape_are_refused_and_not_kept) {
  open_with_witnesses();
  auto modern = raw(account("alice"));
  connect_settings second = account("alice", mqtt_version::v3);
  second.client_id = "alice-old";
  auto old = raw(second);
  for (const std::string& topic : {std::string("direct"),
                                   std::string("direct/"),
                                   std::string("direct/bob/alice"),
                                   std::string("direct/bob/alice/m/more"),
                                   std::string("direct//alice/m"),
                                   std::string("direct/bob//m"),
                                   std::string("direct/bob/alice/"),
                                   std::string("/direct/bob/alice/m"),
                                   std::string("group/crew/alice"),
                                   std::string("group//alice/m"),
                                   std::string("ack"),
                                   std::string("ack/"),
                                   std::string("ack/alice/m"),
                                   std::string("receipt/bob/alice"),
                                   std::string("receipt//alice/m"),
                                   "direct/bob/alice/" + longer,
                                   "direct/" + longer + "/alice/m",
                                   "direct/bob/" + longer + "/m",
                                   "group/" + longer + "/alice/m",
                                   std::string("direct/bob/alice/m 1"),
                                   std::string("direct/bob/alice/m@1"),
                                   std::string("direct/bob/alice/m\xc3\xa9"),
                                   std::string("direct/b\xc3\xb6\x62/alice/m"),
                                   std::string("direct/bob/carol/m"),
                                   std::string("direct/bob/Alice/m"),
                                   std::string("group/crew/bob/m"),
                                   std::string("group/elsewhere/alice/m"),
                                   std::string("ack/bob"),
                                   std::string("receipt/bob/carol/m")}) {
    for (const int qos : {0, 1, 2}) {
      const mqtt_message bad{.topic = topic, .payload = "delivered", .qos = qos};
      EXPECT_EQ(modern.publish(bad), qos == 0 ? 0 : 0x87) << topic << " at QoS " << qos;
      EXPECT_EQ(old.publish(bad), 0) << topic << " at QoS " << qos;
    }
  }
  broker().wait_for_log("refused");
  expect_nothing_kept_from("alice");
  EXPECT_LT(modern.publish(direct(longest, "alice", longest)), 0x80) << "as long as it may be";
}

TEST_F(bad_messages, on_topics_that_mqtt_does_not_allow_close_the_connection_of_their_sender_alone) {
  open_with_witnesses();
  for (const std::string& topic :
       {std::string("direct/bob/alice/\xff\xfe"), std::string("direct/\xc0\xaf/alice/m"),
        std::string("direct/bob/alice/m\0hidden", 24), std::string("direct/bob/alice/\xed\xa0\x80"),
        std::string("direct/bob/alice/#"), std::string("direct/+/alice/m"), std::string("group/+/alice/m"),
        std::string("direct/bob/alice/m\x01"), std::string()}) {
    for (const auto version : {mqtt_version::v3, mqtt_version::v5}) {
      auto alice = raw(account("alice", version));
      alice.send_publish({.topic = topic, .payload = "x"});
      EXPECT_TRUE(alice.closed_by_broker()) << topic;
      expect_others_unaffected();
    }
  }
  expect_nothing_kept_from("alice");
}

TEST_F(bad_messages, of_one_id_on_two_topics_are_refused_the_second_time) {
  open_with_witnesses();
  auto alice = raw(account("alice"));
  EXPECT_LT(alice.publish(direct("bob", "alice", "m1")), 0x80);
  EXPECT_EQ(alice.publish(direct("dave", "alice", "m1")), 0x87);
  EXPECT_EQ(alice.publish(to_group("crew", "alice", "m1")), 0x87);
  broker().wait_for_log("the id m1 was used on another topic");
  EXPECT_LT(alice.publish(direct("bob", "alice", "m1")), 0x80) << "a repeat is a success";
  auto bob = raw(account("bob"));
  EXPECT_LT(bob.publish(direct("dave", "bob", "m1")), 0x80) << "another sender's m1";
  wait_until_waiting("dave", 1);
  wait_until_waiting("bob", 1);
  expect_others_unaffected();
}

TEST_F(bad_messages, larger_than_max_payload_are_refused_and_not_kept) {
  open_with_witnesses({.options = {{"max_payload", "1KB"}}});
  auto alice = raw(account("alice"));
  auto old =
      raw({.client_id = "alice-old", .user = "alice", .password = "alice", .version = mqtt_version::v3});
  for (const int qos : {0, 1, 2}) {
    mqtt_message large = direct("bob", "alice", "large", std::string(1'025, 'x'));
    large.qos = qos;
    EXPECT_EQ(alice.publish(large), qos == 0 ? 0 : 0x87);
    EXPECT_EQ(old.publish(large), 0);
  }
  EXPECT_EQ(alice.publish(to_group("crew", "alice", "large", std::string(1 << 20, 'x'))), 0x87);
  broker().wait_for_log("the payload is larger than max_payload");
  expect_nothing_kept_from("alice");
  EXPECT_LT(alice.publish(direct("bob", "alice", "fits", std::string(1'024, 'x'))), 0x80);
  wait_until_waiting("bob", 1);
}

TEST_F(bad_messages, do_not_include_empty_ones_which_stay_empty) {
  open_with_witnesses();
  auto alice = raw(account("alice"));
  for (const int qos : {1, 2}) {
    auto to_bob = direct("bob", "alice", "d" + std::to_string(qos));
    auto to_crew = to_group("crew", "alice", "g" + std::to_string(qos));
    to_bob.qos = to_crew.qos = qos;
    EXPECT_LT(alice.publish(to_bob), 0x80);
    EXPECT_LT(alice.publish(to_crew), 0x80);
  }
  wait_until_waiting("bob", 4);
  auto bob = raw(account("bob"));
  bob.subscribe({"direct/bob/#", "group/crew/#"});
  const auto waited = bob.expect_publishes(4);
  EXPECT_THAT(topics_of(waited), ElementsAre("direct/bob/alice/d1", "group/crew/alice/g1",
                                             "direct/bob/alice/d2", "group/crew/alice/g2"));
  EXPECT_THAT(payloads_of(waited), ElementsAre("", "", "", ""));
  alice.publish(direct("bob", "alice", "live"));
  EXPECT_EQ(bob.expect_publish().payload, "");
  bob.publish(acknowledgement_of("bob", {"alice/d1", "alice/g1", "alice/d2", "alice/g2", "alice/live"}));
  wait_until_waiting("bob", 0);
}

TEST_F(bad_messages, of_any_bytes_are_none_of_our_business) {
  open_with_witnesses();
  std::string every_byte;
  for (int i = 0; i < 256; ++i) every_byte += static_cast<char>(i);
  auto alice = raw(account("alice"));
  alice.publish(direct("bob", "alice", "m1", every_byte));
  wait_until_waiting("bob", 1);
  auto bob = raw(account("bob"));
  bob.subscribe({"direct/bob/#"});
  EXPECT_EQ(bob.expect_publish().payload, every_byte);
  alice.publish(direct("bob", "alice", "m2", every_byte));
  EXPECT_EQ(bob.expect_publish().payload, every_byte);
}

class bad_acknowledgements : public bad_input {
 protected:
  // bob has a message of alice, and alice listens for receipts.
  void SetUp() override {
    open_with_witnesses();
    alice_.emplace(raw(account("alice")));
    alice_->subscribe({"receipt/alice/#"});
    bob_.emplace(raw(account("bob")));
    bob_->subscribe({"direct/bob/#"});
    alice_->publish(direct("bob", "alice", "m1"));
    bob_->acknowledge(bob_->expect_publish());
    wait_until_waiting("bob", 1);
  }
  int acknowledge(const std::string& payload) {
    return bob_->publish({.topic = "ack/bob", .payload = payload});
  }
  // What might have reached alice would have come before this.
  void expect_alice_to_hear_nothing_before(const std::string& state) {
    EXPECT_EQ(bob_->publish(receipt("alice", "bob", "m1", state)), 0);
    const auto heard = alice_->expect_publish();
    EXPECT_EQ(heard.topic, "receipt/alice/bob/m1");
    EXPECT_EQ(heard.payload, state);
  }

  std::optional<raw_mqtt> alice_, bob_;
};

TEST_F(bad_acknowledgements, of_no_or_wrong_lines_are_refused_as_a_whole) {
  std::string too_many;
  for (int i = 0; i < 501; ++i) too_many += "alice/m" + std::to_string(i) + '\n';
  std::string garbage;
  for (int i = 255; i >= 0; --i) garbage += static_cast<char>(i);
  for (const std::string& payload :
       {std::string(), std::string("\n"), std::string("m1"), std::string("alice/m1\n\n"),
        std::string("alice/m1\r\n"), std::string("alice/m1\nalice/"), "alice/m1\nalice/" + longer,
        "alice/m1\n" + garbage, garbage, std::string("alice/m1\0", 9), std::string(200'000, '/'),
        std::string(200'000, '\n'), too_many}) {
    EXPECT_EQ(acknowledge(payload), 0x87) << payload.substr(0, 40);
  }
  broker().wait_for_log("publish of bob to ack/bob refused: ");
  broker().wait_for_log("more than 500 lines to acknowledge");
  expect_others_unaffected();
  EXPECT_EQ(waiting("bob"), 1) << "m1 was among the lines, but never alone";
  EXPECT_LT(acknowledge("alice/m1"), 0x80);
  wait_until_waiting("bob", 0);
}

TEST_F(bad_acknowledgements, of_unknown_messages_are_taken_and_logged) {
  EXPECT_LT(acknowledge("alice/never\nnobody/m1\ncarol/m1\n"), 0x80);
  broker().wait_for_log("bob acknowledged alice/never, which does not wait for it");
  broker().wait_for_log("bob acknowledged nobody/m1, which does not wait for it");
  EXPECT_EQ(waiting("bob"), 1);
  expect_others_unaffected();
}

TEST_F(bad_acknowledgements, of_500_lines_are_fine) {
  std::string lines = "alice/m1\n";
  for (int i = 1; i < 500; ++i) lines += "alice/unknown" + std::to_string(i) + '\n';
  EXPECT_LT(acknowledge(lines), 0x80);
  wait_until_waiting("bob", 0);
  expect_others_unaffected();
}

TEST_F(bad_acknowledgements, by_somebody_else_take_nothing_away) {
  auto mallory = raw({.client_id = "mallory", .user = "dave", .password = "dave"});
  EXPECT_EQ(mallory.publish({.topic = "ack/bob", .payload = "alice/m1"}), 0x87);
  EXPECT_EQ(mallory.publish(receipt("alice", "bob", "m1", "delivered")), 0x87);
  EXPECT_LT(mallory.publish(acknowledgement_of("dave", {"alice/m1"})), 0x80);
  EXPECT_LT(mallory.publish(receipt("alice", "dave", "m1", "delivered")), 0x80);
  broker().wait_for_log("dave acknowledged alice/m1, which does not wait for it");
  broker().wait_for_log("receipt receipt/alice/dave/m1 refused: no such message waits for dave");
  EXPECT_EQ(waiting("bob"), 1);
  expect_alice_to_hear_nothing_before("delivered");
}

TEST_F(bad_acknowledgements, by_receipts_of_other_states_are_refused) {
  for (const std::string& state :
       {std::string(), std::string("expired"), std::string("READ"), std::string("read\n"),
        std::string("delivered\0", 10), std::string(100'000, 'r')}) {
    EXPECT_EQ(bob_->publish(receipt("alice", "bob", "m1", state)), 0x87) << state.substr(0, 40);
  }
  broker().wait_for_log("the payload of a receipt is `delivered` or `read`");
  EXPECT_EQ(waiting("bob"), 1);
  expect_alice_to_hear_nothing_before("read");
}

TEST_F(bad_acknowledgements, by_receipts_of_unknown_messages_tell_nobody) {
  EXPECT_LT(bob_->publish(receipt("alice", "bob", "never", "delivered")), 0x80);
  broker().wait_for_log("receipt receipt/alice/bob/never refused: no such message waits for bob");
  EXPECT_LT(bob_->publish(receipt("nobody", "bob", "never", "delivered")), 0x80);
  expect_alice_to_hear_nothing_before("delivered");
  expect_others_unaffected();
}

}  // namespace
}  // namespace restante
