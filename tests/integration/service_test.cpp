// Requests to whoever is granted a service, and the answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "each_version.h"
#include "mail_steps.h"
#include "support/post_office_fixture.h"

namespace restante {
namespace {

using namespace support;
using ::testing::HasSubstr;

// The second that is promised, and what a loaded machine adds.
constexpr std::chrono::seconds about_a_second{5};

mqtt_message request(const std::string& service, const std::string& from, const std::string& id,
                     const std::string& payload = "{}") {
  return {.topic = "service/" + service + "/" + from + "/" + id, .payload = payload};
}

mqtt_message answer(const std::string& to, const std::string& service, const std::string& id,
                    const std::string& payload = "{}") {
  return {.topic = "answer/" + to + "/" + service + "/" + id, .payload = payload};
}

// Carol answers for service `profile`, unless a test says otherwise.
class services : public each_version {
 protected:
  void grant(const std::string& service, const std::string& name) const {
    must_run({"service", "grant", service, name});
  }
  void must_run(const std::vector<std::string>& arguments) const {
    const finished ended = run_restante(arguments);
    if (ended.exit_code != 0) throw failure(ended.output);
  }
  template <class Condition>
  static void soon(const std::string& what, Condition&& condition) {
    require_eventually(what, condition, about_a_second);
  }
  std::int64_t dead(const std::string& recipient, const std::string& reason) const {
    return std::stoll(sql("select count(*) from restante.dead_letter where recipient = '" + recipient +
                          "' and reason = '" + reason + "'"));
  }
};
INSTANTIATE_TEST_SUITE_P(mqtt, services, both_versions, name_of_version);

TEST_P(services, request_waits_for_an_account_that_is_away_and_is_gone_once_acknowledged) {
  grant("profile", "carol");
  open();
  auto alice = raw(account("alice"));
  EXPECT_EQ(alice.publish(request("profile", "alice", "r1", "{\"name\":\"A\"}")), v5() ? 0x10 : 0);
  wait_until_waiting("carol", 1);
  auto carol = raw(account("carol"));
  carol.subscribe({"service/profile/#"});
  const auto heard = carol.expect_publish();
  EXPECT_EQ(heard.topic, "service/profile/alice/r1");
  EXPECT_EQ(heard.payload, "{\"name\":\"A\"}");
  carol.acknowledge(heard);
  acknowledge(carol, "carol", {heard.topic});
  wait_until_waiting("carol", 0);
}

TEST_P(services, request_is_heard_live_at_every_quality_and_again_until_it_is_acknowledged) {
  grant("profile", "carol");
  open();
  auto alice = raw(account("alice"));
  {
    auto carol = raw(account("carol"));
    carol.subscribe({"service/profile/#"}, 2);
    for (int qos = 0; qos <= 2; ++qos) {
      auto asked = request("profile", "alice", "r" + std::to_string(qos));
      asked.qos = qos;
      send(alice, asked);
      const auto heard = carol.expect_publish();
      EXPECT_EQ(heard.topic, asked.topic);
      EXPECT_EQ(heard.qos, qos);
      carol.acknowledge(heard);
    }
    carol.disconnect();
  }
  wait_until_waiting("carol", 2);
  auto carol = raw(account("carol"));
  carol.subscribe({"service/profile/#"}, 2);
  const auto again = collect(carol, 2);
  EXPECT_EQ(again, (std::vector<std::string>{"service/profile/alice/r1", "service/profile/alice/r2"}));
  acknowledge(carol, "carol", again);
  wait_until_waiting("carol", 0);
}

TEST_P(services, receipt_acknowledges_a_request_too) {
  grant("profile", "carol");
  open();
  auto alice = raw(account("alice"));
  alice.subscribe({"receipt/alice/#"});
  auto carol = raw(account("carol"));
  carol.subscribe({"service/profile/#"});
  send(alice, request("profile", "alice", "r1"));
  collect(carol, 1);
  wait_until_waiting("carol", 1);
  send(carol, receipt("alice", "carol", "r1", "delivered"));
  EXPECT_EQ(alice.expect_publish().topic, "receipt/alice/carol/r1");
  wait_until_waiting("carol", 0);
}

TEST_P(services, answer_waits_for_a_client_that_is_away_until_it_is_handed_over) {
  grant("profile", "carol");
  open();
  auto carol = raw(account("carol"));
  send(carol, answer("alice", "profile", "r1", "{\"version\":2}"));
  wait_until_waiting("alice", 1);
  auto alice = raw(account("alice"));
  alice.subscribe({"answer/alice/#"});
  const auto heard = alice.expect_publish();
  EXPECT_EQ(heard.topic, "answer/alice/profile/r1");
  EXPECT_EQ(heard.payload, "{\"version\":2}");
  EXPECT_EQ(heard.properties.user_value("accepted-at").has_value(), v5());
  alice.acknowledge(heard);
  wait_until_waiting("alice", 0);
}

TEST_P(services, answer_and_message_of_one_id_do_not_acknowledge_each_other) {
  grant("profile", "carol");
  open();
  auto carol = raw(account("carol"));
  send(carol, direct("alice", "carol", "r1"));
  send(carol, answer("alice", "profile", "r1"));
  wait_until_waiting("alice", 2);
  auto alice = raw(account("alice"));
  acknowledge(alice, "alice", {"direct/alice/carol/r1"});
  wait_until_waiting("alice", 1);
  alice.subscribe({"answer/alice/#", "direct/alice/#"});
  EXPECT_EQ(alice.expect_publish().topic, "answer/alice/profile/r1");
}

TEST_P(services, repeated_answer_is_not_handed_over_again) {
  grant("profile", "carol");
  open();
  auto alice = raw(account("alice"));
  alice.subscribe({"answer/alice/#"});
  auto carol = raw(account("carol"));
  send(carol, answer("alice", "profile", "r1"));
  send(carol, answer("alice", "profile", "r1"));
  send(carol, answer("alice", "profile", "r2"));
  EXPECT_EQ(collect(alice, 2),
            (std::vector<std::string>{"answer/alice/profile/r1", "answer/alice/profile/r2"}));
}

TEST_P(services, id_that_was_used_for_a_request_is_refused_elsewhere) {
  open();
  auto alice = raw(account("alice"));
  send(alice, request("profile", "alice", "r1"));
  EXPECT_EQ(alice.publish(direct("bob", "alice", "r1")), refused_publish());
  broker().wait_for_log("used on another topic");
  EXPECT_EQ(waiting("bob"), 0);
}

TEST_P(services, answer_by_somebody_else_and_request_in_anothers_name_are_refused) {
  grant("profile", "carol");
  open();
  auto bob = raw(account("bob"));
  EXPECT_EQ(bob.publish(answer("alice", "profile", "r1")), refused_publish());
  broker().wait_for_log("the account is not granted the service");
  EXPECT_EQ(bob.publish(request("profile", "alice", "r1")), refused_publish());
  EXPECT_EQ(bob.subscribe({"service/profile/#", "service/+/#", "answer/alice/#", "answer/bob/#"}),
            (std::vector<int>{refused_filter(), refused_filter(), refused_filter(), 1}));
  // Carol's grant is of one service only.
  auto carol = raw(account("carol"));
  EXPECT_EQ(carol.publish(answer("alice", "stream-token", "r1")), refused_publish());
  EXPECT_EQ(carol.subscribe({"service/stream-token/#", "service/profile/#"}),
            (std::vector<int>{refused_filter(), 1}));
  EXPECT_EQ(waiting("alice") + waiting("carol"), 0);
}

TEST_P(services, request_that_nobody_answers_for_is_a_dead_letter_and_its_sender_cannot_tell) {
  grant("profile", "carol");
  open();
  auto alice = raw(account("alice"));
  const int answered = alice.publish(request("profile", "alice", "r1"));
  EXPECT_EQ(alice.publish(request("weather", "alice", "r2")), answered);
  // An account of the same name is none of its business.
  EXPECT_EQ(alice.publish(request("bob", "alice", "r3")), answered);
  wait_until_waiting("carol", 1);
  require_eventually("dead letters", [&] {
    return dead("service/weather", "unknown") == 1 && dead("service/bob", "unknown") == 1;
  });
  EXPECT_EQ(waiting("bob"), 0);
}

TEST_P(services, grant_is_in_force_on_open_connections) {
  open();
  auto carol = raw(account("carol"));
  EXPECT_EQ(carol.subscribe({"service/profile/#"}).at(0), refused_filter());
  grant("profile", "carol");
  soon("carol may subscribe", [&] { return carol.subscribe({"service/profile/#"}).at(0) == 1; });
  auto alice = raw(account("alice"));
  send(alice, request("profile", "alice", "r1"));
  EXPECT_EQ(collect(carol, 1).at(0), "service/profile/alice/r1");
  send(carol, answer("alice", "profile", "r1"));

  // To dave it goes with what waits, and with it the right to answer.
  auto dave = raw(account("dave"));
  wait_until_waiting("carol", 1);
  grant("profile", "dave");
  EXPECT_EQ(waiting("carol"), 0);
  EXPECT_EQ(waiting("dave"), 1);
  soon("dave may subscribe", [&] { return dave.subscribe({"service/profile/#"}).at(0) == 1; });
  EXPECT_EQ(collect(dave, 1).at(0), "service/profile/alice/r1");
  auto probe = raw(support::account("carol", mqtt_version::v5));
  int probes = 0;
  soon("carol may answer no more",
       [&] { return probe.publish(answer("alice", "profile", "probe" + std::to_string(++probes))) == 0x87; });
  send(alice, request("profile", "alice", "r2"));
  EXPECT_EQ(collect(dave, 1).at(0), "service/profile/alice/r2");
}

TEST_P(services, revoked_service_is_silent_and_what_waits_becomes_dead_letters) {
  grant("profile", "carol");
  open();
  auto carol = raw(account("carol"));
  carol.subscribe({"service/profile/#", "direct/carol/#"});
  auto alice = raw(account("alice"));
  send(alice, request("profile", "alice", "r1"));
  collect(carol, 1);
  wait_until_waiting("carol", 1);
  must_run({"service", "revoke", "profile"});
  EXPECT_EQ(waiting("carol"), 0);
  EXPECT_EQ(dead("service/profile", "unknown"), 1);
  soon("carol may not subscribe",
       [&] { return carol.subscribe({"service/profile/+/x"}).at(0) == refused_filter(); });
  send(alice, request("profile", "alice", "r2"));
  send(alice, direct("carol", "alice", "fence"));
  EXPECT_EQ(collect(carol, 1).at(0), "direct/carol/alice/fence");
  require_eventually("a dead letter", [&] { return dead("service/profile", "unknown") == 2; });
}

TEST_P(services, account_that_is_deleted_answers_no_more) {
  grant("profile", "carol");
  open();
  auto alice = raw(account("alice"));
  send(alice, request("profile", "alice", "r1"));
  wait_until_waiting("carol", 1);
  must_run({"user", "delete", "carol"});
  EXPECT_EQ(sql("select count(*) from restante.service"), "0");
  EXPECT_EQ(dead("service/profile", "unknown"), 1);
}

TEST_P(services, requests_and_answers_outlive_a_crash_of_the_broker) {
  grant("profile", "carol");
  // Nothing is stored before the crash.
  open({.options = {{"linger", "10s"}}});
  auto alice = raw(account("alice"));
  auto carol = raw(account("carol"));
  send(alice, request("profile", "alice", "r1"));
  send(carol, answer("alice", "profile", "r0"));
  crash_and_restart();
  auto carol_again = raw(account("carol"));
  carol_again.subscribe({"service/profile/#"});
  EXPECT_EQ(collect(carol_again, 1).at(0), "service/profile/alice/r1");
  auto alice_again = raw(account("alice"));
  alice_again.subscribe({"answer/alice/#"});
  EXPECT_EQ(collect(alice_again, 1).at(0), "answer/alice/profile/r0");
  // A repeat after the crash is recognised.
  send(alice_again, request("profile", "alice", "r1"));
  send(alice_again, request("profile", "alice", "r2"));
  EXPECT_EQ(collect(carol_again, 1).at(0), "service/profile/alice/r2");
}

TEST_P(services, move_with_the_topic_prefix) {
  grant("profile", "carol");
  open({.options = {{"topic_prefix", "mail"}}});
  auto alice = raw(account("alice"));
  auto carol = raw(account("carol"));
  EXPECT_EQ(carol.subscribe({"mail/service/profile/#", "service/profile/#"}),
            (std::vector<int>{1, refused_filter()}));
  send(alice, {.topic = "mail/service/profile/alice/r1"});
  EXPECT_EQ(collect(carol, 1).at(0), "mail/service/profile/alice/r1");
  alice.subscribe({"mail/answer/alice/#"});
  send(carol, {.topic = "mail/answer/alice/profile/r1"});
  EXPECT_EQ(collect(alice, 1).at(0), "mail/answer/alice/profile/r1");
}

TEST_P(services, expired_request_is_a_dead_letter_and_its_sender_hears_nothing) {
  grant("profile", "carol");
  open();
  auto alice = raw(support::account("alice", mqtt_version::v5));
  alice.subscribe({"receipt/alice/#"});
  auto short_lived = request("profile", "alice", "r1");
  short_lived.properties.expiry_s = 1;
  send(alice, short_lived);
  auto letter = direct("carol", "alice", "m1");
  letter.properties.expiry_s = 1;
  send(alice, letter);
  require_eventually("expiry", [&] { return dead("carol", "expired") == 2; });
  // Of the message it is told, and had the request been told of, that would have come first.
  EXPECT_EQ(alice.expect_publish().topic, "receipt/alice/carol/m1");
}

}  // namespace
}  // namespace restante
