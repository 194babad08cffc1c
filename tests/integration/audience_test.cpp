// What nobody can do, whatever the operator's rules allow: speak in another's name, or hear what is not
// theirs.
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

class audience : public each_version {
 protected:
  // An operator who allows too much.
  void allow_everyone(const std::string& action, const std::string& filter) const {
    const finished ended = run_restante({"acl", "allow", "--everyone", action, filter});
    if (ended.exit_code != 0) throw failure(ended.output);
  }
  std::string everything_stored() const {
    return sql(
        "select (select count(*) from restante.delivery), (select count(*) from restante.message),"
        " (select count(*) from restante.dead_letter)");
  }
};
INSTANTIATE_TEST_SUITE_P(mqtt, audience, both_versions, name_of_version);

TEST_P(audience, believes_the_sender_in_a_topic_since_nobody_writes_anothers) {
  allow_everyone("publish", "#");
  open();
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#");
  bob.subscribe("group/crew/#");
  bob.subscribe("receipt/bob/#");
  auto alice = paho(account("alice"));
  auto carol = paho(account("carol"));
  send(carol, direct("bob", "carol", "m1"));
  wait_until_waiting("bob", 1);
  for (const auto& forged :
       {direct("bob", "carol", "x"), direct("bob", "ALICE", "x"), direct("carol", "carol", "x"),
        to_group("crew", "carol", "x"), receipt("bob", "carol", "x", "read"),
        receipt("carol", "bob", "m1", "delivered"), acknowledgement_of("bob", {"carol/m1"})}) {
    for (int qos = 0; qos <= 2; ++qos) {
      auto message = forged;
      message.qos = qos;
      EXPECT_EQ(alice.publish(message), qos == 0 ? 0 : refused_publish()) << message.topic << " " << qos;
    }
  }
  send(alice, direct("bob", "alice", "fence"));
  EXPECT_THAT(topics_of(bob.expect_messages(2)),
              ElementsAre("direct/bob/carol/m1", "direct/bob/alice/fence"));
  wait_until_waiting("bob", 2);
  EXPECT_EQ(everything_stored(), "2|0|0");
}

TEST_P(audience, subscribes_to_nothing_beyond_its_own_topics) {
  open();
  auto bob = raw(account("bob"));
  for (const bool allowed : {false, true}) {
    if (allowed) {
      allow_everyone("subscribe", "#");
      require_eventually("the rule is in force", [&] { return bob.subscribe({"anything"}).at(0) < 0x80; });
    }
    for (const std::string filter : {"direct/#",
                                     "direct/+/#",
                                     "direct/+/bob/#",
                                     "direct/+/alice/#",
                                     "direct/alice/#",
                                     "direct",
                                     "direct/BOB/#",
                                     "group/#",
                                     "group/+/bob/#",
                                     "group/secret/#",
                                     "receipt/#",
                                     "receipt/alice/#",
                                     "receipt/+/bob/+",
                                     "ack/#",
                                     "ack/bob",
                                     "ack/+",
                                     "$share/g/direct/bob/#",
                                     "$share/g/direct/#",
                                     "$share/g/group/crew/#",
                                     "$share/g/receipt/bob/#",
                                     "$share/g/#",
                                     "$share/g/+/bob/#"}) {
      EXPECT_EQ(bob.subscribe({filter}).at(0), refused_filter()) << filter << ", allowed: " << allowed;
    }
    EXPECT_THAT(bob.subscribe({"direct/bob/#", "direct/bob/alice/+", "group/crew/#", "receipt/bob/#"}),
                Each(1));
  }
}

TEST_P(audience, subscribes_to_no_wildcard_without_a_rule) {
  open();
  auto bob = raw(account("bob"));
  EXPECT_THAT(bob.subscribe({"#", "+/#", "+/+/bob/#", "+/bob/#", "$SYS/#", "$share/g/#"}),
              Each(refused_filter()));
}

TEST_P(audience, of_an_allowed_wildcard_hears_no_mail) {
  allow_everyone("subscribe", "#");
  allow_everyone("publish", "notice");
  open();
  auto eavesdropper = paho(lasting("dave"));
  auto bob = paho(account("bob"));
  for (auto* each : {&eavesdropper, &bob}) {
    ASSERT_EQ(each->subscribe("#"), 1);
    ASSERT_EQ(each->subscribe("+/#"), 1);
    ASSERT_EQ(each->subscribe("+/bob/#"), 1);
    ASSERT_EQ(each->subscribe("+/crew/#"), 1);
  }
  auto alice = paho(account("alice"));
  const auto send_all = [&](const std::string& id) {
    for (int qos = 0; qos <= 2; ++qos) {
      auto message = direct("bob", "alice", id + std::to_string(qos));
      message.qos = qos;
      send(alice, message);
      message = to_group("crew", "alice", id + "group" + std::to_string(qos));
      message.qos = qos;
      send(alice, message);
    }
    send(alice, {.topic = "notice", .payload = id});
  };
  send_all("present");
  EXPECT_TRUE(eavesdropper.wait_for_messages(1));
  EXPECT_TRUE(bob.wait_for_messages(1));
  eavesdropper.disconnect();
  send_all("away");
  reconnect(eavesdropper);
  send_all("back");
  require_eventually("the last notice", [&] {
    const auto heard = payloads_of(eavesdropper.messages());
    return !heard.empty() && heard.back() == "back";
  });
  // How many copies of a notice overlapping filters give is the broker's affair.
  EXPECT_THAT(topics_of(eavesdropper.messages()), Each("notice"));
  EXPECT_THAT(topics_of(bob.messages()), Each("notice"));
  wait_until_waiting("bob", 12);
  // The mail is bob's as soon as he asks for it by its name.
  bob.clear();
  bob.subscribe("direct/bob/#");
  EXPECT_EQ(bob.expect_messages(6).at(0).topic, "direct/bob/alice/present1");
}

TEST_P(audience, shares_only_ordinary_topics) {
  allow_everyone("subscribe", "jobs/#");
  allow_everyone("publish", "jobs/#");
  open();
  auto bob = paho(account("bob"));
  EXPECT_EQ(bob.subscribe("$share/workers/jobs/#"), 1);
  EXPECT_EQ(bob.subscribe("$share/workers/direct/bob/#"), refused_filter());
  auto alice = paho(account("alice"));
  send(alice, direct("bob", "alice", "m1"));
  send(alice, {.topic = "jobs/1"});
  EXPECT_THAT(topics_of(bob.expect_messages(1)), ElementsAre("jobs/1"));
}

TEST_P(audience, hears_no_will_on_a_durable_topic) {
  allow_everyone("subscribe", "status/#");
  allow_everyone("publish", "status/#");
  open();
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#", 2);
  bob.subscribe("group/crew/#", 2);
  bob.subscribe("receipt/bob/#", 2);
  bob.subscribe("status/alice");
  std::vector<mqtt_message> wills;
  for (int qos = 0; qos <= 2; ++qos) {
    for (auto will : {direct("bob", "alice", "will"), to_group("crew", "alice", "will"),
                      receipt("bob", "alice", "will", "read")}) {
      will.qos = qos;
      will.retain = qos == 1;
      wills.push_back(will);
    }
  }
  for (const mqtt_message& will : wills) {
    auto settings = account("alice");
    settings.will = will;
    // The broker ends one connection, with its will, before it lets the next in with the same id.
    raw(settings).drop();
  }
  auto settings = account("alice");
  settings.will = mqtt_message{.topic = "status/alice", .payload = "gone"};
  raw(settings).drop();
  EXPECT_THAT(topics_of(bob.expect_messages(1)), ElementsAre("status/alice"));
  auto alice = paho(account("alice"));
  send(alice, direct("bob", "alice", "fence"));
  EXPECT_THAT(topics_of(bob.expect_messages(2)), ElementsAre("status/alice", "direct/bob/alice/fence"));
  wait_until_waiting("bob", 1);
  EXPECT_EQ(everything_stored(), "1|0|0");
}

TEST_P(audience, finds_nothing_durable_retained_in_the_broker) {
  allow_everyone("publish", "notice");
  broker_settings settings{.persistence = true};
  open(settings);
  auto alice = paho(account("alice"));
  std::vector<std::string> sent;
  for (int qos = 0; qos <= 2; ++qos) {
    for (auto message : {direct("bob", "alice", "direct" + std::to_string(qos), "keep"),
                         to_group("crew", "alice", "group" + std::to_string(qos), "keep"),
                         receipt("bob", "alice", "receipt" + std::to_string(qos), "read")}) {
      message.qos = qos;
      message.retain = true;
      send(alice, message);
      if (qos > 0) sent.push_back(message.topic);
    }
  }
  send(alice, {.topic = "notice", .payload = "keep", .retain = true});
  wait_until_waiting("bob", static_cast<std::int64_t>(sent.size()));

  // A later subscriber has it from the mailbox, once, and not as a retained message.
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#", 2);
  bob.subscribe("group/crew/#", 2);
  bob.subscribe("receipt/bob/#", 2);
  bob.expect_messages(sent.size());
  send(alice, direct("bob", "alice", "fence"));
  const auto heard = bob.expect_messages(sent.size() + 1);
  sent.push_back("direct/bob/alice/fence");
  EXPECT_THAT(topics_of(heard), ::testing::UnorderedElementsAreArray(sent));
  for (const mqtt_message& each : heard) EXPECT_FALSE(each.retain) << each.topic;
  bob.disconnect();
  alice.disconnect();

  // The same broker without the plugin hides nothing of what it has retained.
  broker().stop();
  settings.plugin = false;
  broker().configure(settings);
  broker().start();
  auto anybody = raw({.client_id = "anybody", .version = GetParam()});
  anybody.subscribe({"#"});
  anybody.publish({.topic = "fence"});
  EXPECT_THAT(topics_of(anybody.expect_publishes(2)), ElementsAre("notice", "fence"));
}

}  // namespace
}  // namespace restante
