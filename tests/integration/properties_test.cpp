// What MQTT 5 says about a message comes with it: live, after storage, and to clients of either version.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>

#include "support/post_office_fixture.h"

namespace restante {
namespace {

using namespace support;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::Le;

constexpr const char* accepted_at = "accepted-at";

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::int64_t accepted_ms(const mqtt_message& heard) {
  const auto value = heard.properties.user_value(accepted_at);
  return value ? std::atoll(value->c_str()) : -1;
}

// As the publisher gave them: without accepted-at, which must be there once, and without expiry.
mqtt_properties as_given(const mqtt_message& heard) {
  mqtt_properties given = heard.properties;
  EXPECT_EQ(std::erase_if(given.user, [](const auto& each) { return each.first == accepted_at; }), 1U)
      << heard.topic;
  given.expiry_s.reset();
  return given;
}

mqtt_properties all_kinds() {
  return {.payload_format = 1,
          .content_type = "text/plain; charset=\xc3\xbctf",
          .response_topic = "answers/alice",
          .correlation_data = std::string("\0\x01\xff\0", 4),
          .user = {{"b", "2"}, {"a", "1"}, {"b", "3"}, {"b", "2"}, {"", "no name"}, {"no value", ""}}};
}

mqtt_message with(mqtt_message message, mqtt_properties properties, int qos = 1) {
  message.properties = std::move(properties);
  message.qos = qos;
  return message;
}

class message_properties : public post_office_fixture {
 protected:
  // One message of each QoS to one recipient, and one of each to a group.
  static std::vector<mqtt_message> letters(const mqtt_properties& properties) {
    return {with(direct("bob", "alice", "d1", "x"), properties, 1),
            with(direct("bob", "alice", "d2", "x"), properties, 2),
            with(to_group("crew", "alice", "g1", "x"), properties, 1),
            with(to_group("crew", "alice", "g2", "x"), properties, 2)};
  }
  static void expect_as_sent(const std::vector<mqtt_message>& heard, const std::vector<mqtt_message>& sent) {
    EXPECT_EQ(topics_of(heard), topics_of(sent));
    for (std::size_t i = 0; i < heard.size(); ++i) {
      EXPECT_EQ(as_given(heard[i]), sent[i].properties) << heard[i].topic;
    }
  }
  raw_mqtt bob_listening(const connect_settings& who = account("bob")) {
    auto bob = raw(who);
    bob.subscribe({"direct/bob/#", "group/crew/#"}, 2);
    return bob;
  }
};

TEST_F(message_properties, survive_storage) {
  open();
  auto alice = raw(account("alice"));
  const auto sent = letters(all_kinds());
  for (const auto& each : sent) EXPECT_LT(alice.publish(each), 0x80) << each.topic;
  wait_until_waiting("bob", 4);
  expect_as_sent(bob_listening().expect_publishes(4), sent);
}

TEST_F(message_properties, are_heard_live) {
  open();
  auto bob = bob_listening();
  auto alice = raw(account("alice"));
  const auto sent = letters(all_kinds());
  for (const auto& each : sent) EXPECT_EQ(alice.publish(each), 0) << each.topic;
  expect_as_sent(bob.expect_publishes(4), sent);
}

TEST_F(message_properties, may_be_none_but_accepted_at) {
  open();
  auto alice = raw(account("alice"));
  for (const auto& each : letters({})) alice.publish(each);
  wait_until_waiting("bob", 4);
  auto bob = bob_listening();
  for (const auto& each : bob.expect_publishes(4)) {
    EXPECT_EQ(as_given(each), mqtt_properties{}) << each.topic;
    EXPECT_EQ(each.properties.expiry_s, std::nullopt) << each.topic;
  }
}

TEST_F(message_properties, may_be_as_long_as_mqtt_allows) {
  open();
  const std::string longest(65'535, 'x');
  const mqtt_properties large{.content_type = longest,
                              .response_topic = std::string(60'000, 'r'),
                              .correlation_data = std::string(65'535, '\0'),
                              .user = {{longest, longest}, {"many", "1"}, {longest, longest}}};
  mqtt_properties expiring = large;
  expiring.expiry_s = 3'600;
  auto alice = raw(account("alice"));
  for (const auto& each : letters(expiring)) EXPECT_LT(alice.publish(each), 0x80) << each.topic;
  wait_until_waiting("bob", 4);
  const auto heard = bob_listening().expect_publishes(4);
  expect_as_sent(heard, letters(large));
  for (const auto& each : heard) EXPECT_TRUE(each.properties.expiry_s) << each.topic;
}

TEST_F(message_properties, lose_a_payload_format_that_is_none_and_nothing_else) {
  open();
  auto alice = raw(account("alice"));
  mqtt_properties wrong = all_kinds();
  wrong.payload_format = 7;
  alice.send_publish(with(direct("bob", "alice", "m1"), wrong));
  const auto answer = alice.next();
  if (!answer || answer->type != packet_type::puback) {
    EXPECT_TRUE(alice.closed_by_broker()) << "Mosquitto 2.1 takes no such thing";
    return;
  }
  wait_until_waiting("bob", 1);
  auto bob = bob_listening();
  wrong.payload_format.reset();
  EXPECT_EQ(as_given(bob.expect_publish()), wrong);
}

TEST_F(message_properties, say_when_a_message_was_accepted_live_and_waiting_alike) {
  open();
  auto phone = bob_listening();
  auto alice = raw(account("alice"));
  const auto before = now_ms();
  for (const auto& each : letters({})) alice.publish(each);
  const auto after = now_ms();
  const auto live = phone.expect_publishes(4);
  wait_until_waiting("bob", 4);
  connect_settings second = account("bob");
  second.client_id = "bob-tablet";
  const auto waiting = bob_listening(second).expect_publishes(4);
  auto carol = raw(account("carol"));
  carol.subscribe({"group/crew/#"});
  const auto of_carol = carol.expect_publishes(2);

  std::int64_t last = before;
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_THAT(accepted_ms(live[i]), AllOf(Ge(last), Le(after))) << live[i].topic;
    last = accepted_ms(live[i]);
    EXPECT_EQ(accepted_ms(waiting[i]), last) << waiting[i].topic;
  }
  EXPECT_EQ(accepted_ms(of_carol[0]), accepted_ms(live[2]));
  EXPECT_EQ(accepted_ms(of_carol[1]), accepted_ms(live[3]));
}

TEST_F(message_properties, say_when_a_receipt_was_accepted_live_and_waiting_alike) {
  open();
  auto alice = raw(account("alice"));
  alice.subscribe({"receipt/alice/#"});
  auto bob = bob_listening();
  const auto before = now_ms();
  for (const char* id : {"m1", "m2"}) {
    alice.publish(direct("bob", "alice", id));
    bob.acknowledge(bob.expect_publish());
  }
  mqtt_message read = receipt("alice", "bob", "m1", "read");
  read.properties.user = {{"where", "here"}};
  EXPECT_EQ(bob.publish(read), 0);
  const auto live = alice.expect_publish();
  EXPECT_EQ(as_given(live), read.properties);
  EXPECT_THAT(accepted_ms(live), AllOf(Ge(before), Le(now_ms())));

  alice.disconnect();
  read.topic = "receipt/alice/bob/m2";
  bob.publish(read);
  wait_until_waiting("alice", 1);
  auto back = raw(account("alice"));
  back.subscribe({"receipt/alice/#"});
  const auto waited = back.expect_publish();
  EXPECT_EQ(as_given(waited), read.properties);
  EXPECT_THAT(accepted_ms(waited), AllOf(Ge(accepted_ms(live)), Le(now_ms())));
}

TEST_F(message_properties, count_the_expiry_down_until_hand_over) {
  open();
  auto alice = raw(account("alice"));
  for (const auto& each : letters({.expiry_s = 3'600})) alice.publish(each);
  wait_until_waiting("bob", 4);
  // As if they had waited for the half of an hour.
  sql("update restante.delivery set expires_at = expires_at - 1800 * 1000000::bigint");
  sql("update restante.message set expires_at = expires_at - 1800 * 1000000::bigint");
  auto bob = bob_listening();
  for (const auto& each : bob.expect_publishes(4)) {
    ASSERT_TRUE(each.properties.expiry_s) << each.topic;
    EXPECT_THAT(*each.properties.expiry_s, AllOf(Ge(1'700U), Le(1'800U))) << each.topic;
  }
}

TEST_F(message_properties, have_the_whole_expiry_when_heard_live) {
  open();
  auto bob = bob_listening();
  auto alice = raw(account("alice"));
  for (const auto& each : letters({.expiry_s = 3'600})) alice.publish(each);
  for (const auto& each : bob.expect_publishes(4)) {
    ASSERT_TRUE(each.properties.expiry_s) << each.topic;
    EXPECT_THAT(*each.properties.expiry_s, AllOf(Ge(3'500U), Le(3'600U))) << each.topic;
  }
}

TEST_F(message_properties, say_how_long_a_message_may_still_wait_where_retention_is_short) {
  open({.options = {{"retention", "1h"}}});
  auto alice = raw(account("alice"));
  for (const auto& each : letters({})) alice.publish(each);
  wait_until_waiting("bob", 4);
  // As if they had waited for half of it.
  sql("update restante.delivery set expires_at = expires_at - 1800 * 1000000::bigint");
  sql("update restante.message set expires_at = expires_at - 1800 * 1000000::bigint");
  auto bob = bob_listening();
  for (const auto& each : bob.expect_publishes(4)) {
    ASSERT_TRUE(each.properties.expiry_s) << each.topic;
    EXPECT_THAT(*each.properties.expiry_s, AllOf(Ge(1'700U), Le(1'800U))) << each.topic;
  }
}

TEST_F(message_properties, do_not_trouble_recipients_of_mqtt_3) {
  open();
  auto old = paho(account("bob", mqtt_version::v3));
  old.subscribe("direct/bob/#", 2);
  auto alice = raw(account("alice"));
  mqtt_properties expiring = all_kinds();
  expiring.expiry_s = 3'600;
  alice.publish(with(direct("bob", "alice", "live", "1"), expiring));
  alice.publish(with(direct("bob", "alice", "mailbox", "2"), expiring, 2));
  EXPECT_THAT(payloads_of(old.expect_messages(2)), ElementsAre("1", "2"));
  wait_until_waiting("bob", 2);
  auto again = paho({.client_id = "again", .user = "bob", .password = "bob", .version = mqtt_version::v3});
  again.subscribe("direct/bob/#");
  EXPECT_THAT(payloads_of(again.expect_messages(2)), ElementsAre("1", "2"));
}

TEST_F(message_properties, of_publishers_of_mqtt_3_are_accepted_at_alone) {
  open();
  auto bob = bob_listening();
  auto alice = raw(account("alice", mqtt_version::v3));
  const auto before = now_ms();
  for (const auto& each : letters({})) alice.publish(each);
  for (const auto& each : bob.expect_publishes(4)) {
    EXPECT_EQ(as_given(each), mqtt_properties{}) << each.topic;
    EXPECT_THAT(accepted_ms(each), AllOf(Ge(before), Le(now_ms()))) << each.topic;
  }
}

TEST_F(message_properties, never_say_accepted_at_in_a_publishers_name) {
  open();
  auto bob = bob_listening();
  auto alice = raw(account("alice"));
  const mqtt_properties lying{.user = {{"a", "1"}, {accepted_at, "1"}}};
  for (const int qos : {0, 1, 2}) {
    const auto lie = with(direct("bob", "alice", "lie" + std::to_string(qos)), lying, qos);
    EXPECT_EQ(alice.publish(lie), qos == 0 ? 0 : 0x87);
  }
  EXPECT_EQ(bob.publish(with(receipt("alice", "bob", "m1", "read"), lying)), 0x87);
  broker().wait_for_log("it sets accepted-at itself");
  EXPECT_EQ(alice.publish(direct("bob", "alice", "true")), 0);
  EXPECT_EQ(bob.expect_publish().topic, "direct/bob/alice/true");
  EXPECT_EQ(waiting("alice"), 0);
}

}  // namespace
}  // namespace restante
