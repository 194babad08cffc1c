// What the details of MQTT mean for mail: QoS of publishers and subscribers, overlapping filters, sessions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "each_version.h"
#include "support/post_office_fixture.h"

namespace restante {
namespace {

using namespace support;
using ::testing::ElementsAre;

std::vector<int> qos_of(const std::vector<mqtt_message>& messages) {
  std::vector<int> result;
  for (const mqtt_message& each : messages) result.push_back(each.qos);
  return result;
}

mqtt_message with_qos(int qos, mqtt_message message) {
  message.qos = qos;
  return message;
}

class protocol : public each_version {};
INSTANTIATE_TEST_SUITE_P(mqtt, protocol, both_versions, name_of_version);

TEST_P(protocol, qos_0_is_heard_live_and_never_stored) {
  open();
  auto alice = paho(account("alice"));
  send(alice, with_qos(0, direct("bob", "alice", "unheard")));
  send(alice, with_qos(0, to_group("crew", "alice", "unheard-by-all")));
  send(alice, direct("dave", "alice", "fence-of-dave"));  // answered: so the broker has had those too
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#", 2);
  bob.subscribe("group/crew/#", 2);
  send(alice, with_qos(0, direct("bob", "alice", "live", "now")));
  send(alice, with_qos(0, to_group("crew", "alice", "live-to-all", "now")));
  send(alice, direct("bob", "alice", "fence"));
  const auto heard = bob.expect_messages(3);
  EXPECT_THAT(topics_of(heard),
              ElementsAre("direct/bob/alice/live", "group/crew/alice/live-to-all", "direct/bob/alice/fence"));
  EXPECT_THAT(qos_of(heard), ElementsAre(0, 0, 1));
  EXPECT_EQ(heard[0].payload, "now");
  wait_until_waiting("bob", 1);
  EXPECT_EQ(waiting("carol"), 0);
  // Neither does a session that outlives its connection keep it.
  auto carol = paho(lasting("carol"));
  carol.subscribe("direct/carol/#", 1);
  carol.disconnect();
  send(alice, with_qos(0, direct("carol", "alice", "unheard")));
  send(alice, direct("carol", "alice", "fence-of-carol"));
  reconnect(carol);
  EXPECT_THAT(topics_of(carol.expect_messages(1)), ElementsAre("direct/carol/alice/fence-of-carol"));
}

TEST_P(protocol, qos_1_and_2_arrive_as_they_were_sent_if_the_subscription_wants_2) {
  open();
  auto bob = raw(account("bob"));
  EXPECT_THAT(bob.subscribe({"direct/bob/#"}, 2), ElementsAre(2));
  auto alice = paho(account("alice"));
  send(alice, with_qos(1, direct("bob", "alice", "m1")));
  send(alice, with_qos(2, direct("bob", "alice", "m2")));
  send(alice, with_qos(1, direct("bob", "alice", "m3")));
  const auto live = bob.expect_publishes(3);
  EXPECT_THAT(topics_of(live),
              ElementsAre("direct/bob/alice/m1", "direct/bob/alice/m2", "direct/bob/alice/m3"));
  EXPECT_THAT(qos_of(live), ElementsAre(1, 2, 1));
  for (const mqtt_message& each : live) bob.acknowledge(each);
  wait_until_waiting("bob", 3);  // a PUBACK is no acknowledgement here
  auto later = raw(device("bob", "later"));
  later.subscribe({"direct/bob/#"}, 2);
  const auto waited = later.expect_publishes(3);
  EXPECT_EQ(topics_of(waited), topics_of(live));
  EXPECT_THAT(qos_of(waited), ElementsAre(1, 2, 1));
  for (const mqtt_message& each : waited) later.acknowledge(each);
  send(later, with_qos(2, acknowledgement_of("bob", {"alice/m1", "alice/m2", "alice/m3"})));
  wait_until_waiting("bob", 0);
}

TEST_P(protocol, a_subscription_at_qos_1_gets_all_at_qos_1) {
  open();
  auto alice = paho(account("alice"));
  send(alice, with_qos(2, direct("bob", "alice", "m1")));
  send(alice, with_qos(2, to_group("crew", "alice", "m2")));
  wait_until_waiting("bob", 2);
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#", 1);
  EXPECT_THAT(qos_of(bob.expect_messages(1)), ElementsAre(1));
  bob.subscribe("group/crew/#", 1);
  EXPECT_THAT(qos_of(bob.expect_messages(2)), ElementsAre(1, 1));
  send(alice, with_qos(2, direct("bob", "alice", "m3")));
  EXPECT_THAT(qos_of(bob.expect_messages(3)), ElementsAre(1, 1, 1));
}

TEST_P(protocol, a_subscription_at_qos_0_hears_live_copies_and_leaves_what_waits) {
  open();
  auto alice = paho(account("alice"));
  send(alice, direct("bob", "alice", "before"));
  wait_until_waiting("bob", 1);
  auto bob = paho(account("bob"));
  EXPECT_EQ(bob.subscribe("direct/bob/#", 0), 0);
  send(alice, with_qos(1, direct("bob", "alice", "m1")));
  send(alice, with_qos(2, direct("bob", "alice", "m2")));
  const auto live = bob.expect_messages(2);
  EXPECT_THAT(topics_of(live), ElementsAre("direct/bob/alice/m1", "direct/bob/alice/m2"));
  EXPECT_THAT(qos_of(live), ElementsAre(0, 0));
  wait_until_waiting("bob", 3);
  // Asked for in earnest, all of it comes.
  bob.clear();
  EXPECT_EQ(bob.subscribe("direct/bob/#", 1), 1);
  EXPECT_THAT(topics_of(bob.expect_messages(3)),
              ElementsAre("direct/bob/alice/before", "direct/bob/alice/m1", "direct/bob/alice/m2"));
}

TEST_P(protocol, a_subscription_at_qos_0_holds_no_window) {
  open({.options = {{"window", "3"}}});
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#", 0);
  auto alice = paho(account("alice"));
  std::vector<std::string> sent;
  for (int i = 0; i < 10; ++i) {
    const auto message = direct("bob", "alice", "m" + std::to_string(i));
    send(alice, message);
    sent.push_back(message.topic);
  }
  EXPECT_EQ(topics_of(bob.expect_messages(10)), sent);
}

TEST_P(protocol, overlapping_filters_give_one_copy) {
  open();
  auto alice = paho(account("alice"));
  const auto waits = with_qos(1, direct("bob", "alice", "waits"));
  send(alice, waits);
  wait_until_waiting("bob", 1);
  auto bob = paho(account("bob"));
  for (const std::string filter :
       {"direct/bob/#", "direct/bob/alice/#", "direct/bob/+/+", "group/crew/#", "group/crew/alice/+"}) {
    bob.subscribe(filter, 2);
  }
  bob.subscribe("direct/bob/#", 2);
  EXPECT_THAT(topics_of(bob.expect_messages(1)), ElementsAre(waits.topic));
  std::vector<std::string> sent;
  for (int qos = 0; qos <= 2; ++qos) {
    for (const auto& message : {direct("bob", "alice", "direct" + std::to_string(qos)),
                                to_group("crew", "alice", "group" + std::to_string(qos))}) {
      send(alice, with_qos(qos, message));
      sent.push_back(message.topic);
    }
  }
  send(alice, direct("bob", "alice", "fence"));
  sent.push_back("direct/bob/alice/fence");
  // The mailbox is read again for each new filter of a clean session: what waited may come once for that, but
  // nothing that is sent now may come twice.
  bob.expect_messages(1 + sent.size());
  const auto heard = topics_of(bob.messages());
  EXPECT_EQ(std::vector<std::string>(heard.end() - static_cast<std::ptrdiff_t>(sent.size()), heard.end()),
            sent);
  EXPECT_EQ(heard.size(), 1 + sent.size());
}

TEST_P(protocol, overlapping_filters_of_unequal_qos_give_one_copy_that_waits) {
  open();
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#", 0);
  bob.subscribe("direct/bob/alice/#", 1);
  auto alice = paho(account("alice"));
  send(alice, direct("bob", "alice", "m1"));
  send(alice, direct("bob", "alice", "fence"));
  EXPECT_THAT(topics_of(bob.expect_messages(2)),
              ElementsAre("direct/bob/alice/m1", "direct/bob/alice/fence"));
  wait_until_waiting("bob", 2);
  send(bob, acknowledgement_of("bob", {"alice/m1"}));
  wait_until_waiting("bob", 1);
}

TEST_P(protocol, an_unsubscribed_filter_hears_nothing_and_loses_nothing) {
  open();
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#");
  bob.subscribe("group/crew/#");
  bob.unsubscribe("direct/bob/#");
  auto alice = paho(account("alice"));
  send(alice, direct("bob", "alice", "m1"));
  send(alice, to_group("crew", "alice", "fence"));
  EXPECT_THAT(topics_of(bob.expect_messages(1)), ElementsAre("group/crew/alice/fence"));
  bob.subscribe("direct/bob/#");
  EXPECT_THAT(topics_of(bob.expect_messages(2)),
              ElementsAre("group/crew/alice/fence", "direct/bob/alice/m1"));
}

TEST_P(protocol, a_clean_session_subscribes_again_and_finds_what_waits) {
  open();
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#");
  auto alice = paho(account("alice"));
  send(alice, direct("bob", "alice", "m1"));
  bob.expect_messages(1);
  bob.disconnect();
  bob.clear();
  send(alice, direct("bob", "alice", "m2"));
  reconnect(bob);
  EXPECT_FALSE(bob.session_present());
  bob.subscribe("direct/bob/#");
  EXPECT_THAT(topics_of(bob.expect_messages(2)), ElementsAre("direct/bob/alice/m1", "direct/bob/alice/m2"));
  bob.disconnect();
  bob.clear();
  // Without a subscription it is told nothing.
  reconnect(bob);
  send(alice, direct("bob", "alice", "m3"));
  wait_until_waiting("bob", 3);
  bob.subscribe("receipt/bob/#");
  send(bob, direct("alice", "bob", "m4"));
  send(alice, receipt("bob", "alice", "m4", "delivered"));
  EXPECT_THAT(topics_of(bob.expect_messages(1)), ElementsAre("receipt/bob/alice/m4"));
}

TEST_P(protocol, a_persistent_session_goes_on_where_it_was) {
  open();
  auto bob = paho(lasting("bob"));
  bob.subscribe("direct/bob/#", 2);
  auto alice = paho(account("alice"));
  send(alice, direct("bob", "alice", "m1"));
  bob.expect_messages(1);
  send(bob, acknowledgement_of("bob", {"alice/m1"}));
  wait_until_waiting("bob", 0);
  bob.disconnect();
  bob.clear();
  send(alice, with_qos(1, direct("bob", "alice", "m2")));
  send(alice, with_qos(2, direct("bob", "alice", "m3")));
  reconnect(bob);
  EXPECT_TRUE(bob.session_present());
  EXPECT_THAT(topics_of(bob.expect_messages(2)), ElementsAre("direct/bob/alice/m2", "direct/bob/alice/m3"));
  send(alice, direct("bob", "alice", "m4"));
  EXPECT_THAT(topics_of(bob.expect_messages(3)),
              ElementsAre("direct/bob/alice/m2", "direct/bob/alice/m3", "direct/bob/alice/m4"));
}

TEST_P(protocol, a_session_of_one_version_is_taken_up_by_the_other) {
  open();
  auto alice = paho(account("alice"));
  {
    auto bob = paho(lasting("bob"));
    bob.subscribe("direct/bob/#");
    bob.disconnect();
  }
  send(alice, direct("bob", "alice", "m1"));
  auto bob = paho(support::lasting("bob", v5() ? mqtt_version::v3 : mqtt_version::v5));
  EXPECT_TRUE(bob.session_present());
  EXPECT_THAT(topics_of(bob.expect_messages(1)), ElementsAre("direct/bob/alice/m1"));
}

}  // namespace
}  // namespace restante
