// What an operator changes is in force within about a second, on open connections too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "each_version.h"
#include "support/post_office_fixture.h"

namespace restante {
namespace {

using namespace support;
using ::testing::ElementsAre;

// The second that is promised, and what a loaded machine adds.
constexpr std::chrono::seconds about_a_second{5};

class changed_rights : public each_version {
 protected:
  void must_run(const std::vector<std::string>& arguments) const {
    const finished ended = run_restante(arguments);
    if (ended.exit_code != 0) throw failure(ended.output);
  }
  template <class Condition>
  static void soon(const std::string& what, Condition&& condition) {
    require_eventually(what, condition, about_a_second);
  }
  static void wait_for(const paho_client& client, const std::string& topic) {
    require_eventually(topic, [&] {
      const auto topics = topics_of(client.messages());
      return std::ranges::find(topics, topic) != topics.end();
    });
  }
  int refusing_login() const { return v5() ? 0x87 : 5; }
  // Asked again while the broker puts it off.
  int answer_to(const connect_settings& who) {
    int reason = -1;
    require_eventually("an answer to a login", [&] {
      paho_client client(broker().port(), who);
      reason = client.try_connect();
      return reason == 0 || reason == refusing_login();
    });
    return reason;
  }
};
INSTANTIATE_TEST_SUITE_P(mqtt, changed_rights, both_versions, name_of_version);

TEST_P(changed_rights, open_and_close_ordinary_topics) {
  open();
  auto bob = raw(account("bob"));
  auto alice = raw(support::account("alice", mqtt_version::v5));  // told whether a publish was refused
  must_run({"acl", "allow", "--everyone", "publish", "weather"});
  must_run({"acl", "allow", "--user", "bob", "subscribe", "weather"});
  soon("bob may subscribe", [&] { return bob.subscribe({"weather"}).at(0) == 1; });
  soon("alice may publish", [&] { return alice.publish({.topic = "weather"}) == 0; });
  EXPECT_EQ(bob.expect_publish().topic, "weather");

  must_run({"acl", "deny", "--user", "alice", "publish", "weather"});
  soon("alice may publish no more", [&] { return alice.publish({.topic = "weather"}) == 0x87; });
  must_run({"acl", "remove", "--user", "alice", "publish", "weather"});
  soon("alice may publish again", [&] { return alice.publish({.topic = "weather"}) < 0x80; });
}

TEST_P(changed_rights, silence_a_subscription_that_is_there) {
  must_run({"acl", "allow", "--everyone", "publish", "weather"});
  must_run({"acl", "allow", "--everyone", "subscribe", "weather"});
  open();
  auto bob = paho(account("bob"));
  bob.subscribe("weather");
  bob.subscribe("direct/bob/#");
  auto alice = paho(account("alice"));
  send(alice, {.topic = "weather"});
  bob.expect_messages(1);
  must_run({"acl", "deny", "--user", "bob", "subscribe", "weather"});
  int fences = 0;
  soon("bob hears the weather no more", [&] {
    const std::size_t before = bob.messages().size();
    send(alice, {.topic = "weather"});
    send(alice, direct("bob", "alice", "fence" + std::to_string(++fences)));
    wait_for(bob, "direct/bob/alice/fence" + std::to_string(fences));
    return bob.messages().size() == before + 1;
  });
}

TEST_P(changed_rights, count_when_they_are_written_in_sql) {
  open();
  auto alice = raw(support::account("alice", mqtt_version::v5));
  EXPECT_EQ(alice.publish({.topic = "weather"}), 0x87);
  sql("insert into restante.rule (effect, action, filter) values ('allow', 'publish', 'weather')");
  soon("alice may publish", [&] { return alice.publish({.topic = "weather"}) < 0x80; });
}

TEST_P(changed_rights, deny_durable_topics_too) {
  open();
  auto alice = raw(support::account("alice", mqtt_version::v5));
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#");
  must_run({"acl", "deny", "--user", "alice", "publish", "direct/bob/#"});
  int sent = 0;
  soon("alice may not write to bob",
       [&] { return alice.publish(direct("bob", "alice", "m" + std::to_string(sent++))) == 0x87; });
  send(alice, direct("carol", "alice", "m"));
  wait_until_waiting("carol", 1);
  bob.expect_messages(static_cast<std::size_t>(sent) - 1);
}

TEST_P(changed_rights, end_what_a_member_that_left_hears_and_writes) {
  open();
  auto alice = paho(account("alice"));
  send(alice, direct("bob", "alice", "to-him-alone"));
  send(alice, to_group("crew", "alice", "before"));
  wait_until_waiting("bob", 2);
  auto bob = raw(support::account("bob", mqtt_version::v5));
  bob.subscribe({"group/crew/#"});
  bob.expect_publish();

  must_run({"group", "leave", "crew", "bob"});
  EXPECT_EQ(waiting("bob"), 1);  // the group's was withdrawn with it
  int sent = 0;
  soon("bob may not write to the group",
       [&] { return bob.publish(to_group("crew", "bob", "m" + std::to_string(sent++))) == 0x87; });
  const std::int64_t before = sent;  // waiting for carol: one of alice's, and those of bob's that were taken
  wait_until_waiting("carol", before);
  int after = 0;
  soon("nothing of the group waits for bob", [&] {
    send(alice, to_group("crew", "alice", "after" + std::to_string(after++)));
    const auto waited = waiting("bob");
    wait_until_waiting("carol", before + after);
    return waiting("bob") == waited;
  });
  bob.subscribe({"direct/bob/#"});
  EXPECT_EQ(bob.expect_publish().topic, "direct/bob/alice/to-him-alone");
  EXPECT_THAT(bob.subscribe({"group/crew/#"}), ElementsAre(0x87));
}

TEST_P(changed_rights, let_a_new_member_write_and_hear_on_its_open_connection) {
  open();
  auto alice = paho(account("alice"));
  auto dave = raw(account("dave"));
  EXPECT_EQ(dave.subscribe({"group/crew/#"}).at(0), refused_filter());
  must_run({"group", "join", "crew", "dave"});
  soon("dave may subscribe", [&] { return dave.subscribe({"group/crew/#"}).at(0) == 1; });
  send(alice, to_group("crew", "alice", "m1"));
  EXPECT_EQ(dave.expect_publish().topic, "group/crew/alice/m1");
  wait_until_waiting("dave", 1);
  send(dave, to_group("crew", "dave", "m2"));
  wait_until_waiting("bob", 2);
  wait_until_waiting("alice", 1);
}

TEST_P(changed_rights, let_a_member_that_comes_back_hear_with_the_filter_it_had) {
  open();
  auto alice = paho(account("alice"));
  auto bob = raw(support::account("bob", mqtt_version::v5));
  bob.subscribe({"group/crew/#"});
  must_run({"group", "leave", "crew", "bob"});
  int sent = 0;
  soon("bob has left",
       [&] { return bob.publish(to_group("crew", "bob", "m" + std::to_string(sent++))) == 0x87; });
  must_run({"group", "join", "crew", "bob"});
  soon("bob is back",
       [&] { return bob.publish(to_group("crew", "bob", "m" + std::to_string(sent++))) < 0x80; });
  send(alice, to_group("crew", "alice", "heard"));
  require_eventually("he hears the group",
                     [&] { return bob.expect_publish().topic == "group/crew/alice/heard"; });
}

TEST_P(changed_rights, dissolve_a_group) {
  open();
  auto alice = raw(support::account("alice", mqtt_version::v5));
  send(alice, to_group("crew", "alice", "m"));
  wait_until_waiting("bob", 1);
  must_run({"group", "delete", "crew"});
  EXPECT_EQ(waiting("bob"), 0);
  EXPECT_EQ(waiting("carol"), 0);
  int sent = 0;
  soon("nobody writes to the group",
       [&] { return alice.publish(to_group("crew", "alice", "m" + std::to_string(sent++))) == 0x87; });
}

TEST_P(changed_rights, close_the_connections_of_a_blocked_account_and_withdraw_what_waits) {
  open();
  auto alice = paho(account("alice"));
  auto phone = raw(device("bob", "phone"));
  phone.subscribe({"direct/bob/#"});
  auto laptop = raw(device("bob", "laptop"));
  auto carol = paho(account("carol"));
  carol.subscribe("direct/carol/#");
  send(alice, direct("bob", "alice", "m1"));
  phone.expect_publish();
  wait_until_waiting("bob", 1);

  must_run({"user", "block", "bob"});
  EXPECT_EQ(waiting("bob"), 0);
  EXPECT_TRUE(phone.closed_by_broker(about_a_second));
  EXPECT_TRUE(laptop.closed_by_broker(about_a_second));
  EXPECT_EQ(answer_to(account("bob")), refusing_login());

  // The sender sees nothing of it; others are as they were.
  EXPECT_LT(alice.publish(direct("bob", "alice", "m2")), 0x80);
  send(alice, direct("carol", "alice", "m3"));
  carol.expect_messages(1);
  EXPECT_TRUE(eventually([&] {
    return sql("select message_id, reason from restante.dead_letter") == "m2|departed";
  })) << sql("select * from restante.dead_letter");
  EXPECT_EQ(waiting("bob"), 0);

  must_run({"user", "unblock", "bob"});
  send(alice, direct("bob", "alice", "m4"));
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#");
  EXPECT_THAT(topics_of(bob.expect_messages(1)), ElementsAre("direct/bob/alice/m4"));
}

TEST_P(changed_rights, leave_a_blocked_account_out_of_its_groups) {
  open();
  auto alice = paho(account("alice"));
  must_run({"user", "block", "bob"});
  send(alice, to_group("crew", "alice", "m1"));
  wait_until_waiting("carol", 1);
  EXPECT_EQ(waiting("bob"), 0);
  EXPECT_EQ(answer_to(account("bob")), refusing_login());
}

TEST_P(changed_rights, close_the_connections_of_a_deleted_account) {
  open();
  auto alice = paho(account("alice"));
  auto bob = raw(lasting("bob"));
  bob.subscribe({"direct/bob/#", "group/crew/#"});
  send(alice, direct("bob", "alice", "m1"));
  send(alice, to_group("crew", "alice", "m2"));
  wait_until_waiting("bob", 2);
  must_run({"user", "delete", "bob"});
  EXPECT_TRUE(bob.closed_by_broker(about_a_second));
  EXPECT_EQ(sql("select count(*) from restante.delivery d join restante.mailbox b on b.id = d.mailbox_id"
                " join restante.account a on a.id = b.account_id where a.name = 'bob'"),
            "0");
  EXPECT_EQ(answer_to(account("bob")), refusing_login());
}

TEST_P(changed_rights, keep_a_blocking_accounts_mail_free_of_the_blocked) {
  open();
  auto alice = paho(account("alice"));
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#");
  bob.subscribe("group/crew/#");
  sql("insert into restante.block (account_id, blocked_id)"
      " select a.id, b.id from restante.account a, restante.account b"
      " where a.name = 'bob' and b.name = 'alice'");
  auto dave = paho(account("dave"));
  int sent = 0;
  soon("bob hears alice no more", [&] {
    const std::string id = "m" + std::to_string(sent++);
    const std::size_t before = bob.messages().size();
    EXPECT_LT(alice.publish(direct("bob", "alice", id)), 0x80);
    send(dave, direct("bob", "dave", id));
    wait_for(bob, "direct/bob/dave/" + id);
    return bob.messages().size() == before + 1;
  });
  const std::size_t before = bob.messages().size();
  send(alice, to_group("crew", "alice", "last"));
  send(dave, direct("bob", "dave", "last"));
  EXPECT_EQ(bob.expect_messages(before + 1)[before].topic, "direct/bob/dave/last");
  wait_until_waiting("bob", sent + 1);
  EXPECT_EQ(sql("select count(*) filter (where message_id = 'last'), count(*) = " + std::to_string(sent + 1) +
                " from restante.dead_letter where reason = 'blocked'"),
            "1|t");
}

}  // namespace
}  // namespace restante
