// `delivered` and `read`: they acknowledge, and tell the sender.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "each_version.h"
#include "support/post_office_fixture.h"

namespace restante {
namespace {

using namespace support;
using ::testing::ElementsAre;
using ::testing::Pair;

using told = std::vector<std::pair<std::string, std::string>>;  // topic and state

told told_by(const std::vector<mqtt_message>& messages) {
  told result;
  for (const mqtt_message& each : messages) result.emplace_back(each.topic, each.payload);
  return result;
}

class receipts : public each_version {
 protected:
  paho_client listening(const std::string& name) {
    auto client = paho(account(name));
    client.subscribe("receipt/" + name + "/#", 2);
    return client;
  }
  // The sender hears nothing between what it has heard and something that is sent to it now.
  void expect_no_more(paho_client& sender, const std::string& name) {
    const std::size_t before = sender.messages().size();
    sender.subscribe("direct/" + name + "/#");
    auto dave = paho(account("dave"));
    send(dave, direct(name, "dave", "fence" + std::to_string(++fences_)));
    const auto all = sender.expect_messages(before + 1);
    EXPECT_EQ(all.size(), before + 1);
    EXPECT_EQ(all[before].topic, "direct/" + name + "/dave/fence" + std::to_string(fences_));
    send(sender, acknowledgement_of(name, {"dave/fence" + std::to_string(fences_)}));
  }

 private:
  int fences_ = 0;
};
INSTANTIATE_TEST_SUITE_P(mqtt, receipts, both_versions, name_of_version);

TEST_P(receipts, acknowledge_and_tell_the_sender) {
  open();
  auto alice = listening("alice");
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#");
  for (int qos = 0; qos <= 2; ++qos) {
    const std::string id = "m" + std::to_string(qos);
    send(alice, direct("bob", "alice", id));
    bob.expect_messages(static_cast<std::size_t>(qos) + 1);
    wait_until_waiting("bob", 1);
    auto told = receipt("alice", "bob", id, "delivered");
    told.qos = qos;
    send(bob, told);
    const auto heard = alice.expect_messages(static_cast<std::size_t>(qos) + 1);
    EXPECT_EQ(heard.back().topic, "receipt/alice/bob/" + id);
    EXPECT_EQ(heard.back().payload, "delivered");
    EXPECT_EQ(heard.back().qos, qos);
    wait_until_waiting("bob", 0);
  }
  wait_until_waiting("alice", 0);  // what is handed over is not kept
}

TEST_P(receipts, acknowledge_what_was_not_handed_over_on_this_connection) {
  open();
  auto alice = listening("alice");
  send(alice, direct("bob", "alice", "m1"));
  wait_until_waiting("bob", 1);
  auto bob = paho(account("bob"));  // subscribes to nothing
  send(bob, receipt("alice", "bob", "m1", "read"));
  EXPECT_THAT(told_by(alice.expect_messages(1)), ElementsAre(Pair("receipt/alice/bob/m1", "read")));
  wait_until_waiting("bob", 0);
}

TEST_P(receipts, pass_read_on_after_delivered) {
  open();
  auto alice = listening("alice");
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#");
  send(alice, direct("bob", "alice", "m1"));
  bob.expect_messages(1);
  send(bob, receipt("alice", "bob", "m1", "delivered"));
  wait_until_waiting("bob", 0);
  send(bob, receipt("alice", "bob", "m1", "read"));
  EXPECT_THAT(told_by(alice.expect_messages(2)),
              ElementsAre(Pair("receipt/alice/bob/m1", "delivered"), Pair("receipt/alice/bob/m1", "read")));
}

TEST_P(receipts, wait_for_a_sender_that_is_away_and_go_when_handed_over) {
  open();
  {
    auto alice = paho(account("alice"));
    send(alice, direct("bob", "alice", "m1"));
    send(alice, direct("bob", "alice", "m2"));
  }
  wait_until_waiting("bob", 2);
  auto bob = paho(account("bob"));
  send(bob, receipt("alice", "bob", "m1", "delivered"));
  send(bob, receipt("alice", "bob", "m2", "read"));
  wait_until_waiting("alice", 2);
  EXPECT_EQ(waiting("bob"), 0);
  auto alice = listening("alice");
  EXPECT_THAT(told_by(alice.expect_messages(2)),
              ElementsAre(Pair("receipt/alice/bob/m1", "delivered"), Pair("receipt/alice/bob/m2", "read")));
  wait_until_waiting("alice", 0);
  alice.disconnect();
  alice.clear();
  reconnect(alice);
  alice.subscribe("receipt/alice/#");
  expect_no_more(alice, "alice");
}

TEST_P(receipts, of_read_replace_waiting_ones_of_delivered) {
  open();
  {
    auto alice = paho(account("alice"));
    send(alice, direct("bob", "alice", "m1"));
  }
  wait_until_waiting("bob", 1);
  auto bob = paho(account("bob"));
  send(bob, receipt("alice", "bob", "m1", "delivered"));
  wait_until_waiting("alice", 1);
  wait_until_waiting("bob", 0);
  send(bob, receipt("alice", "bob", "m1", "read"));
  EXPECT_TRUE(eventually([&] {
    return sql("select count(*), max(convert_from(payload, 'UTF8')) from restante.delivery") == "1|read";
  })) << sql("select topic, payload from restante.delivery");
  auto alice = listening("alice");
  EXPECT_THAT(told_by(alice.expect_messages(1)), ElementsAre(Pair("receipt/alice/bob/m1", "read")));
  expect_no_more(alice, "alice");
}

TEST_P(receipts, at_qos_0_acknowledge_and_are_not_kept) {
  open();
  {
    auto alice = paho(account("alice"));
    send(alice, direct("bob", "alice", "m1"));
  }
  wait_until_waiting("bob", 1);
  auto bob = paho(account("bob"));
  auto told = receipt("alice", "bob", "m1", "delivered");
  told.qos = 0;
  send(bob, told);
  wait_until_waiting("bob", 0);
  auto alice = listening("alice");
  expect_no_more(alice, "alice");
}

TEST_P(receipts, repeated_are_told_once) {
  open();
  auto alice = listening("alice");
  send(alice, direct("bob", "alice", "m1"));
  wait_until_waiting("bob", 1);
  auto bob = raw(account("bob"));
  auto told = receipt("alice", "bob", "m1", "delivered");
  const auto packet_id = bob.send_publish(told);
  EXPECT_EQ(parse_acknowledgement(bob.expect(packet_type::puback)).reason, 0);
  told.duplicate = true;
  bob.send_publish(told, packet_id);
  EXPECT_LT(parse_acknowledgement(bob.expect(packet_type::puback)).reason, 0x80);
  EXPECT_THAT(told_by(alice.expect_messages(1)), ElementsAre(Pair("receipt/alice/bob/m1", "delivered")));
  expect_no_more(alice, "alice");
}

TEST_P(receipts, say_delivered_or_read_and_nothing_else) {
  open();
  auto alice = listening("alice");
  send(alice, direct("bob", "alice", "m1"));
  wait_until_waiting("bob", 1);
  auto bob = paho(account("bob"));
  for (const std::string state : {"expired", "", "Delivered", "delivered ", "read\n", "seen"}) {
    for (int qos = 0; qos <= 2; ++qos) {
      auto told = receipt("alice", "bob", "m1", state);
      told.qos = qos;
      EXPECT_EQ(bob.publish(told), qos == 0 ? 0 : refused_publish()) << state;
    }
  }
  // Nor does the sender itself, or anybody else, say so.
  EXPECT_EQ(alice.publish(receipt("alice", "alice", "m1", "expired")), refused_publish());
  expect_no_more(alice, "alice");
  wait_until_waiting("bob", 1);
}

TEST_P(receipts, of_somebody_who_is_no_recipient_tell_nobody_and_change_nothing) {
  open();
  auto alice = listening("alice");
  send(alice, direct("bob", "alice", "m1"));
  send(alice, to_group("crew", "alice", "m2"));
  wait_until_waiting("bob", 2);
  wait_until_waiting("carol", 1);
  auto carol = paho(account("carol"));
  auto dave = paho(account("dave"));
  send(carol, receipt("alice", "carol", "m1", "delivered"));    // to bob, not to her
  send(dave, receipt("alice", "dave", "m2", "delivered"));      // he is no member
  send(alice, receipt("alice", "alice", "m2", "delivered"));    // she is its sender
  send(carol, receipt("bob", "carol", "m2", "delivered"));      // it is alice's, not bob's
  send(carol, receipt("alice", "carol", "none", "delivered"));  // there is none
  // The next of carol's is good, and the only one that is told.
  send(carol, receipt("alice", "carol", "m2", "delivered"));
  EXPECT_THAT(told_by(alice.expect_messages(1)), ElementsAre(Pair("receipt/alice/carol/m2", "delivered")));
  wait_until_waiting("carol", 0);
  expect_no_more(alice, "alice");
  EXPECT_EQ(waiting("bob"), 2);
}

TEST_P(receipts, of_read_go_only_to_whom_one_may_write) {
  open();
  ASSERT_EQ(run_restante({"acl", "deny", "--user", "bob", "publish", "direct/alice/#"}).exit_code, 0);
  auto alice = listening("alice");
  auto carol = listening("carol");
  auto bob = paho(account("bob"));
  send(bob, receipt("alice", "bob", "unknown", "read"));
  send(bob, receipt("carol", "bob", "unknown", "read"));
  EXPECT_THAT(told_by(carol.expect_messages(1)), ElementsAre(Pair("receipt/carol/bob/unknown", "read")));
  expect_no_more(alice, "alice");
  // What alice wrote to him, he may answer with a receipt.
  send(alice, direct("bob", "alice", "m1"));
  wait_until_waiting("bob", 1);
  const std::size_t before = alice.messages().size();
  send(bob, receipt("alice", "bob", "m1", "delivered"));
  EXPECT_EQ(alice.expect_messages(before + 1).back().topic, "receipt/alice/bob/m1");
}

TEST_P(receipts, of_each_member_of_a_group_reach_the_sender) {
  open();
  auto alice = listening("alice");
  send(alice, to_group("crew", "alice", "m1"));
  wait_until_waiting("bob", 1);
  wait_until_waiting("carol", 1);
  auto bob = paho(account("bob"));
  bob.subscribe("group/crew/#");
  bob.expect_messages(1);
  send(bob, receipt("alice", "bob", "m1", "delivered"));
  alice.expect_messages(1);
  auto carol = paho(account("carol"));
  send(carol, receipt("alice", "carol", "m1", "read"));  // not handed over to this connection
  EXPECT_THAT(told_by(alice.expect_messages(2)),
              ElementsAre(Pair("receipt/alice/bob/m1", "delivered"), Pair("receipt/alice/carol/m1", "read")));
  wait_until_waiting("bob", 0);
  wait_until_waiting("carol", 0);
}

// Of messages at QoS 0, which nobody keeps: only who heard them can tell.
class receipts_of_unkept : public receipts {
 protected:
  static mqtt_message unkept(mqtt_message what) {
    what.qos = 0;
    return what;
  }
};
INSTANTIATE_TEST_SUITE_P(mqtt, receipts_of_unkept, both_versions, name_of_version);

TEST_P(receipts_of_unkept, messages_tell_the_sender) {
  open();
  auto alice = listening("alice");
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#");
  told all;
  for (int qos = 0; qos <= 2; ++qos) {
    const std::string id = "m" + std::to_string(qos);
    send(alice, unkept(direct("bob", "alice", id)));
    bob.expect_messages(static_cast<std::size_t>(qos) + 1);
    for (const std::string state : {"delivered", "read"}) {
      auto one = receipt("alice", "bob", id, state);
      one.qos = qos;
      send(bob, one);
      all.emplace_back("receipt/alice/bob/" + id, state);
      EXPECT_EQ(told_by(alice.expect_messages(all.size())), all);
      EXPECT_EQ(alice.messages().back().qos, qos);
    }
  }
  wait_until_waiting("alice", 0);
}

TEST_P(receipts_of_unkept, messages_wait_for_a_sender_that_is_away) {
  open();
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#");
  {
    auto alice = paho(account("alice"));
    send(alice, unkept(direct("bob", "alice", "m1")));
    bob.expect_messages(1);
  }
  send(bob, receipt("alice", "bob", "m1", "delivered"));
  wait_until_waiting("alice", 1);
  auto alice = listening("alice");
  EXPECT_THAT(told_by(alice.expect_messages(1)), ElementsAre(Pair("receipt/alice/bob/m1", "delivered")));
  expect_no_more(alice, "alice");
}

TEST_P(receipts_of_unkept, messages_come_from_each_member_of_a_group) {
  open();
  auto alice = listening("alice");
  auto bob = paho(account("bob"));
  auto carol = paho(account("carol"));
  bob.subscribe("group/crew/#");
  carol.subscribe("group/crew/#", 0);
  send(alice, unkept(to_group("crew", "alice", "m1")));
  bob.expect_messages(1);
  carol.expect_messages(1);
  send(bob, receipt("alice", "bob", "m1", "delivered"));
  alice.expect_messages(1);
  send(carol, receipt("alice", "carol", "m1", "delivered"));
  EXPECT_THAT(told_by(alice.expect_messages(2)), ElementsAre(Pair("receipt/alice/bob/m1", "delivered"),
                                                             Pair("receipt/alice/carol/m1", "delivered")));
}

TEST_P(receipts_of_unkept, messages_of_a_group_that_passes_none_on_tell_nobody) {
  ASSERT_EQ(run_restante({"group", "set", "crew", "--receipts", "off"}).exit_code, 0);
  open();
  auto alice = listening("alice");
  auto bob = paho(account("bob"));
  bob.subscribe("group/crew/#");
  send(alice, unkept(to_group("crew", "alice", "m1")));
  bob.expect_messages(1);
  for (int qos = 0; qos <= 2; ++qos) {
    auto one = receipt("alice", "bob", "m1", "delivered");
    one.qos = qos;
    send(bob, one);
  }
  expect_no_more(alice, "alice");
}

TEST_P(receipts_of_unkept, messages_come_from_nobody_who_did_not_hear_them) {
  open();
  auto alice = listening("alice");
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#");
  auto carol = paho(account("carol"));
  auto again = paho(device("bob", "again"));
  send(alice, unkept(direct("bob", "alice", "m1")));
  bob.expect_messages(1);
  send(carol, receipt("alice", "carol", "m1", "delivered"));
  send(alice, unkept(to_group("crew", "alice", "m2")));     // nobody listens
  send(alice, acknowledgement_of("alice", {"dave/none"}));  // that is answered after it
  send(carol, receipt("alice", "carol", "m2", "delivered"));
  // The account heard it, on another device.
  send(again, receipt("alice", "bob", "m1", "delivered"));
  EXPECT_THAT(told_by(alice.expect_messages(1)), ElementsAre(Pair("receipt/alice/bob/m1", "delivered")));
  expect_no_more(alice, "alice");
}

// It should use another id, and loses nothing if it does not.
TEST_P(receipts_of_unkept, messages_that_are_sent_again_at_qos_1_acknowledge_those) {
  open();
  auto alice = listening("alice");
  auto bob = paho(account("bob"));
  bob.subscribe("direct/bob/#", 0);
  send(alice, unkept(direct("bob", "alice", "m1")));
  bob.expect_messages(1);
  send(alice, direct("bob", "alice", "m1"));
  wait_until_waiting("bob", 1);
  send(bob, receipt("alice", "bob", "m1", "delivered"));
  EXPECT_THAT(told_by(alice.expect_messages(1)), ElementsAre(Pair("receipt/alice/bob/m1", "delivered")));
  wait_until_waiting("bob", 0);
  expect_no_more(alice, "alice");
}

// Members beyond alice, bob and carol cannot log in: they only count.
class large_groups : public receipts {
 protected:
  void make_crowd(int members) const {
    sql("insert into restante.account (name) select 'member' || i from generate_series(4, " +
        std::to_string(members) +
        ") i;"
        "insert into restante.account_group (name) values ('crowd');"
        "insert into restante.member (group_id, account_id)"
        " select g.id, a.id from restante.account_group g, restante.account a"
        " where g.name = 'crowd' and a.name <> 'dave'");
  }
  // Bob gets a message of the crowd, live or from the mailbox, and says that he has it.
  void acknowledge_one(paho_client& alice, paho_client& bob, const std::string& id) {
    const std::size_t before = bob.messages().size();
    send(alice, to_group("crowd", "alice", id));
    bob.expect_messages(before + 1);
    wait_until_waiting("bob", 1);
    send(bob, receipt("alice", "bob", id, "delivered"));
    wait_until_waiting("bob", 0);
  }
};
INSTANTIATE_TEST_SUITE_P(mqtt, large_groups, both_versions, name_of_version);

TEST_P(large_groups, pass_receipts_on_up_to_32_members) {
  make_crowd(32);
  open();
  auto alice = listening("alice");
  auto bob = paho(account("bob"));
  bob.subscribe("group/crowd/#");
  acknowledge_one(alice, bob, "m1");
  EXPECT_THAT(told_by(alice.expect_messages(1)), ElementsAre(Pair("receipt/alice/bob/m1", "delivered")));
}

TEST_P(large_groups, pass_no_receipts_on_beyond_32_members_unless_set_so) {
  make_crowd(33);
  open();
  auto alice = listening("alice");
  auto bob = paho(account("bob"));
  bob.subscribe("group/crowd/#");
  acknowledge_one(alice, bob, "live");
  // Also when only the database knows that it was the group's.
  send(alice, to_group("crowd", "alice", "waiting"));
  wait_until_waiting("bob", 1);
  {
    auto again = paho(device("bob", "again"));
    bob.disconnect();
    send(again, receipt("alice", "bob", "waiting", "delivered"));
    wait_until_waiting("bob", 0);
  }
  expect_no_more(alice, "alice");
  alice.clear();

  ASSERT_EQ(run_restante({"group", "set", "crowd", "--receipts", "on"}).exit_code, 0);
  reconnect(bob);
  bob.subscribe("group/crowd/#");
  acknowledge_one(alice, bob, "set");
  EXPECT_THAT(told_by(alice.expect_messages(1)), ElementsAre(Pair("receipt/alice/bob/set", "delivered")));
}

TEST_P(large_groups, pass_no_receipts_on_when_set_so_however_small) {
  ASSERT_EQ(run_restante({"group", "set", "crew", "--receipts", "off"}).exit_code, 0);
  open();
  auto alice = listening("alice");
  auto bob = paho(account("bob"));
  send(alice, to_group("crew", "alice", "m1"));
  wait_until_waiting("bob", 1);
  send(bob, receipt("alice", "bob", "m1", "delivered"));
  wait_until_waiting("bob", 0);
  expect_no_more(alice, "alice");
}

}  // namespace
}  // namespace restante
