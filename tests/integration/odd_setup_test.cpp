// Options that are wrong, and set-ups that are unusual: a clear line, or all goes well.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "support/post_office_fixture.h"

namespace restante {
namespace {

using namespace support;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What the plugin says, line by line, without the time.
std::vector<std::string> lines_of_the_plugin(const std::string& log) {
  std::vector<std::string> found;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    const auto at = line.find("restante: ");
    if (at != std::string::npos) found.push_back(line.substr(at));
  }
  return found;
}

struct wrong_option {
  const char *name, *value, *explained;
};

TEST(wrong_options, stop_the_start_with_one_clear_line_each) {
  for (const auto& wrong :
       {wrong_option{"windw", "5", "option windw: unknown; the nearest names are window"},
        wrong_option{"window", "0", "option window: '0' is not accepted; give a whole number"},
        wrong_option{"window", "many", "option window: 'many' is not accepted"},
        wrong_option{"window", "10001", "from 1 to 10000"},
        wrong_option{"retention", "30", "option retention: '30' is not accepted; give a time"},
        wrong_option{"retention", "0", "from 1s to 3650d"},
        wrong_option{"linger", "-1s", "option linger: '-1s' is not accepted"},
        wrong_option{"window_bytes", "4TB", "option window_bytes: '4TB' is not accepted; give a size"},
        wrong_option{"max_payload", "1GB", "option max_payload"},
        wrong_option{"journal", "here", "option journal: 'here' is not accepted; give an absolute path"},
        wrong_option{"topic_prefix", "site/#", "option topic_prefix: 'site/#' is not accepted"},
        wrong_option{"ack", "sometimes", "option ack: 'sometimes' is not accepted; give auto, receipt"},
        wrong_option{"ack", "puback", "ack puback needs Mosquitto 2.1"},
        wrong_option{"publish_rate", "0", "option publish_rate: '0' is not accepted; give `off`"}}) {
    std::string log;
    EXPECT_NE(mosquitto_broker::start_and_end({.options = {{wrong.name, wrong.value}}}, log), 0);
    const auto said = lines_of_the_plugin(log);
    ASSERT_EQ(said.size(), 1U) << log;
    EXPECT_THAT(said[0], HasSubstr(wrong.explained)) << wrong.name;
  }
}

TEST(wrong_options, never_show_the_database_in_the_log) {
  std::string log;
  EXPECT_NE(mosquitto_broker::start_and_end(
                {.options = {{"database", "password=secret " + std::string(9'000, 'x')}}}, log),
            0);
  EXPECT_THAT(log, HasSubstr("option database"));
  EXPECT_EQ(log.find("secret"), std::string::npos);
}

TEST(wrong_options, of_the_database_let_the_broker_start_and_nobody_in) {
  mosquitto_broker broker(
      {.options = {{"database", "host=/nowhere dbname=none password=secret connect_timeout=1"}}});
  broker.wait_for_log("restante: ");
  raw_mqtt client(broker.port());
  EXPECT_NE(client.try_connect(account("alice")).value_or(connection_answer{false, 0x88}).reason, 0);
  broker.wait_for_log("login of alice put off: ");
  EXPECT_EQ(broker.log_text().find("secret"), std::string::npos);
  broker.stop();
}

class unusual_setup : public post_office_fixture {};

TEST_F(unusual_setup, of_listeners_each_with_settings_of_its_own_says_what_mends_it) {
  mosquitto_broker broker({.options = {{"database", mail().broker}}, .per_listener_settings = true});
  // From 2.0.15 on the timer runs there as well, and clients are let in.
  const std::string remedy =
      "login of alice put off: the broker's timer has not run yet. If it never does, `per_listener_settings "
      "true` "
      "is the cause on Mosquitto 2.0.11: remove it from mosquitto.conf";
  for (const auto version : {mqtt_version::v3, mqtt_version::v5}) {
    std::optional<connection_answer> answer;
    EXPECT_TRUE(eventually([&] {
      raw_mqtt client(broker.port());
      answer = client.try_connect(account("alice", version));
      return answer.has_value() || broker.log_text().find(remedy) != std::string::npos;
    }));
    if (answer) {
      EXPECT_EQ(answer->reason, 0);
    }
  }
  EXPECT_TRUE(broker.running());
  broker.stop();
}

TEST_F(unusual_setup, of_websockets_carries_mail) {
  open({.websocket = true});
  // The broker hangs up on those whom it puts off.
  const auto is_answered = [](paho_client& client, int reason) {
    return eventually([&] { return client.try_connect() == reason; }, patience,
                      std::chrono::milliseconds(100));
  };
  paho_client bob(broker().websocket_port(), account("bob"), paho_client::transport::websocket);
  ASSERT_TRUE(is_answered(bob, 0));
  EXPECT_EQ(bob.subscribe("direct/bob/#"), 1);
  auto alice = paho(account("alice"));
  EXPECT_EQ(alice.publish(direct("bob", "alice", "live", "over the web")), 0);
  EXPECT_THAT(payloads_of(bob.expect_messages(1)), ElementsAre("over the web"));
  bob.publish(acknowledgement_of("bob", {"alice/live"}));
  bob.disconnect();
  wait_until_waiting("bob", 0);
  alice.publish(direct("bob", "alice", "waiting", std::string(100'000, 'w')));
  wait_until_waiting("bob", 1);
  bob.clear();
  ASSERT_TRUE(is_answered(bob, 0));
  bob.subscribe("direct/bob/#");
  EXPECT_THAT(payloads_of(bob.expect_messages(1)), ElementsAre(std::string(100'000, 'w')));
  auto back = direct("alice", "bob", "back");
  back.properties.expiry_s = 3'600;
  EXPECT_LT(bob.publish(back), 0x80);
  wait_until_waiting("alice", 1);
  EXPECT_EQ(sql("select extract(epoch from expires_at - accepted_at)::int from restante.waiting "
                "where account = 'alice'"),
            "3600");
  paho_client stranger(broker().websocket_port(), {.client_id = "s", .user = "alice", .password = "wrong"},
                       paho_client::transport::websocket);
  EXPECT_TRUE(is_answered(stranger, 0x87));
}

class topic_prefix_option : public post_office_fixture {
 protected:
  static mqtt_message below_site(mqtt_message message) {
    message.topic = "site/a/" + message.topic;
    return message;
  }
};

TEST_F(topic_prefix_option, moves_all_topics) {
  open({.options = {{"topic_prefix", "site/a"}}});
  auto alice = raw(account("alice"));
  EXPECT_EQ(alice.subscribe({"site/a/receipt/alice/#"}).at(0), 1);
  EXPECT_LT(alice.publish(below_site(direct("bob", "alice", "m1", "1"))), 0x80);
  EXPECT_LT(alice.publish(below_site(to_group("crew", "alice", "m2", "2"))), 0x80);
  wait_until_waiting("bob", 2);
  EXPECT_THAT(run_restante({"queue", "bob"}).output, HasSubstr("direct/bob/alice/m1"));
  auto bob = raw(account("bob"));
  EXPECT_EQ(bob.subscribe({"site/a/direct/bob/#", "site/a/group/crew/#"}), (std::vector{1, 1}));
  const auto waited = bob.expect_publishes(2);
  EXPECT_THAT(topics_of(waited), ElementsAre("site/a/direct/bob/alice/m1", "site/a/group/crew/alice/m2"));
  EXPECT_EQ(alice.publish(below_site(direct("bob", "alice", "m3"))), 0);
  EXPECT_EQ(bob.expect_publish().topic, "site/a/direct/bob/alice/m3");
  EXPECT_LT(bob.publish(below_site(acknowledgement_of("bob", {"alice/m1", "alice/m3"}))), 0x80);
  EXPECT_LT(bob.publish(below_site(receipt("alice", "bob", "m2", "read"))), 0x80);
  EXPECT_EQ(alice.expect_publish().topic, "site/a/receipt/alice/bob/m2");
  wait_until_waiting("bob", 0);
  EXPECT_EQ(alice.publish(below_site(direct("bob", "carol", "m4"))), 0x87) << "another's name";
  EXPECT_EQ(alice.subscribe({"site/a/direct/#"}).at(0), 0x87);
  EXPECT_EQ(alice.subscribe({"site/#"}).at(0), 0x87);
  EXPECT_EQ(alice.subscribe({"$share/g/site/a/direct/alice/#"}).at(0), 0x87);
}

TEST_F(topic_prefix_option, makes_ordinary_topics_of_those_without_it) {
  open({.options = {{"topic_prefix", "site/a"}}});
  auto alice = raw(account("alice"));
  EXPECT_EQ(alice.publish(direct("bob", "alice", "m1")), 0x87) << "no rule speaks of it any more";
  EXPECT_EQ(alice.subscribe({"direct/alice/#"}).at(0), 0x87);
  run_restante({"acl", "allow", "--everyone", "publish", "direct/#"});
  run_restante({"acl", "allow", "--everyone", "subscribe", "direct/#"});
  auto bob = raw(account("bob"));
  ASSERT_TRUE(eventually([&] { return bob.subscribe({"direct/#"}).at(0) == 1; }));
  // What it is not: durable, bound to its sender's name, or of any shape.
  for (const char* topic : {"direct/bob/alice/m2", "direct/carol/dave/m3", "direct/anything"}) {
    ASSERT_TRUE(eventually([&] { return alice.publish({.topic = topic, .payload = "x"}) == 0; })) << topic;
    EXPECT_EQ(bob.expect_publish().topic, topic);
  }
  alice.publish(below_site(direct("bob", "alice", "m4")));
  wait_until_waiting("bob", 1);
  EXPECT_EQ(sql("select count(*) from restante.waiting"), "1");
}

}  // namespace
}  // namespace restante
