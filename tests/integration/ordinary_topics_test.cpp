// Topics that are not Restante's: as in a broker without it, under the operator's rules.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "each_version.h"
#include "support/post_office_fixture.h"

namespace restante {
namespace {

using namespace support;
using ::testing::Each;
using ::testing::ElementsAre;

class ordinary_topics : public each_version {
 protected:
  // Words of `restante acl`.
  void rule(const std::vector<std::string>& words) const {
    std::vector<std::string> arguments{"acl"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    const finished ended = run_restante(arguments);
    if (ended.exit_code != 0) throw failure(ended.output);
  }
  void open_to_everyone(const std::string& filter) const {
    rule({"allow", "--everyone", "publish", filter});
    rule({"allow", "--everyone", "subscribe", filter});
  }
};
INSTANTIATE_TEST_SUITE_P(mqtt, ordinary_topics, both_versions, name_of_version);

TEST_P(ordinary_topics, are_closed_without_a_rule) {
  open();
  auto alice = raw(account("alice"));
  for (int qos = 0; qos <= 2; ++qos) {
    EXPECT_EQ(alice.publish({.topic = "weather", .qos = qos}), qos == 0 ? 0 : refused_publish());
  }
  EXPECT_THAT(alice.subscribe({"weather", "weather/#", "#", "+", "$SYS/broker/version"}),
              Each(refused_filter()));
  EXPECT_EQ(alice.unsubscribe({"weather"}).size(), v5() ? 1u : 0u);
}

TEST_P(ordinary_topics, are_opened_by_rules_for_everyone_one_account_or_a_group) {
  rule({"allow", "--everyone", "subscribe", "weather/#"});
  rule({"allow", "--user", "dave", "publish", "weather/+"});
  rule({"allow", "--group", "crew", "publish", "weather/at-sea"});
  open();
  auto alice = paho(account("alice"));
  EXPECT_EQ(alice.subscribe("weather/#"), 1);
  EXPECT_EQ(alice.publish({.topic = "weather/at-home"}), refused_publish());
  EXPECT_EQ(alice.publish({.topic = "weather/at-sea", .payload = "of alice"}), 0);
  auto dave = paho(account("dave"));
  EXPECT_EQ(dave.publish({.topic = "weather/at-home/today"}), refused_publish());
  EXPECT_EQ(dave.publish({.topic = "weather/at-home", .payload = "of dave"}), 0);
  EXPECT_THAT(payloads_of(alice.expect_messages(2)), ElementsAre("of alice", "of dave"));
}

TEST_P(ordinary_topics, have_places_for_account_client_and_group) {
  for (const std::string filter : {"account/%u/#", "client/%c/#", "group-of/%g/#", "both/%u/%c"}) {
    open_to_everyone(filter);
  }
  open();
  auto phone = raw(device("alice", "phone"));
  EXPECT_THAT(phone.subscribe({"account/alice/#", "client/phone/#", "group-of/crew/#", "both/alice/phone"}),
              Each(1));
  EXPECT_THAT(phone.subscribe({"account/bob/#", "account/#", "account/+/x", "client/alice/#", "client/+/#",
                               "group-of/other/#", "both/alice/alice", "both/phone/alice"}),
              Each(refused_filter()));
  for (const std::string topic :
       {"account/alice/x", "client/phone/x", "group-of/crew/x", "both/alice/phone"}) {
    EXPECT_EQ(phone.publish({.topic = topic}), 0) << topic;
    EXPECT_EQ(phone.expect_publish().topic, topic);
  }
  for (const std::string topic : {"account/bob/x", "client/laptop/x", "both/alice/laptop"}) {
    EXPECT_EQ(phone.publish({.topic = topic}), refused_publish()) << topic;
  }
  // Who is in no group has no place there.
  auto dave = raw(account("dave"));
  EXPECT_THAT(dave.subscribe({"account/dave/#", "group-of/crew/#", "group-of/+/#"}),
              ElementsAre(1, refused_filter(), refused_filter()));
}

TEST_P(ordinary_topics, take_no_client_id_that_reaches_further) {
  open_to_everyone("client/%c/#");
  open();
  for (const std::string client_id : {"+", "#", "a/b", "$share"}) {
    auto alice = raw(device("alice", client_id));
    EXPECT_THAT(alice.subscribe({"client/phone/#", "client/+/#", "client/a/b/#", "client/$share/#"}),
                Each(refused_filter()))
        << client_id;
    EXPECT_EQ(alice.publish({.topic = "client/a/b"}), refused_publish()) << client_id;
  }
}

TEST_P(ordinary_topics, are_denied_when_any_rule_denies) {
  open_to_everyone("weather/#");
  rule({"deny", "--user", "alice", "publish", "weather/secret/#"});
  rule({"deny", "--group", "crew", "subscribe", "weather/secret/#"});
  open();
  auto alice = paho(account("alice"));
  EXPECT_EQ(alice.subscribe("weather/secret/#"), refused_filter());
  EXPECT_EQ(alice.subscribe("weather/#"), 1);  // whose part is denied message by message
  EXPECT_EQ(alice.publish({.topic = "weather/secret/1"}), refused_publish());
  auto dave = paho(account("dave"));
  EXPECT_EQ(dave.subscribe("weather/secret/#"), 1);
  send(dave, {.topic = "weather/secret/2"});
  send(dave, {.topic = "weather/open"});
  EXPECT_THAT(topics_of(dave.expect_messages(1)), ElementsAre("weather/secret/2"));
  EXPECT_THAT(topics_of(alice.expect_messages(1)), ElementsAre("weather/open"));
}

TEST_P(ordinary_topics, retain_messages) {
  open_to_everyone("weather/#");
  rule({"deny", "--user", "bob", "subscribe", "weather/secret"});
  open();
  auto alice = paho(account("alice"));
  for (int qos = 0; qos <= 2; ++qos) {
    send(alice, {.topic = "weather/" + std::to_string(qos), .payload = "rain", .qos = qos, .retain = true});
  }
  send(alice, {.topic = "weather/secret", .payload = "storm", .retain = true});
  send(alice, {.topic = "weather/1", .payload = "", .retain = true});  // takes it back
  auto bob = paho(account("bob"));
  bob.subscribe("weather/#", 2);
  const auto kept = bob.expect_messages(2);
  EXPECT_THAT(topics_of(kept), ::testing::UnorderedElementsAre("weather/0", "weather/2"));
  for (const mqtt_message& each : kept) {
    EXPECT_TRUE(each.retain);
    EXPECT_EQ(each.payload, "rain");
  }
  send(alice, {.topic = "weather/now"});
  const auto all = bob.expect_messages(3);
  EXPECT_EQ(all.size(), 3u);
  EXPECT_EQ(all[2].topic, "weather/now");
  EXPECT_FALSE(all[2].retain);
}

TEST_P(ordinary_topics, wait_in_the_broker_for_a_persistent_session) {
  open_to_everyone("weather/#");
  open();
  auto bob = paho(lasting("bob"));
  bob.subscribe("weather/#", 2);
  bob.subscribe("direct/bob/#", 1);
  bob.disconnect();
  auto alice = paho(account("alice"));
  send(alice, {.topic = "weather/0", .qos = 0});
  send(alice, {.topic = "weather/1", .qos = 1});
  send(alice, {.topic = "weather/2", .qos = 2});
  EXPECT_EQ(sql("select count(*) from restante.delivery"), "0");
  reconnect(bob);
  EXPECT_TRUE(bob.session_present());
  EXPECT_THAT(topics_of(bob.expect_messages(2)), ElementsAre("weather/1", "weather/2"));
  send(alice, {.topic = "weather/now", .qos = 0});
  EXPECT_THAT(topics_of(bob.expect_messages(3)), ElementsAre("weather/1", "weather/2", "weather/now"));
}

TEST_P(ordinary_topics, that_waited_are_not_heard_when_a_rule_has_gone_meanwhile) {
  open_to_everyone("weather/#");
  open_to_everyone("notice");
  open();
  auto bob = paho(lasting("bob"));
  bob.subscribe("weather/#");
  bob.subscribe("notice");
  bob.disconnect();
  bob.clear();
  auto alice = paho(account("alice"));
  send(alice, {.topic = "weather/1"});
  send(alice, {.topic = "notice", .payload = "1"});
  rule({"remove", "--everyone", "subscribe", "weather/#"});
  send(alice, {.topic = "notice", .payload = "2"});
  // Once more, if the broker closes the connection of a session that held what it may not hear.
  require_eventually("the last notice", [&] {
    if (!bob.connected()) bob.try_connect();
    const auto heard = payloads_of(bob.messages());
    return !heard.empty() && heard.back() == "2";
  });
  EXPECT_THAT(topics_of(bob.messages()), Each("notice"));
}

TEST_P(ordinary_topics, take_wills_that_the_rules_allow) {
  open_to_everyone("status/%u");
  rule({"allow", "--everyone", "subscribe", "status/+"});
  open();
  auto bob = paho(account("bob"));
  EXPECT_EQ(bob.subscribe("status/+"), 1);
  const auto end_with_will = [&](connect_settings who, const mqtt_message& will) {
    who.will = will;
    raw(who).drop();
  };
  end_with_will(account("alice"), {.topic = "status/bob", .payload = "forged"});
  end_with_will(account("alice"), {.topic = "status/alice", .payload = "gone"});
  end_with_will(lasting("carol"), {.topic = "status/carol", .payload = "gone", .retain = true});
  EXPECT_THAT(topics_of(bob.expect_messages(2)), ElementsAre("status/alice", "status/carol"));
  // Also when another connection takes over, and not when it ends as it should.
  auto settings = account("dave");
  settings.will = mqtt_message{.topic = "status/dave", .payload = "taken over"};
  auto dave = raw(settings);
  auto again = raw(settings);
  again.disconnect();
  auto alice = paho(account("alice"));
  send(alice, {.topic = "status/alice", .payload = "back"});
  EXPECT_THAT(payloads_of(bob.expect_messages(4)), ElementsAre("gone", "gone", "taken over", "back"));
  auto later = paho(device("bob", "later"));
  later.subscribe("status/+");
  EXPECT_THAT(topics_of(later.expect_messages(1)), ElementsAre("status/carol"));
}

}  // namespace
}  // namespace restante
