// What nobody acknowledges in time goes, and its sender hears of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <algorithm>

#include "support/post_office_fixture.h"

namespace restante {
namespace {

using namespace support;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const broker_settings for_two_seconds{.options = {{"retention", "2s"}}};

class expiry : public post_office_fixture {
 protected:
  // Stops and starts the broker with other options; what was stored before keeps its own expiry.
  void reopen(const broker_settings& settings) {
    broker().stop();
    open(settings);
  }
  // An account that hears what becomes of its messages.
  raw_mqtt listening(const std::string& name, mqtt_version version = mqtt_version::v5) {
    auto client = raw(account(name, version));
    client.subscribe({"direct/" + name + "/#", "group/crew/#", "receipt/" + name + "/#"});
    return client;
  }
  // As it would be at the end of its time.
  void let_time_pass_for_all() { sql("update restante.delivery set expires_at = 1"); }
  std::vector<std::string> dead_letters() {
    const auto listed = nlohmann::json::parse(run_restante({"dead", "list", "--json"}).output);
    std::vector<std::string> found;
    for (const auto& each : listed) {
      found.push_back(each.at("topic").get<std::string>() + " for " +
                      each.at("recipient").get<std::string>() + ": " + each.at("reason").get<std::string>());
    }
    return found;
  }
  static std::string heard(const mqtt_message& what) { return what.topic + ' ' + what.payload; }
};

TEST_F(expiry, takes_what_was_not_acknowledged_and_tells_a_sender_who_is_there) {
  for (const auto version : {mqtt_version::v3, mqtt_version::v5}) {
    open(for_two_seconds);
    auto alice = listening("alice", version);
    alice.publish(direct("bob", "alice", "m1", "hello"));
    EXPECT_EQ(heard(alice.expect_publish()), "receipt/alice/bob/m1 expired");
    EXPECT_EQ(waiting("bob"), 0);
    auto bob = listening("bob");
    alice.publish(direct("bob", "alice", "m2"));
    EXPECT_EQ(bob.expect_publish().topic, "direct/bob/alice/m2") << "and nothing before it";
    broker().stop();
    sql("truncate restante.dead_letter, restante.delivery");
  }
}

TEST_F(expiry, is_told_to_a_sender_who_was_away) {
  open(for_two_seconds);
  {
    auto alice = raw(account("alice"));
    alice.publish(direct("bob", "alice", "m1"));
    alice.disconnect();
  }
  reopen({});  // the receipt itself is kept for longer
  wait_until_waiting("alice", 1);
  auto alice = listening("alice");
  EXPECT_EQ(heard(alice.expect_publish()), "receipt/alice/bob/m1 expired");
  wait_until_waiting("alice", 0);
  EXPECT_EQ(waiting("bob"), 0);
}

TEST_F(expiry, may_come_before_the_end_of_the_retention) {
  open();
  const auto short_lived = [](mqtt_message message, std::uint32_t seconds) {
    message.properties.expiry_s = seconds;
    return message;
  };
  {
    auto alice = raw(account("alice"));
    alice.publish(short_lived(direct("bob", "alice", "long"), 3'600));
    alice.publish(short_lived(direct("bob", "alice", "short"), 1));
    alice.publish(short_lived(to_group("crew", "alice", "group"), 1));
    alice.publish(short_lived(direct("nobody", "alice", "unknown"), 1));
    alice.publish(short_lived(direct("bob", "alice", "none"), 0));
    alice.disconnect();
  }
  wait_until_waiting("alice", 5);
  auto alice = listening("alice");
  std::vector<std::string> told;
  for (const auto& each : alice.expect_publishes(5)) told.push_back(heard(each));
  EXPECT_THAT(
      told, UnorderedElementsAre("receipt/alice/bob/short expired", "receipt/alice/bob/group expired",
                                 "receipt/alice/carol/group expired", "receipt/alice/nobody/unknown expired",
                                 "receipt/alice/bob/none expired"));
  auto bob = listening("bob");
  EXPECT_EQ(bob.expect_publish().topic, "direct/bob/alice/long");
  EXPECT_EQ(waiting("bob"), 1);
}

TEST_F(expiry, comes_with_the_retention_when_the_publisher_would_have_it_later) {
  open(for_two_seconds);
  auto alice = listening("alice");
  auto message = direct("bob", "alice", "m1");
  message.properties.expiry_s = 1'000'000;
  alice.publish(message);
  EXPECT_EQ(heard(alice.expect_publish()), "receipt/alice/bob/m1 expired");
}

TEST_F(expiry, does_not_take_what_is_acknowledged_in_time) {
  open(for_two_seconds);
  auto alice = listening("alice");
  auto bob = listening("bob");
  alice.publish(direct("bob", "alice", "taken"));
  bob.acknowledge(bob.expect_publish());
  bob.publish(acknowledgement_of("bob", {"alice/taken"}));
  alice.publish(direct("bob", "alice", "left"));
  EXPECT_EQ(heard(alice.expect_publish()), "receipt/alice/bob/left expired");
  EXPECT_THAT(dead_letters(), ElementsAre("direct/bob/alice/left for bob: expired"));
}

TEST_F(expiry, concerns_each_member_of_a_group_for_itself) {
  open(for_two_seconds);
  auto alice = listening("alice");
  auto bob = listening("bob");
  alice.publish(to_group("crew", "alice", "m1"));
  bob.acknowledge(bob.expect_publish());
  bob.publish(acknowledgement_of("bob", {"alice/m1"}));
  EXPECT_EQ(heard(alice.expect_publish()), "receipt/alice/carol/m1 expired");
  alice.publish(direct("dave", "alice", "m2"));
  EXPECT_EQ(heard(alice.expect_publish()), "receipt/alice/dave/m2 expired") << "and nothing of bob";
}

TEST_F(expiry, tells_the_same_of_recipients_who_are_away_unknown_blocking_or_gone) {
  open(for_two_seconds);
  sql("insert into restante.block (account_id, blocked_id) select b.id, a.id from restante.account a, "
      "restante.account b where a.name = 'alice' and b.name = 'bob'");
  run_restante({"user", "delete", "dave"});
  auto alice = listening("alice");
  const std::vector<std::string> recipients{"carol", "bob", "nobody", "dave"};
  std::vector<int> reasons;
  for (const auto& each : recipients) {
    alice.send_publish(direct(each, "alice", "to-" + each));
  }
  for (std::size_t i = 0; i < recipients.size(); ++i) {
    reasons.push_back(parse_acknowledgement(alice.expect(packet_type::puback)).reason);
  }
  EXPECT_EQ(std::count(reasons.begin(), reasons.end(), reasons[0]), 4);
  EXPECT_LT(reasons[0], 0x80);

  std::vector<std::string> told;
  for (const auto& each : alice.expect_publishes(4)) told.push_back(heard(each));
  EXPECT_THAT(told, UnorderedElementsAre(
                        "receipt/alice/carol/to-carol expired", "receipt/alice/bob/to-bob expired",
                        "receipt/alice/nobody/to-nobody expired", "receipt/alice/dave/to-dave expired"));
  EXPECT_THAT(dead_letters(), UnorderedElementsAre("direct/carol/alice/to-carol for carol: expired",
                                                   "direct/bob/alice/to-bob for bob: blocked",
                                                   "direct/nobody/alice/to-nobody for nobody: unknown",
                                                   "direct/dave/alice/to-dave for dave: departed"));
}

TEST_F(expiry, of_a_receipt_tells_nobody) {
  open({.options = {{"retention", "1d"}}});
  auto bob = listening("bob");
  {
    auto alice = raw(account("alice"));
    alice.publish(direct("bob", "alice", "m1"));
    alice.publish(direct("carol", "alice", "m2"));
    alice.disconnect();
  }
  bob.acknowledge(bob.expect_publish());
  bob.publish(receipt("alice", "bob", "m1", "read"));
  wait_until_waiting("alice", 1);
  let_time_pass_for_all();
  // carol's message has become a receipt for alice, who has none other left.
  ASSERT_TRUE(eventually(
      [&] { return sql("select message_id from restante.waiting where account = 'alice'") == "m2"; }));
  let_time_pass_for_all();
  ASSERT_TRUE(eventually([&] { return waiting("alice") == 0; }));
  EXPECT_THAT(dead_letters(), UnorderedElementsAre("receipt/alice/bob/m1 for alice: expired",
                                                   "receipt/alice/carol/m2 for alice: expired",
                                                   "direct/carol/alice/m2 for carol: expired"));
  EXPECT_EQ(sql("select count(*) from restante.dead_letter where receipt_at is not null"), "0");
  auto dave = raw(account("dave"));
  dave.publish(direct("bob", "dave", "later"));
  EXPECT_EQ(bob.expect_publish().topic, "direct/bob/dave/later") << "and nothing of receipts before it";
}

TEST_F(expiry, is_not_told_twice_when_the_broker_is_restarted) {
  open(for_two_seconds);
  {
    auto alice = listening("alice");
    alice.publish(direct("bob", "alice", "m1"));
    EXPECT_EQ(heard(alice.expect_publish()), "receipt/alice/bob/m1 expired");
  }
  reopen(for_two_seconds);
  auto alice = listening("alice");
  alice.publish(direct("carol", "alice", "m2"));
  EXPECT_EQ(heard(alice.expect_publish()), "receipt/alice/carol/m2 expired") << "and nothing of m1";
}

TEST_F(expiry, leaves_dead_letters_that_are_listed_and_then_forgotten) {
  open({.options = {{"dead_letter", "1h"}, {"retention", "2s"}}});
  auto alice = listening("alice");
  alice.publish(direct("nobody", "alice", "m1", "hello"));
  EXPECT_EQ(heard(alice.expect_publish()), "receipt/alice/nobody/m1 expired");
  EXPECT_THAT(dead_letters(), ElementsAre("direct/nobody/alice/m1 for nobody: unknown"));
  const auto listed = run_restante({"dead"});
  EXPECT_EQ(listed.exit_code, 0);
  EXPECT_THAT(listed.output, HasSubstr("direct/nobody/alice/m1"));
  alice.drop();
  reopen({.options = {{"dead_letter", "1s"}}});
  EXPECT_TRUE(eventually([&] { return dead_letters().empty(); }));
}

}  // namespace
}  // namespace restante
