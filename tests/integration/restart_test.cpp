// The broker ends, in order or not, and starts again: what waited is there, what is over stays over.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "mail_steps.h"

namespace restante {
namespace {

using namespace support;

using strings = std::vector<std::string>;

class restarts : public post_office_fixture {
 protected:
  std::int64_t newest_number(const std::string& account) {
    return std::stoll(sql("select max(number) from restante.waiting where account = '" + account + "'"));
  }
  strings waiting_keys(const std::string& account) {
    const std::string rows =
        sql("select sender || '/' || message_id from restante.waiting where account = '" + account +
            "' order by number");
    strings keys;
    for (std::size_t begin = 0; begin < rows.size();) {
      const std::size_t end = std::min(rows.find('\n', begin), rows.size());
      keys.push_back(rows.substr(begin, end - begin));
      begin = end + 1;
    }
    return keys;
  }
};

// ---- with and without the broker's own persistence, which is about its sessions

using keeping = std::tuple<mqtt_version, bool>;

class restarts_of_a_broker : public restarts, public ::testing::WithParamInterface<keeping> {
 protected:
  mqtt_version version() const { return std::get<0>(GetParam()); }
  bool keeps_sessions() const { return std::get<1>(GetParam()); }
  void open() {
    post_office_fixture::open({.persistence = keeps_sessions(), .lines = {"max_inflight_messages 20"}});
  }
  // Back after a restart, as the same client would come. What is subscribed is left alone where it is kept.
  raw_mqtt resume(const std::string& name) {
    auto back = raw(lasting(name, version()));
    if (!keeps_sessions()) back.subscribe({"direct/" + name + "/#"});
    return back;
  }
};

std::string name_of_keeping(const ::testing::TestParamInfo<keeping>& instance) {
  const auto [version, keeps] = instance.param;
  return std::string(version == mqtt_version::v5 ? "v5" : "v3") + (keeps ? "_that_keeps" : "_that_forgets") +
         "_sessions";
}

INSTANTIATE_TEST_SUITE_P(with, restarts_of_a_broker,
                         ::testing::Combine(::testing::Values(mqtt_version::v3, mqtt_version::v5),
                                            ::testing::Bool()),
                         name_of_keeping);

TEST_P(restarts_of_a_broker, leave_all_mail_and_bring_nothing_back_that_was_acknowledged) {
  open();
  auto alice = raw(account("alice"));
  const auto early = publish_all(alice, letters("bob", "alice", "early", 10));
  {
    auto bob = raw(lasting("bob", version()));
    bob.subscribe({"direct/bob/#"});
    EXPECT_EQ(collect(bob, 10), early);
    acknowledge(bob, "bob", {early[0], early[3], early[9]});
  }
  const auto away = publish_all(alice, letters("bob", "alice", "away", 3));
  restart();

  strings expected{early[1], early[2], early[4], early[5], early[6], early[7], early[8]};
  expected = expected + away;
  EXPECT_EQ(waiting_keys("bob"), keys_of(expected));
  const std::int64_t newest = newest_number("bob");

  auto bob = resume("bob");
  EXPECT_EQ(collect(bob, expected.size()), expected);
  auto alice_again = raw(account("alice"));
  const auto later = publish_all(alice_again, letters("bob", "alice", "later", 2));
  EXPECT_EQ(collect(bob, 2), later);
  acknowledge(bob, "bob", expected);
  wait_until_waiting("bob", 2);
  EXPECT_EQ(waiting_keys("bob"), keys_of(later));
  EXPECT_GT(std::stoll(sql("select min(number) from restante.waiting where account = 'bob'")), newest);
}

// Mosquitto has some of these in flight and some queued; with persistence it sends them again by itself.
TEST_P(restarts_of_a_broker, hand_over_once_in_each_connection_what_was_under_way) {
  open();
  auto alice = raw(account("alice"));
  auto before = raw(lasting("bob", version()));
  before.subscribe({"direct/bob/#"});
  auto sent = publish_all(alice, letters("bob", "alice", "m", 60));
  EXPECT_EQ(topics_of(before.expect_publishes(20)), strings(sent.begin(), sent.begin() + 20));
  restart();

  auto alice_again = raw(account("alice"));
  sent = sent + publish_all(alice_again, letters("bob", "alice", "more", 3));
  auto bob = resume("bob");
  EXPECT_EQ(collect(bob, 63), sent);
  acknowledge(bob, "bob", sent);
  wait_until_waiting("bob", 0);
  const auto later = publish_all(alice_again, letters("bob", "alice", "later", 60));
  EXPECT_EQ(collect(bob, 60), later);
}

TEST_P(restarts_of_a_broker, do_not_bring_back_a_message_whose_publisher_completes_it_only_then) {
  open();
  auto bob = raw(lasting("bob", version()));
  bob.subscribe({"direct/bob/#"});
  mqtt_message interrupted = direct("bob", "alice", "interrupted", "once");
  interrupted.qos = 2;
  std::uint16_t packet_id = 0;
  {
    auto alice = raw(lasting("alice", version()));
    packet_id = alice.send_publish(interrupted);
    alice.expect(packet_type::pubrec);
    EXPECT_EQ(collect(bob, 1), strings{interrupted.topic});
    acknowledge(bob, "bob", {interrupted.topic});
  }
  restart();
  auto bob_again = resume("bob");
  auto alice = raw(lasting("alice", version()));
  alice.send(acknowledgement_packet(packet_type::pubrel, version(), packet_id));
  alice.expect(packet_type::pubcomp);
  const auto later = publish_all(alice, letters("bob", "alice", "later", 1));
  EXPECT_EQ(collect(bob_again, 1), later);
  wait_until_waiting("bob", 1);
}

// ---- sessions that the broker has kept and the plugin has forgotten

class kept_sessions : public restarts {};

TEST_F(kept_sessions, get_their_whole_mailbox_until_they_say_again_what_they_want) {
  open({.persistence = true});
  {
    auto bob = raw(lasting("bob"));
    bob.subscribe({"direct/bob/alice/#"});
    bob.disconnect();
  }
  auto alice = raw(account("alice"));
  auto carol = raw(account("carol"));
  const auto asked_for = publish_all(alice, letters("bob", "alice", "m", 2));
  const auto passed_over = publish_all(carol, letters("bob", "carol", "m", 2));
  restart();
  auto bob = raw(lasting("bob"));
  EXPECT_EQ(collect(bob, 4), asked_for + passed_over);
  acknowledge(bob, "bob", asked_for + passed_over);
  auto carol_again = raw(account("carol"));
  const auto live = publish_all(carol_again, letters("bob", "carol", "live", 2));
  EXPECT_EQ(collect(bob, 2), live);
  acknowledge(bob, "bob", live);

  bob.subscribe({"direct/bob/alice/#"});
  publish_all(carol_again, letters("bob", "carol", "unheard", 1));
  auto alice_again = raw(account("alice"));
  const auto heard = publish_all(alice_again, letters("bob", "alice", "heard", 1));
  EXPECT_EQ(collect(bob, 1), heard);
  broker().kill();  // Mosquitto itself leaks a few bytes of a filter that is subscribed twice
}

TEST_F(kept_sessions, get_nothing_when_they_had_subscribed_to_no_mail) {
  open({.persistence = true});
  {
    auto bob = raw(lasting("bob"));
    bob.disconnect();
  }
  auto alice = raw(account("alice"));
  const auto sent = publish_all(alice, letters("bob", "alice", "m", 2));
  restart();
  auto bob = raw(lasting("bob"));
  bob.ping();
  auto alice_again = raw(account("alice"));
  const auto more = publish_all(alice_again, letters("bob", "alice", "more", 1));
  wait_until_waiting("bob", 3);
  bob.ping();
  EXPECT_EQ(bob.waiting_publishes(), 0U);
  bob.subscribe({"direct/bob/#"});
  EXPECT_EQ(collect(bob, 3), sent + more);
}

// ---- SIGTERM and SIGKILL

class ends : public restarts {};

// Nothing would be stored by itself for ten seconds.
TEST_F(ends, store_what_was_accepted_a_moment_ago) {
  open({.options = {{"linger", "10s"}, {"sender_limit", "100000"}}});
  strings sent;
  for (int round = 0; round < 5; ++round) {
    auto alice = raw(account("alice"));
    sent = sent + publish_all(alice, letters("bob", "alice", "r" + std::to_string(round) + "-", 300));
    EXPECT_LT(waiting("bob"), static_cast<std::int64_t>(sent.size()));
    restart();
    EXPECT_EQ(waiting_keys("bob"), keys_of(sent));
  }
  EXPECT_EQ(broker().log_text().find("did not take"), std::string::npos);
}

TEST_F(ends, remember_what_was_acknowledged_a_moment_ago) {
  open({.options = {{"linger", "10s"}}});
  auto alice = raw(account("alice"));
  const auto sent = publish_all(alice, letters("bob", "alice", "m", 5));
  restart();
  EXPECT_EQ(waiting("bob"), 5);
  auto bob = raw(account("bob"));
  bob.subscribe({"direct/bob/#"});
  EXPECT_EQ(collect(bob, 5), sent);
  acknowledge(bob, "bob", {sent[0], sent[1], sent[2], sent[3]});
  EXPECT_EQ(waiting("bob"), 5);
  restart();
  EXPECT_EQ(waiting_keys("bob"), keys_of({sent[4]}));
}

TEST_F(ends, by_a_crash_leave_what_was_stored) {
  open();
  auto alice = raw(account("alice"));
  auto sent = publish_all(alice, letters("bob", "alice", "m", 100));
  auto bob = raw(account("bob"));
  bob.subscribe({"direct/bob/#"});
  EXPECT_EQ(collect(bob, 100), sent);
  wait_until_waiting("bob", 100);
  acknowledge(bob, "bob", {sent.front(), sent.back()});
  wait_until_waiting("bob", 98);
  const std::int64_t newest = newest_number("bob");
  crash_and_restart();

  const strings left(sent.begin() + 1, sent.end() - 1);
  auto bob_again = raw(account("bob"));
  bob_again.subscribe({"direct/bob/#"});
  EXPECT_EQ(collect(bob_again, 98), left);
  auto alice_again = raw(account("alice"));
  const auto later = publish_all(alice_again, letters("bob", "alice", "later", 2));
  EXPECT_EQ(collect(bob_again, 2), later);
  acknowledge(bob_again, "bob", left);
  wait_until_waiting("bob", 2);
  EXPECT_GT(std::stoll(sql("select min(number) from restante.waiting where account = 'bob'")), newest);
}

// ---- What the journal is for: little is stored by itself for two seconds.

class crashes : public restarts {
 protected:
  // Live: what comes from now on need not be stored first.
  void greet(support::raw_mqtt& alice, support::raw_mqtt& bob) {
    const auto hello = publish_all(alice, letters("bob", "alice", "hello", 1));
    EXPECT_EQ(collect(bob, 1), hello);
    acknowledge(bob, "bob", hello);
  }
};

TEST_F(crashes, lose_nothing_that_was_accepted_and_bring_nothing_back_that_was_acknowledged) {
  open({.options = {{"linger", "2s"}}});
  auto bob = raw(account("bob"));
  bob.subscribe({"direct/bob/#"});
  auto alice = raw(account("alice"));
  greet(alice, bob);
  const auto sent = publish_all(alice, letters("bob", "alice", "m", 5));
  EXPECT_EQ(collect(bob, 5), sent);
  acknowledge(bob, "bob", {sent[1], sent[3]});
  crash_and_restart();
  auto bob_again = raw(account("bob"));
  bob_again.subscribe({"direct/bob/#"});
  EXPECT_EQ(collect(bob_again, 3), (strings{sent[0], sent[2], sent[4]}));
  acknowledge(bob_again, "bob", {sent[0], sent[2], sent[4]});
  crash_and_restart();
  auto alice_again = raw(account("alice"));
  const auto last = publish_all(alice_again, letters("bob", "alice", "last", 1));
  auto bob_at_last = raw(account("bob"));
  bob_at_last.subscribe({"direct/bob/#"});
  EXPECT_EQ(collect(bob_at_last, 1), last) << "and nothing before it";
}

TEST_F(crashes, forget_no_repeat_even_of_what_was_acknowledged) {
  open({.options = {{"linger", "2s"}}});
  auto bob = raw(account("bob"));
  bob.subscribe({"direct/bob/#"});
  auto alice = raw(account("alice"));
  greet(alice, bob);
  const auto sent = publish_all(alice, letters("bob", "alice", "m", 2));
  EXPECT_EQ(collect(bob, 2), sent);
  acknowledge(bob, "bob", sent);
  crash_and_restart();
  auto bob_again = raw(account("bob"));
  bob_again.subscribe({"direct/bob/#"});
  auto alice_again = raw(account("alice"));
  const auto again = publish_all(alice_again, letters("bob", "alice", "m", 3));
  EXPECT_EQ(collect(bob_again, 1), (strings{again[2]})) << "only what is new";
}

TEST_F(crashes, lose_no_receipt_whose_message_is_yet_to_be_found) {
  open({.options = {{"linger", "2s"}}});
  auto alice = raw(account("alice"));
  publish_all(alice, letters("bob", "alice", "m", 1));
  restart();  // stores it
  auto bob = raw(account("bob"));
  const support::mqtt_message told{.topic = "receipt/alice/bob/m0", .payload = "read"};
  EXPECT_TRUE(support::is_success(bob.publish(told)));
  crash_and_restart();
  auto alice_again = raw(account("alice"));
  alice_again.subscribe({"receipt/alice/#"});
  EXPECT_EQ(collect(alice_again, 1), (strings{"receipt/alice/bob/m0"}));
  wait_until_waiting("bob", 0);
}

}  // namespace
}  // namespace restante
