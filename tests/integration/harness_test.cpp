// The harness itself, on a Mosquitto without the plugin: what these tests show, the other tests take for
// granted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/eventually.h"
#include "support/failure.h"
#include "support/mosquitto_broker.h"
#include "support/paho_client.h"
#include "support/post_office_fixture.h"
#include "support/postgres_server.h"
#include "support/process.h"
#include "support/raw_mqtt.h"

namespace restante::support {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const broker_settings stock{.plugin = false};

class each_version : public ::testing::TestWithParam<mqtt_version> {
 protected:
  connect_settings client(const std::string& name) const {
    return {.client_id = name, .version = GetParam()};
  }
  bool v5() const { return GetParam() == mqtt_version::v5; }
};
INSTANTIATE_TEST_SUITE_P(harness, each_version, ::testing::Values(mqtt_version::v3, mqtt_version::v5),
                         [](const auto& instance) {
                           return instance.param == mqtt_version::v3 ? "v3" : "v5";
                         });

TEST_P(each_version, paho_receives_what_paho_publishes) {
  mosquitto_broker broker(stock);
  paho_client receiver(broker.port(), client("receiver"));
  receiver.connect();
  EXPECT_EQ(receiver.subscribe("some/#", 2), 2);
  paho_client sender(broker.port(), client("sender"));
  sender.connect();
  for (int qos = 0; qos <= 2; ++qos) {
    EXPECT_EQ(sender.publish({.topic = "some/topic", .payload = std::to_string(qos), .qos = qos}), 0);
  }
  EXPECT_THAT(payloads_of(receiver.expect_messages(3)), ElementsAre("0", "1", "2"));
  sender.disconnect();
  EXPECT_FALSE(sender.connected());
}

TEST_P(each_version, raw_client_receives_what_it_publishes_with_every_qos) {
  mosquitto_broker broker(stock);
  raw_mqtt client_of_both(broker.port());
  client_of_both.login(client("both"));
  EXPECT_THAT(client_of_both.subscribe({"a/#", "b/+"}, 2), ElementsAre(2, 2));
  for (int qos = 0; qos <= 2; ++qos) {
    EXPECT_EQ(client_of_both.publish({.topic = "a/b", .payload = "x", .qos = qos}), 0);
    const mqtt_message received = client_of_both.expect_publish();
    EXPECT_EQ(received.topic, "a/b");
    EXPECT_EQ(received.qos, qos);
    client_of_both.acknowledge(received);
  }
  client_of_both.unsubscribe({"a/#"});
  client_of_both.publish({.topic = "a/b", .payload = "unheard"});
  client_of_both.ping();
  EXPECT_EQ(client_of_both.waiting_publishes(), 0U);
  client_of_both.disconnect();
}

TEST_P(each_version, what_raw_client_does_not_acknowledge_comes_again) {
  mosquitto_broker broker(stock);
  connect_settings persistent = client("persistent");
  persistent.clean = false;
  persistent.session_expiry_s = 60;
  {
    raw_mqtt first(broker.port());
    EXPECT_FALSE(first.connect(persistent).session_present);
    first.subscribe({"a"});
    first.publish({.topic = "a", .payload = "again"});
    EXPECT_FALSE(first.expect_publish().duplicate);
  }
  raw_mqtt second(broker.port());
  EXPECT_TRUE(second.connect(persistent).session_present);
  const mqtt_message repeated = second.expect_publish();
  EXPECT_TRUE(repeated.duplicate);
  EXPECT_EQ(repeated.payload, "again");
}

TEST_P(each_version, refusals_have_their_reason_codes) {
  const temporary_directory directory;
  write_file(directory.path() / "acl", "topic read readable/#\n");
  mosquitto_broker broker({.plugin = false, .lines = {"acl_file " + (directory.path() / "acl").string()}});
  paho_client paho(broker.port(), client("paho"));
  paho.connect();
  raw_mqtt raw(broker.port());
  raw.login(client("raw"));
  EXPECT_EQ(raw.publish({.topic = "unwritable"}), v5() ? 0x87 : 0);
  EXPECT_EQ(paho.publish({.topic = "unwritable"}), v5() ? 0x87 : 0);
  EXPECT_EQ(raw.publish({.topic = "unwritable", .qos = 2}), v5() ? 0x87 : 0);
}

TEST_P(each_version, refused_logins_have_their_reason_codes) {
  const temporary_directory directory;
  write_file(directory.path() / "passwords", "");
  mosquitto_broker broker(
      {.plugin = false, .lines = {"password_file " + (directory.path() / "passwords").string()}});
  connect_settings stranger = client("stranger");
  stranger.user = "stranger";
  stranger.password = "guess";
  paho_client paho(broker.port(), stranger);
  EXPECT_EQ(paho.try_connect(), v5() ? 0x87 : 5);
  EXPECT_THROW(paho.connect(), failure);
  raw_mqtt raw(broker.port());
  EXPECT_EQ(raw.connect(stranger).reason, v5() ? 0x87 : 5);
  EXPECT_TRUE(raw.closed_by_broker());
}

TEST(harness, properties_pass_through_both_clients) {
  mosquitto_broker broker(stock);
  const mqtt_properties properties{.payload_format = 1,
                                   .expiry_s = 3'600,
                                   .content_type = "text/plain",
                                   .response_topic = "answers",
                                   .correlation_data = std::string("\0\x01", 2),
                                   .user = {{"name", "first"}, {"name", "second"}}};
  paho_client paho(broker.port(), {.client_id = "paho"});
  paho.connect();
  paho.subscribe("from/raw");
  raw_mqtt raw(broker.port());
  raw.login({.client_id = "raw"});
  raw.subscribe({"from/paho"});

  raw.publish({.topic = "from/raw", .properties = properties});
  EXPECT_EQ(paho.expect_messages(1).at(0).properties, properties);
  paho.publish({.topic = "from/paho", .properties = properties});
  EXPECT_EQ(raw.expect_publish().properties, properties);
  EXPECT_EQ(properties.user_value("name"), "first");
  EXPECT_EQ(properties.user_value("none"), std::nullopt);
}

TEST(harness, wills_are_published_for_clients_that_drop) {
  mosquitto_broker broker(stock);
  raw_mqtt watcher(broker.port());
  watcher.login({.client_id = "watcher"});
  watcher.subscribe({"wills/#"});
  raw_mqtt dropping(broker.port());
  dropping.login({.client_id = "dropping", .will = mqtt_message{.topic = "wills/mine", .payload = "gone"}});
  dropping.drop();
  EXPECT_EQ(watcher.expect_publish().payload, "gone");
}

TEST(harness, broken_bytes_reach_the_broker) {
  mosquitto_broker broker(stock);
  raw_mqtt client(broker.port());
  client.login({.client_id = "broken"});
  client.send_publish({.topic = "not/utf-8/\xff\xfe"});
  EXPECT_TRUE(client.closed_by_broker());
  EXPECT_TRUE(broker.running());
}

TEST(harness, paho_speaks_websocket) {
  mosquitto_broker broker({.plugin = false, .websocket = true});
  paho_client client(broker.websocket_port(), {.client_id = "web"}, paho_client::transport::websocket);
  client.connect();
  client.subscribe("a");
  client.publish({.topic = "a", .payload = "through the web"});
  EXPECT_THAT(payloads_of(client.expect_messages(1)), ElementsAre("through the web"));
}

TEST(harness, a_persistent_broker_remembers_sessions_over_a_restart) {
  for (const bool persistence : {true, false}) {
    mosquitto_broker broker({.plugin = false, .persistence = persistence});
    const connect_settings lasting{.client_id = "lasting", .clean = false, .session_expiry_s = 600};
    const int port = broker.port();
    raw_mqtt(port).login(lasting);
    broker.restart();
    EXPECT_EQ(broker.port(), port);
    EXPECT_EQ(raw_mqtt(port).connect(lasting).session_present, persistence);
  }
}

TEST(harness, a_killed_broker_starts_again) {
  mosquitto_broker broker(stock);
  const pid_t before = broker.pid();
  broker.kill();
  EXPECT_FALSE(broker.running());
  EXPECT_THROW(raw_mqtt{broker.port()}, failure);
  broker.start();
  EXPECT_NE(broker.pid(), before);
  raw_mqtt(broker.port()).login({.client_id = "back"});
  EXPECT_GT(broker.resident_memory_bytes(), 1'000'000U);
}

TEST(harness, a_broker_that_does_not_start_says_why) {
  std::string log;
  EXPECT_NE(mosquitto_broker::start_and_end({.plugin = false, .lines = {"no_such_setting 1"}}, log), 0);
  EXPECT_THAT(log, HasSubstr("no_such_setting"));
  EXPECT_THROW(mosquitto_broker({.plugin = false, .lines = {"no_such_setting 1"}}), failure);
}

TEST(harness, the_log_can_be_waited_for) {
  mosquitto_broker broker(stock);
  const std::size_t before = broker.log_text().size();
  raw_mqtt client(broker.port());
  client.login({.client_id = "somebody-special"});
  broker.wait_for_log("somebody-special", before);
}

TEST(harness, each_database_is_fresh_and_migrated) {
  const database first = shared_postgres().create_database(migrated());
  query(first.owner, "insert into restante.account (name) values ('somebody')");
  const database second = shared_postgres().create_database(migrated());
  EXPECT_EQ(query(first.broker, "select name from restante.account"), "somebody");
  EXPECT_EQ(query(second.broker, "select name from restante.account"), "");
  EXPECT_THROW(query(second.broker, "create table mine (number int)"), failure);
}

class post_office : public post_office_fixture {};

TEST_F(post_office, has_accounts_and_a_group_and_no_mail) {
  EXPECT_EQ(sql("select string_agg(name, ' ' order by name) from restante.account"), "alice bob carol dave");
  EXPECT_EQ(
      sql("select string_agg(a.name, ' ' order by a.name) from restante.member m "
          "join restante.account a on a.id = m.account_id join restante.account_group g on g.id = m.group_id "
          "where g.name = 'crew'"),
      "alice bob carol");
  wait_until_waiting("bob", 0);
  EXPECT_THAT(run_restante({"user", "list"}).output, HasSubstr("carol"));
}

TEST_F(post_office, opens_and_takes_a_letter) {
  open();
  raw_mqtt alice = raw(account("alice"));
  EXPECT_TRUE(is_success(alice.publish(direct("bob", "alice", "1", "Dear Bob"))));
  wait_until_waiting("bob", 1);
  paho_client bob = paho(account("bob", mqtt_version::v3));
  bob.subscribe("direct/bob/#");
  EXPECT_THAT(payloads_of(bob.expect_messages(1)), ElementsAre("Dear Bob"));
  bob.publish(acknowledgement_of("bob", {"alice/1"}));
  wait_until_waiting("bob", 0);

  restart();
  crash_and_restart();
  connect_settings liar = account("alice");
  liar.password = "bob";
  EXPECT_THROW(raw(liar), failure);
  EXPECT_THROW(paho(liar), failure);
}

TEST(harness, postgres_stops_crashes_freezes_and_comes_back) {
  postgres_server server;
  const database kept = server.create_database();
  query(kept.owner, "create table kept as select 1 as one");
  server.stop();
  EXPECT_THROW(query(kept.owner, "select"), failure);
  server.start();
  EXPECT_EQ(query(kept.owner, "select one from kept"), "1");
  server.kill();
  EXPECT_THROW(query(kept.owner, "select"), failure);
  server.start();
  EXPECT_EQ(query(kept.owner, "select one from kept"), "1");

  server.freeze();
  process asking({.arguments = {postgres_program("psql"), "--no-psqlrc", "-c", "select", kept.owner}});
  EXPECT_EQ(asking.wait(std::chrono::milliseconds{300}), std::nullopt);
  server.thaw();
  EXPECT_EQ(asking.wait(patience), 0);
}

TEST(harness, processes_are_killed_when_their_object_goes) {
  pid_t pid = 0;
  {
    process lasting({.arguments = {"tail", "-f", "/dev/null"}});
    pid = lasting.pid();
    EXPECT_TRUE(lasting.running());
    EXPECT_EQ(lasting.wait(std::chrono::milliseconds{10}), std::nullopt);
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST(harness, runs_tell_exit_code_and_output) {
  EXPECT_EQ(run({.arguments = {"cat"}}, "through").output, "through");
  EXPECT_EQ(run({.arguments = {"sh", "-c", "exit 3"}}).exit_code, 3);
  EXPECT_EQ(run({.arguments = {"/no/such/program"}}).exit_code, 127);
  EXPECT_THROW(run_or_fail({.arguments = {"false"}}), failure);
  EXPECT_EQ(run({.arguments = {"sh", "-c", "echo $PLACE"}, .environment = {{"PLACE", "here"}}}).output,
            "here\n");
}

}  // namespace
}  // namespace restante::support
