// PostgreSQL goes away and comes back; two brokers want the same database.
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "heartbeat.h"
#include "mail_steps.h"

namespace restante {
namespace {

using namespace support;
using namespace std::chrono_literals;

using strings = std::vector<std::string>;

// The broker's thread may do nothing for no longer than this; a login may wait for the directory besides.
constexpr heartbeat::milliseconds longest_pause = 50ms;
constexpr heartbeat::milliseconds longest_login = 150ms;

struct own_server {
  postgres_server server;
};

class away_database : own_server, public post_office_fixture {
 protected:
  away_database() : post_office_fixture(own_server::server) {}
  postgres_server& server() { return own_server::server; }

  void open_without_waiting(broker_settings settings = {}) {
    settings.options["database"] = mail().broker;
    open(settings);
  }
  bool is_let_in(const mosquitto_broker& by, const connect_settings& who) {
    raw_mqtt client(by.port());
    const auto answer = client.try_connect(who);
    return answer && answer->reason == 0;
  }
  // As raw(), by another broker than the fixture's.
  raw_mqtt enter(const mosquitto_broker& by, const connect_settings& who) {
    std::optional<raw_mqtt> client;
    require_eventually(who.user + " is let in", [&] {
      const auto answer = client.emplace(by.port()).try_connect(who);
      return answer && answer->reason == 0;
    });
    return std::move(*client);
  }
  raw_mqtt listening(const std::string& name) {
    auto made = raw(account(name));
    made.subscribe({"direct/" + name + "/#"});
    return made;
  }
};

TEST_F(away_database, at_the_start_lets_nobody_in_until_it_is_there) {
  server().stop();
  open_without_waiting();
  EXPECT_FALSE(is_let_in(broker(), account("alice")));
  EXPECT_FALSE(is_let_in(broker(), account("alice", mqtt_version::v3)));
  broker().wait_for_log("login of alice put off: ");
  broker().wait_for_log("connection to server on socket");
  EXPECT_EQ(broker().log_text().find("the database is reached"), std::string::npos);

  server().start();
  auto bob = listening("bob");
  auto alice = raw(account("alice"));
  const strings sent = publish_all(alice, letters("bob", "alice", "m", 3));
  EXPECT_EQ(collect(bob, 3), sent);
  wait_until_waiting("bob", 3);
}

TEST_F(away_database, at_the_end_does_not_keep_the_broker_and_what_it_lacks_is_said) {
  open_without_waiting();
  auto alice = raw(account("alice"));
  server().stop();
  publish_all(alice, letters("bob", "alice", "m", 7));
  const auto began = std::chrono::steady_clock::now();
  broker().stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
  broker().wait_for_log("ending with 7 entries that the database did not take: they stay in the journal");
}

// ---- while sessions are live

enum class outage { stopped, killed, frozen };

class outages : public away_database, public ::testing::WithParamInterface<outage> {
 protected:
  void begin() {
    switch (GetParam()) {
      case outage::stopped:
        return server().stop();
      case outage::killed:
        return server().kill();
      case outage::frozen:
        return server().freeze();
    }
  }
  void end() { GetParam() == outage::frozen ? server().thaw() : server().start(); }
};

std::string name_of_outage(const ::testing::TestParamInfo<outage>& instance) {
  const char* const names[] = {"stopped", "killed", "frozen"};
  return names[static_cast<int>(instance.param)];
}

INSTANTIATE_TEST_SUITE_P(of_a_database, outages,
                         ::testing::Values(outage::stopped, outage::killed, outage::frozen), name_of_outage);

TEST_P(outages, leave_live_sessions_live_and_lose_nothing_of_what_is_accepted) {
  open({.options = {{"window", "20"}}});
  auto alice = raw(account("alice"));
  auto bob = listening("bob");
  auto carol = listening("carol");
  const strings to_bob = publish_all(alice, letters("bob", "alice", "b", 2));
  EXPECT_EQ(collect(bob, 2), to_bob);
  // Not before her first page is read, or she would get more by pages.
  const strings first = publish_all(alice, letters("carol", "alice", "first", 1));
  EXPECT_EQ(collect(carol, 1), first);
  acknowledge(carol, "carol", first);
  wait_until_waiting("carol", 0);
  const strings to_carol = publish_all(alice, letters("carol", "alice", "c", 30));
  const strings first_window(to_carol.begin(), to_carol.begin() + 20);
  EXPECT_EQ(collect(carol, 20), first_window);  // she is behind now
  wait_until_waiting("carol", 30);
  heartbeat beat(broker().pid(), raw(account("dave")));
  beat.longest();

  begin();
  const strings live = publish_all(alice, letters("bob", "alice", "live", 10));
  EXPECT_EQ(collect(bob, 10), live);
  acknowledge(bob, "bob", strings(live.begin(), live.begin() + 4));
  const strings more_to_carol = publish_all(alice, letters("carol", "alice", "more", 3));
  acknowledge(carol, "carol", first_window);
  // What she missed a moment ago is still in memory.
  EXPECT_EQ(collect(carol, 13), strings(to_carol.begin() + 20, to_carol.end()) + more_to_carol);
  const auto while_away = beat.longest();

  end();
  wait_until_waiting("carol", 13);
  wait_until_waiting("bob", 8);
  const strings later = publish_all(alice, letters("bob", "alice", "later", 2));
  EXPECT_EQ(collect(bob, 2), later);
  acknowledge(bob, "bob", to_bob + strings(live.begin() + 4, live.end()) + later);
  wait_until_waiting("bob", 0);
  const auto when_back = beat.longest();
  EXPECT_LE(while_away, longest_pause);
  EXPECT_LE(when_back, longest_pause);
  std::cout << "longest pause of the broker: " << while_away.count() << " ms while the database was away, "
            << when_back.count() << " ms when it was back\n";
}

// Whatever becomes of the batches that are being stored when it goes.
TEST_P(outages, that_come_one_after_another_leave_every_message_once_and_in_order) {
  open({.options = {{"linger", "0"}}});
  auto alice = raw(account("alice"));
  strings sent;
  const auto publish = [&] {
    sent = sent + publish_all(alice, letters("bob", "alice", "m", 150, "", static_cast<int>(sent.size())));
  };
  for (int round = 0; round < 3; ++round) {
    publish();
    begin();
    publish();
    end();
  }
  publish();
  wait_until_waiting("bob", static_cast<std::int64_t>(sent.size()));
  auto bob = listening("bob");
  for (std::size_t first = 0; first < sent.size(); first += 150) {
    const auto begin = sent.begin() + static_cast<std::ptrdiff_t>(first);
    const strings expected(begin, begin + 150);
    EXPECT_EQ(collect(bob, 150), expected);
    acknowledge(bob, "bob", expected);
  }
  wait_until_waiting("bob", 0);
}

TEST_P(outages, hold_up_the_broker_for_a_login_no_longer_than_is_said) {
  open();
  heartbeat beat(broker().pid(), raw(account("dave")));
  const auto log_in_for = [&](std::chrono::seconds time) {
    std::size_t let_in = 0;
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) let_in += is_let_in(broker(), account("alice"));
    return let_in;
  };
  beat.longest();
  begin();
  EXPECT_EQ(log_in_for(3s), 0U);
  const auto while_away = beat.longest();
  end();
  raw(account("alice"));
  EXPECT_GT(log_in_for(2s), 0U);
  const auto when_back = beat.longest();
  EXPECT_LE(while_away, longest_login + longest_pause);
  EXPECT_LE(when_back, longest_login + longest_pause);
  std::cout << "longest pause of the broker during logins: " << while_away.count()
            << " ms while the database was away, " << when_back.count() << " ms when it was back\n";
}

// ---- more than may wait to be stored

class full_queues : public away_database, public ::testing::WithParamInterface<mqtt_version> {};

INSTANTIATE_TEST_SUITE_P(of_mqtt, full_queues, ::testing::Values(mqtt_version::v3, mqtt_version::v5),
                         [](const auto& each) {
                           return std::string(each.param == mqtt_version::v5 ? "v5" : "v3");
                         });

TEST_P(full_queues, turn_their_sender_away_without_an_answer_and_nobody_else) {
  constexpr std::size_t limit = 50;
  open({.options = {{"sender_limit", std::to_string(limit)}}});
  auto alice = raw(account("alice", GetParam()));
  auto carol = raw(account("carol", GetParam()));
  auto bob = listening("bob");
  const strings early = publish_all(carol, letters("bob", "carol", "early", 2));
  EXPECT_EQ(collect(bob, 2), early);
  wait_until_waiting("bob", 2);
  server().stop();

  // What the store's thread holds already does not count, so there are a few more than the limit.
  strings accepted;
  mqtt_message refused;
  for (int i = 0; !alice.closed_by_broker(0ms); ++i) {
    refused = direct("bob", "alice", "m" + std::to_string(i));
    try {
      ASSERT_LT(alice.publish(refused), 0x80);
      accepted.push_back(refused.topic);
    } catch (const failure&) {
      ASSERT_TRUE(alice.closed_by_broker());
    }
    ASSERT_LE(accepted.size(), 20 * limit);
  }
  EXPECT_GE(accepted.size(), limit);
  broker().wait_for_log("alice has reached sender_limit");
  const strings others = publish_all(carol, letters("bob", "carol", "other", 2));
  EXPECT_EQ(collect(bob, accepted.size() + 2), accepted + others);
  acknowledge(bob, "bob", early + others);

  server().start();
  wait_until_waiting("bob", accepted.size());
  auto alice_again = raw(account("alice", GetParam()));
  publish_all(alice_again, {refused});
  EXPECT_EQ(collect(bob, 1), strings{refused.topic});
  wait_until_waiting("bob", accepted.size() + 1);
}

TEST_P(full_queues, take_acknowledgements_also_from_those_whose_messages_they_do_not_take) {
  open({.options = {{"sender_limit", "5"}}});
  auto bob = raw(account("bob"));
  auto alice = raw(account("alice", GetParam()));
  alice.subscribe({"direct/alice/#"});
  connect_settings second_device = account("alice", GetParam());
  second_device.client_id = "alice's other device";
  auto other_device = raw(second_device);
  const strings mail = publish_all(bob, letters("alice", "bob", "m", 3));
  EXPECT_EQ(collect(alice, 3), mail);
  wait_until_waiting("alice", 3);
  server().stop();
  for (int i = 0; !other_device.closed_by_broker(0ms); ++i) {
    other_device.send_publish(direct("carol", "alice", "m" + std::to_string(i)));
    other_device.next();
    ASSERT_LT(i, 1'000);
  }
  broker().wait_for_log("alice has reached sender_limit");
  acknowledge(alice, "alice", mail);
  server().start();
  wait_until_waiting("alice", 0);
}

// ---- two brokers

class two_brokers : public away_database, public ::testing::WithParamInterface<bool> {};

INSTANTIATE_TEST_SUITE_P(whose_first_ends, two_brokers, ::testing::Bool(), [](const auto& each) {
  return std::string(each.param ? "in_order" : "by_a_crash");
});

TEST_P(two_brokers, do_not_share_a_database_but_follow_one_another) {
  open();
  mosquitto_broker second({.options = {{"database", mail().broker}}});
  second.wait_for_log("another broker uses this database");
  EXPECT_FALSE(is_let_in(second, account("carol")));
  second.wait_for_log("login of carol put off: another broker uses this database");

  auto alice = raw(account("alice"));
  const strings sent = publish_all(alice, letters("bob", "alice", "m", 3));
  {
    auto bob = listening("bob");
    EXPECT_EQ(collect(bob, 3), sent);
    acknowledge(bob, "bob", {sent[0]});
  }
  wait_until_waiting("bob", 2);
  EXPECT_FALSE(is_let_in(second, account("carol")));
  EXPECT_EQ(second.log_text().find("the database is reached"), std::string::npos);

  GetParam() ? broker().stop() : broker().kill();
  second.wait_for_log("the database is reached");
  auto bob = enter(second, account("bob"));
  bob.subscribe({"direct/bob/#"});
  EXPECT_EQ(collect(bob, 2), (strings{sent[1], sent[2]}));
  second.stop();
}

}  // namespace
}  // namespace restante
