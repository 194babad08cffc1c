// The whole way: an account asks over MQTT, the plugin keeps the request, the bridge answers it once, and
// Stream has the profile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "support/eventually.h"
#include "support/post_office_fixture.h"
#include "support/stream/stand_in_process.h"

namespace restante {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using support::mqtt_message;
using support::require_eventually;
using testing::HasSubstr;

class bridged_office : public support::post_office_fixture {
 protected:
  void SetUp() override {
    must_run({"user", "add", "bridge", "--password-stdin"}, "bridge-password\n");
    must_run({"user", "set", "bridge", "--acknowledge", "receipt"});
  }
  void grant() {
    must_run({"service", "grant", "profile", "bridge"});
    must_run({"service", "grant", "stream-token", "bridge"});
  }
  void TearDown() override {
    bridge_.reset();
    post_office_fixture::TearDown();
  }
  void must_run(const std::vector<std::string>& arguments, const std::string& input = "") {
    const auto ended = run_restante(arguments, input);
    if (ended.exit_code != 0) throw support::failure(ended.output);
  }
  support::program program(std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), RESTANTE_BRIDGE_PROGRAM);
    return {.arguments = std::move(arguments),
            .environment = {{"RESTANTE_DATABASE", mail().bridge},
                            {"RESTANTE_NAME", "here"},
                            {"RESTANTE_MQTT_URI", "mqtt://127.0.0.1:" + std::to_string(broker().port())},
                            {"RESTANTE_MQTT_PASSWORD", "bridge-password"},
                            {"RESTANTE_OBSERVE_LISTEN", ""},
                            {"RESTANTE_SYNC_REQUEST_TIMEOUT", "1s"},
                            {"RESTANTE_SYNC_LEASE", "10s"},
                            {"STREAM_API_KEY", stream_.settings().api_key},
                            {"STREAM_API_SECRET", stream_.settings().api_secret},
                            {"STREAM_BASE_URL", stream_.url()}},
            .output = directory_.path() / "bridge.log"};
  }
  void start_bridge() { bridge_ = std::make_unique<support::process>(program()); }
  static mqtt_message request(const std::string& service, const std::string& id, const std::string& payload) {
    return {.topic = "service/" + service + "/alice/" + id, .payload = payload, .qos = 1};
  }
  std::string log() const { return support::read_file(directory_.path() / "bridge.log"); }

  support::temporary_directory directory_;
  stream_stand_in::stand_in_process stream_;
  std::unique_ptr<support::process> bridge_;
};

TEST_F(bridged_office, brings_a_profile_from_a_client_to_stream) {
  grant();
  open();
  start_bridge();
  auto alice = paho(support::account("alice"));
  alice.subscribe("answer/alice/#");
  ASSERT_EQ(alice.publish(request("profile", "m1", R"({"name":"Alice","custom":{"level":17}})")), 0);
  const auto answer = alice.expect_messages(1)[0];
  EXPECT_EQ(answer.topic, "answer/alice/profile/m1");
  EXPECT_EQ(json::parse(answer.payload), json::parse(R"({"version":2})")) << answer.payload;
  require_eventually("Stream has it: " + log(), [&] {
    const json users = stream_.users();
    return users.contains("alice") && users.at("alice").value("name", "") == "Alice";
  });
  wait_until_waiting("bridge", 0);
}

TEST_F(bridged_office, tells_a_client_what_is_wrong_with_its_profile) {
  grant();
  open();
  start_bridge();
  auto alice = paho(support::account("alice"));
  alice.subscribe("answer/alice/#");
  alice.publish(request("profile", "m1", R"({"name":17})"));
  const json said = json::parse(alice.expect_messages(1)[0].payload);
  EXPECT_EQ(said.at("error").at("field"), "name");
  wait_until_waiting("bridge", 0);
}

TEST_F(bridged_office, gives_a_client_a_token_for_stream) {
  grant();
  open();
  start_bridge();
  auto alice = paho(support::account("alice"));
  alice.subscribe("answer/alice/#");
  alice.publish(request("stream-token", "t1", ""));
  const json said = json::parse(alice.expect_messages(1)[0].payload);
  EXPECT_EQ(said.at("user_id"), "alice");
  EXPECT_EQ(said.at("api_key"), stream_.settings().api_key);
  EXPECT_THAT(log(), testing::Not(HasSubstr(said.at("token").get<std::string>())));
}

TEST_F(bridged_office, does_each_request_once_although_its_bridge_is_killed_again_and_again) {
  constexpr int requests = 100, kills = 10;
  grant();
  open();
  start_bridge();
  auto alice = paho(support::account("alice"));
  alice.subscribe("answer/alice/#");
  std::minstd_rand random(1);
  for (int i = 1; i <= requests; ++i) {
    ASSERT_EQ(alice.publish(request("profile", "m" + std::to_string(i),
                                    R"({"name":"Alice )" + std::to_string(i) + "\"}")),
              0);
    if (i % (requests / kills) == 0) {
      // At some moment of its work, or of its coming back.
      const std::string seen = std::to_string(std::uniform_int_distribution(0, i)(random));
      support::eventually(
          [&] { return sql("select count(*) >= " + seen + " from restante.answered_request") == "t"; }, 1s);
      bridge_->signal(SIGKILL);
      bridge_->wait(support::patience);
      start_bridge();
    }
  }
  require_eventually("all is answered: " + log(), [&] {
    std::set<std::string> topics;
    for (const auto& each : alice.messages()) topics.insert(each.topic);
    return topics.size() == requests;
  });
  wait_until_waiting("bridge", 0);
  // Each raised the version by one, and once.
  EXPECT_EQ(sql("select version from restante.profile p join restante.account a on a.id = p.account_id "
                "where a.name = 'alice'"),
            std::to_string(requests + 1));
  require_eventually("Stream has the last of them: " + log(), [&] {
    return stream_.users().value("alice", json::object()).value("name", "") ==
           "Alice " + std::to_string(requests);
  });
}

TEST_F(bridged_office, loses_no_request_when_more_come_at_once_than_the_bridge_holds) {
  constexpr std::size_t requests = 12;
  grant();
  open();
  auto alice = paho(support::account("alice"));
  alice.subscribe("answer/alice/#");
  for (std::size_t i = 1; i <= requests; ++i) {
    alice.publish(request("profile", "m" + std::to_string(i), R"({"name":"Alice"})"));
  }
  wait_until_waiting("bridge", requests);
  auto how = program();
  how.environment["RESTANTE_MQTT_REQUESTS"] = "4";
  bridge_ = std::make_unique<support::process>(how);
  require_eventually("all are answered: " + log(), [&] {
    std::set<std::string> topics;
    for (const auto& each : alice.messages()) topics.insert(each.topic);
    return topics.size() == requests;
  });
  EXPECT_THAT(log(), HasSubstr("event=mqtt_queue_full"));
  wait_until_waiting("bridge", 0);
}

TEST_F(bridged_office, is_found_unfit_by_a_check_while_the_services_are_not_granted) {
  open();
  auto how = program({"--check"});
  how.output.clear();
  // Its login may be put off, as any.
  require_eventually("the check says what is refused", [&] {
    const auto got = support::run(how);
    return got.exit_code == 1 &&
           got.output.find("mqtt: service/profile/#: the broker refuses it") != std::string::npos;
  });
  grant();
  require_eventually("the grant is known", [&] { return support::run(how).exit_code == 0; });
  how.environment["RESTANTE_MQTT_PASSWORD"] = "wrong-password";
  const auto got = support::run(how);
  EXPECT_EQ(got.exit_code, 1);
  EXPECT_THAT(got.output, HasSubstr("mqtt: "));
  EXPECT_THAT(got.output, testing::Not(HasSubstr("wrong-password")));
}

}  // namespace
}  // namespace restante
