// profile/{account}: given on subscription, sent on change, and never to those whom the account blocks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "each_version.h"
#include "mail_steps.h"
#include "support/post_office_fixture.h"

namespace restante {
namespace {

using namespace support;
using json = nlohmann::json;

class profiles : public each_version {
 protected:
  void must_run(const std::vector<std::string>& arguments) const {
    const finished ended = run_restante(arguments);
    if (ended.exit_code != 0) throw failure(ended.output);
  }
  void set_name(const std::string& of, const std::string& name) const {
    must_run({"user", "set", of, "--name", name});
  }
  static json expect_profile(raw_mqtt& reader, const std::string& of) {
    const auto heard = reader.expect_publish();
    EXPECT_EQ(heard.topic, "profile/" + of);
    EXPECT_FALSE(heard.retain);
    reader.acknowledge(heard);
    return json::parse(heard.payload);
  }
};
INSTANTIATE_TEST_SUITE_P(mqtt, profiles, both_versions, name_of_version);

TEST_P(profiles, are_given_on_subscription_and_again_when_that_is_repeated) {
  must_run({"user", "set", "bob", "--name",
            "B\xc3\xb6"
            "b",
            "--image", "https://example.org/b.png", "--language", "de", "--custom",
            R"({"city":null,"n":[1]})", "--role", "admin", "--team", "red"});
  open();
  auto alice = raw(account("alice"));
  EXPECT_EQ(alice.subscribe({"profile/bob"}, 2).at(0), 2);
  const auto heard = alice.expect_publish();
  EXPECT_EQ(heard.topic, "profile/bob");
  EXPECT_EQ(heard.qos, 1);
  EXPECT_EQ(json::parse(heard.payload), (json{{"account", "bob"},
                                              {"version", 2},
                                              {"name",
                                               "B\xc3\xb6"
                                               "b"},
                                              {"image", "https://example.org/b.png"},
                                              {"language", "de"},
                                              {"custom", {{"city", nullptr}, {"n", {1}}}}}));
  alice.acknowledge(heard);
  alice.subscribe({"profile/bob"}, 0);
  const auto again = alice.expect_publish();
  EXPECT_EQ(again.payload, heard.payload);
  EXPECT_EQ(again.qos, 0);
  // What is absent is left out; one's own is no other case.
  alice.subscribe({"profile/alice"});
  EXPECT_EQ(expect_profile(alice, "alice"), (json{{"account", "alice"}, {"version", 1}}));
}

TEST_P(profiles, are_sent_when_they_change_by_whoever_and_not_by_what_changes_nothing) {
  open();
  auto alice = raw(account("alice"));
  alice.subscribe({"profile/bob"});
  EXPECT_EQ(expect_profile(alice, "bob")["version"], 1);
  set_name("bob", "Bob");
  EXPECT_EQ(expect_profile(alice, "bob")["name"], "Bob");
  set_name("bob", "Bob");
  must_run({"user", "set", "bob", "--acknowledge", "auto"});
  sql("update restante.profile set custom = '{\"a\":1}' "
      "where account_id = (select id from restante.account where name = 'bob')");
  const json last = expect_profile(alice, "bob");
  EXPECT_EQ(last["version"], 3);
  EXPECT_EQ(last["custom"]["a"], 1);
  must_run({"user", "delete", "bob"});
  EXPECT_EQ(expect_profile(alice, "bob"), (json{{"account", "bob"}, {"version", 4}, {"deleted", true}}));
}

TEST_P(profiles, are_not_given_to_those_whom_the_account_blocks) {
  open();
  const std::string pair =
      "(select a.id from restante.account a where a.name = 'bob'), "
      "(select a.id from restante.account a where a.name = 'carol')";
  sql("insert into restante.block (account_id, blocked_id) select " + pair);
  auto alice = raw(account("alice"));
  auto carol = raw(account("carol"));
  // Carol cannot tell: her subscription is granted, as that to an account that is not there.
  EXPECT_EQ(carol.subscribe({"profile/bob", "profile/nobody"}), (std::vector<int>{1, 1}));
  alice.subscribe({"profile/bob"});
  EXPECT_EQ(expect_profile(alice, "bob")["version"], 1);
  set_name("bob", "Bob");
  EXPECT_EQ(expect_profile(alice, "bob")["version"], 2);
  carol.subscribe({"profile/dave"});
  expect_profile(carol, "dave");
  EXPECT_EQ(carol.waiting_publishes(), 0U);
  // When the block ends, the profile is given as it is.
  sql("delete from restante.block");
  EXPECT_EQ(expect_profile(carol, "bob")["version"], 2);
  // And a block is in force before the next change.
  sql("insert into restante.block (account_id, blocked_id) select " + pair);
  set_name("bob", "Bobby");
  EXPECT_EQ(expect_profile(alice, "bob")["version"], 3);
  set_name("dave", "Dave");
  EXPECT_EQ(expect_profile(carol, "dave")["version"], 2);
  EXPECT_EQ(carol.waiting_publishes(), 0U);
}

TEST_P(profiles, are_published_by_nobody_and_subscribed_to_by_their_exact_names_only) {
  open();
  auto alice = raw(account("alice"));
  EXPECT_EQ(alice.subscribe({"profile/+", "profile/#", "profile/bob/#", "$share/g/profile/bob"}),
            (std::vector<int>(4, refused_filter())));
  EXPECT_EQ(alice.publish({.topic = "profile/alice", .payload = "{}"}), refused_publish());
  broker().wait_for_log("the broker alone publishes profiles");
}

TEST_P(profiles, are_silent_once_unsubscribed) {
  open();
  auto alice = raw(account("alice"));
  alice.subscribe({"profile/bob", "profile/carol"});
  alice.expect_publishes(2);
  alice.unsubscribe({"profile/bob"});
  set_name("bob", "Bob");
  set_name("carol", "Carol");
  EXPECT_EQ(expect_profile(alice, "carol")["version"], 2);
}

TEST_P(profiles, are_given_to_a_session_that_is_resumed) {
  open();
  {
    auto alice = raw(lasting("alice"));
    alice.subscribe({"profile/bob"});
    expect_profile(alice, "bob");
    alice.disconnect();
  }
  set_name("bob", "Bob");
  auto alice = raw(lasting("alice"));
  EXPECT_EQ(expect_profile(alice, "bob")["version"], 2);
  set_name("bob", "Bobby");
  EXPECT_EQ(expect_profile(alice, "bob")["version"], 3);
}

TEST_P(profiles, are_given_again_after_a_restart_of_the_broker) {
  open({.options = {{"topic_prefix", "mail"}}});
  restart();
  auto alice = raw(account("alice"));
  alice.subscribe({"mail/profile/bob"});
  const auto heard = alice.expect_publish();
  EXPECT_EQ(heard.topic, "mail/profile/bob");
  alice.acknowledge(heard);
  set_name("bob", "Bob");
  EXPECT_EQ(alice.expect_publish().topic, "mail/profile/bob");
}

}  // namespace
}  // namespace restante
