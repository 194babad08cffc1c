// What a session holds and is owed: dropped, resumed, narrowed, widened, taken over.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "mail_steps.h"

namespace restante {
namespace {

using namespace support;

std::string name_of(mqtt_version version) { return version == mqtt_version::v5 ? "v5" : "v3"; }

class sessions : public post_office_fixture, public ::testing::WithParamInterface<mqtt_version> {
 protected:
  // What else might come to `by` would have come before this.
  void expect_next_to_be(const mqtt_message& sent, raw_mqtt& from, raw_mqtt& by) {
    publish_all(from, {sent});
    EXPECT_EQ(collect(by, 1), std::vector{sent.topic});
  }
};

INSTANTIATE_TEST_SUITE_P(of_mqtt, sessions, ::testing::Values(mqtt_version::v3, mqtt_version::v5),
                         [](const auto& each) { return name_of(each.param); });

TEST_P(sessions, get_their_mail_when_resumed_without_subscribing_again) {
  open();
  auto alice = raw(account("alice"));
  auto first = raw(lasting("bob", GetParam()));
  first.subscribe({"direct/bob/#"});
  first.disconnect();
  const auto sent = publish_all(alice, letters("bob", "alice", "m", 5));
  wait_until_waiting("bob", 5);
  auto bob = raw(lasting("bob", GetParam()));
  EXPECT_EQ(collect(bob, 5), sent);
  acknowledge(bob, "bob", sent);
  expect_next_to_be(direct("bob", "alice", "later"), alice, bob);
}

TEST_P(sessions, hear_what_was_never_acknowledged_again_and_what_was_acknowledged_never) {
  open();
  auto alice = raw(account("alice"));
  auto first = raw(lasting("bob", GetParam()));
  first.subscribe({"direct/bob/#"});
  const auto sent = publish_all(alice, letters("bob", "alice", "m", 4));
  EXPECT_EQ(collect(first, 4), sent);
  acknowledge(first, "bob", {sent[0], sent[2]});
  first.disconnect();
  auto second = raw(lasting("bob", GetParam()));
  EXPECT_EQ(collect(second, 2), (std::vector{sent[1], sent[3]}));
  expect_next_to_be(direct("bob", "alice", "later"), alice, second);
}

TEST_P(sessions, hear_only_what_a_narrow_filter_asks_for_until_it_is_widened) {
  open();
  auto alice = raw(account("alice"));
  auto carol = raw(account("carol"));
  const auto early = publish_all(alice, letters("bob", "alice", "early", 2));
  const auto passed_over = publish_all(carol, letters("bob", "carol", "passed-over", 2));
  auto first = raw(lasting("bob", GetParam()));
  first.subscribe({"direct/bob/alice/#"});
  EXPECT_EQ(collect(first, 2), early);
  acknowledge(first, "bob", early);
  publish_all(carol, letters("bob", "carol", "unheard", 1));
  const auto live = publish_all(alice, letters("bob", "alice", "live", 2));
  EXPECT_EQ(collect(first, 2), live);
  acknowledge(first, "bob", live);
  first.disconnect();

  const auto away = publish_all(alice, letters("bob", "alice", "away", 2));
  auto second = raw(lasting("bob", GetParam()));
  EXPECT_EQ(collect(second, 2), away);
  acknowledge(second, "bob", away);
  publish_all(carol, letters("bob", "carol", "unheard-again", 1));
  expect_next_to_be(direct("bob", "alice", "last"), alice, second);
  acknowledge(second, "bob", {direct("bob", "alice", "last").topic});

  second.subscribe({"direct/bob/#"});
  EXPECT_EQ(collect(second, 4), passed_over + topics_of({direct("bob", "carol", "unheard0"),
                                                         direct("bob", "carol", "unheard-again0")}));
  expect_next_to_be(direct("bob", "carol", "live-at-last"), carol, second);
}

TEST_P(sessions, are_taken_over_by_their_own_account_and_lose_nothing) {
  open();
  auto alice = raw(account("alice"));
  auto first = raw(lasting("bob", GetParam()));
  first.subscribe({"direct/bob/#"});
  const auto sent = publish_all(alice, letters("bob", "alice", "m", 30));
  first.expect_publishes(5);
  auto second = raw(lasting("bob", GetParam()));
  EXPECT_TRUE(first.closed_by_broker());
  EXPECT_EQ(collect(second, 30), sent);
  acknowledge(second, "bob", sent);
  wait_until_waiting("bob", 0);
  expect_next_to_be(direct("bob", "alice", "later"), alice, second);
}

TEST_P(sessions, start_afresh_when_a_clean_one_takes_over) {
  open();
  auto alice = raw(account("alice"));
  auto first = raw(lasting("bob", GetParam()));
  first.subscribe({"direct/bob/#"});
  const auto sent = publish_all(alice, letters("bob", "alice", "m", 30));
  first.expect_publishes(5);
  auto second = raw(account("bob", GetParam()));
  EXPECT_TRUE(first.closed_by_broker());
  publish_all(alice, letters("bob", "alice", "between", 1));
  second.subscribe({"direct/bob/alice/#"});
  EXPECT_EQ(collect(second, 31), sent + topics_of(letters("bob", "alice", "between", 1)));
}

TEST_P(sessions, are_not_taken_over_by_another_account_while_connected) {
  open();
  auto alice = raw(account("alice"));
  auto bob = raw(account("bob", GetParam()));
  bob.subscribe({"direct/bob/#"});
  connect_settings thief = account("carol", GetParam());
  thief.client_id = "bob";
  raw_mqtt carol(broker().port());
  EXPECT_EQ(carol.connect(thief).reason, GetParam() == mqtt_version::v5 ? 0x87 : 5);
  broker().wait_for_log("login of carol refused: another account is connected with this client id");
  expect_next_to_be(direct("bob", "alice", "m1"), alice, bob);
}

TEST_P(sessions, do_not_give_their_mail_to_another_account_that_takes_up_their_client_id) {
  open();
  auto alice = raw(account("alice"));
  auto first = raw(lasting("bob", GetParam()));
  first.subscribe({"direct/bob/#"});
  const auto sent = publish_all(alice, letters("bob", "alice", "m", 30));
  first.expect_publishes(5);
  first.disconnect();
  connect_settings thief = lasting("carol", GetParam());
  thief.client_id = "bob";
  EXPECT_TRUE(raw(thief).closed_by_broker());  // which makes room for what is hers
  auto carol = raw(thief);
  carol.subscribe({"direct/carol/#"});
  publish_all(alice, letters("bob", "alice", "more", 2));
  expect_next_to_be(direct("carol", "alice", "hers"), alice, carol);
  carol.disconnect();
  auto bob = raw(account("bob", GetParam()));
  bob.subscribe({"direct/bob/#"});
  EXPECT_EQ(collect(bob, 32), sent + topics_of(letters("bob", "alice", "more", 2)));
}

TEST_P(sessions, go_on_after_leaving_a_group_whose_messages_they_hold) {
  open();
  auto alice = raw(account("alice"));
  auto first = raw(lasting("bob", GetParam()));
  first.subscribe({"direct/bob/#", "group/crew/#"});
  for (int i = 0; i < 30; ++i) alice.publish(to_group("crew", "alice", "g" + std::to_string(i)));
  first.expect_publishes(20);
  first.disconnect();
  ASSERT_EQ(run_restante({"group", "leave", "crew", "bob"}).exit_code, 0);
  wait_until_waiting("bob", 0);
  EXPECT_TRUE(raw(lasting("bob", GetParam())).closed_by_broker());
  auto second = raw(lasting("bob", GetParam()));
  expect_next_to_be(direct("bob", "alice", "m1"), alice, second);
}

// ---- sixty unacknowledged

struct dropping {
  mqtt_version version;
  bool lasts;
  int in_flight;  // max_inflight_messages: how many the broker sends before it has a PUBACK
};

class dropped_sessions : public post_office_fixture, public ::testing::WithParamInterface<dropping> {};

std::string name_of(const dropping& how) {
  return name_of(how.version) + (how.lasts ? "_lasting_" : "_clean_") + std::to_string(how.in_flight) +
         "_in_flight";
}

INSTANTIATE_TEST_SUITE_P(
    of_mqtt, dropped_sessions,
    ::testing::Values(dropping{mqtt_version::v3, true, 200}, dropping{mqtt_version::v5, true, 200},
                      dropping{mqtt_version::v3, true, 20}, dropping{mqtt_version::v5, true, 20},
                      dropping{mqtt_version::v3, false, 200}, dropping{mqtt_version::v5, false, 200},
                      dropping{mqtt_version::v3, false, 20}, dropping{mqtt_version::v5, false, 20}),
    [](const auto& each) { return name_of(each.param); });

TEST_P(dropped_sessions, get_everything_and_go_on_after_ten_drops_with_sixty_unacknowledged) {
  const auto [version, lasts, in_flight] = GetParam();
  open({.lines = {"max_inflight_messages " + std::to_string(in_flight)}});
  const auto shown_at_once = [limit = static_cast<std::size_t>(in_flight)](const auto& sent) {
    return std::vector(sent.begin(),
                       sent.begin() + static_cast<std::ptrdiff_t>(std::min(limit, sent.size())));
  };
  const auto come_back = [&, version = version, lasts = lasts] {
    auto bob = raw(lasts ? lasting("bob", version) : account("bob", version));
    if (!lasts) bob.subscribe({"direct/bob/#"});
    return bob;
  };
  auto alice = raw(account("alice"));
  std::vector<std::string> sent;
  {
    auto bob = come_back();
    if (lasts) bob.subscribe({"direct/bob/#"});
    sent = publish_all(alice, letters("bob", "alice", "m", 60));
    EXPECT_EQ(topics_of(bob.expect_publishes(shown_at_once(sent).size())), shown_at_once(sent));
    bob.drop();
  }
  for (int round = 0; round < 10; ++round) {
    sent = sent + publish_all(alice, letters("bob", "alice", "more", 1, "", round));
    auto bob = come_back();
    EXPECT_EQ(topics_of(bob.expect_publishes(shown_at_once(sent).size())), shown_at_once(sent));
    bob.drop();
  }
  auto bob = come_back();
  EXPECT_EQ(collect(bob, sent.size()), sent);
  acknowledge(bob, "bob", sent);
  wait_until_waiting("bob", 0);
  const auto later = publish_all(alice, letters("bob", "alice", "later", 250));
  EXPECT_EQ(collect(bob, 200), std::vector(later.begin(), later.begin() + 200));
  acknowledge(bob, "bob", std::vector(later.begin(), later.begin() + 200));
  EXPECT_EQ(collect(bob, 50), std::vector(later.begin() + 200, later.end()));
  acknowledge(bob, "bob", std::vector(later.begin() + 200, later.end()));
  wait_until_waiting("bob", 0);
}

// ---- QoS 2 broken off

enum class comeback { completes, repeats, repeats_in_a_new_session };
using breaking_off = std::tuple<mqtt_version, comeback>;

class interrupted_publishers : public post_office_fixture,
                               public ::testing::WithParamInterface<breaking_off> {};

std::string name_of(const breaking_off& how) {
  const auto [version, back] = how;
  return name_of(version) + (back == comeback::completes ? "_completes"
                             : back == comeback::repeats ? "_repeats"
                                                         : "_repeats_in_a_new_session");
}

INSTANTIATE_TEST_SUITE_P(of_mqtt, interrupted_publishers,
                         ::testing::Combine(::testing::Values(mqtt_version::v3, mqtt_version::v5),
                                            ::testing::Values(comeback::completes, comeback::repeats,
                                                              comeback::repeats_in_a_new_session)),
                         [](const auto& each) { return name_of(each.param); });

TEST_P(interrupted_publishers, are_heard_once_and_in_order_whatever_they_do_when_they_are_back) {
  const auto [version, how] = GetParam();
  open();
  auto bob = raw(account("bob"));
  bob.subscribe({"direct/bob/#"}, 2);
  auto carol = raw(account("carol"));
  mqtt_message interrupted = direct("bob", "alice", "interrupted", "once");
  interrupted.qos = 2;
  std::uint16_t packet_id = 0;
  {
    auto alice = raw(lasting("alice", version));
    packet_id = alice.send_publish(interrupted);
    alice.expect(packet_type::pubrec);
    alice.drop();
  }
  const auto before = publish_all(carol, letters("bob", "carol", "before", 2));
  EXPECT_EQ(collect(bob, 3), std::vector{interrupted.topic} + before);

  auto alice =
      raw(how == comeback::repeats_in_a_new_session ? account("alice", version) : lasting("alice", version));
  if (how == comeback::repeats_in_a_new_session) {
    EXPECT_EQ(alice.publish(interrupted), 0);
  } else {
    if (how == comeback::repeats) {
      interrupted.duplicate = true;
      alice.send_publish(interrupted, packet_id);
      EXPECT_EQ(parse_acknowledgement(alice.expect(packet_type::pubrec)).reason, 0);
    }
    alice.send(acknowledgement_packet(packet_type::pubrel, version, packet_id));
    EXPECT_EQ(parse_acknowledgement(alice.expect(packet_type::pubcomp)).packet_id, packet_id);
  }
  const auto after = publish_all(carol, letters("bob", "carol", "after", 2));
  EXPECT_EQ(collect(bob, 2), after);
  wait_until_waiting("bob", 5);
  acknowledge(bob, "bob", std::vector{interrupted.topic} + before + after);
  wait_until_waiting("bob", 0);
}

}  // namespace
}  // namespace restante
