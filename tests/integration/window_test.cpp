// Who acknowledges, who never does, and who need not: what each holds of the window.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mail_steps.h"

namespace restante {
namespace {

using namespace support;

using strings = std::vector<std::string>;

strings part(const strings& of, std::ptrdiff_t first, std::ptrdiff_t count) {
  return {of.begin() + first, of.begin() + first + count};
}

class windows : public post_office_fixture {
 protected:
  void open_with_five() { open({.options = {{"window", "5"}}}); }

  raw_mqtt listening(const std::string& name) {
    auto made = raw(account(name));
    made.subscribe({"direct/" + name + "/#"});
    return made;
  }

  void acknowledge_by_handoff(const std::string& name) {
    const auto done = run_restante({"user", "set", name, "--acknowledge", "handoff"});
    ASSERT_EQ(done.exit_code, 0) << done.output;
  }

  bool doctor_names(const std::string& name) {
    return run_restante({"doctor", "--json"})
               .output.find(name + " holds a full window and has never acknowledged") != std::string::npos;
  }

  // The broker says every ten seconds how it is.
  void wait_for_report() {
    const auto reported_at = [this] { return sql("select reported_at from restante.broker"); };
    const std::string before = reported_at();
    EXPECT_TRUE(
        eventually([&] { return reported_at() != before; }, patience, std::chrono::milliseconds{200}));
  }
};

TEST_F(windows, that_are_full_and_never_acknowledged_are_named_with_the_remedy_and_hold_up_nobody_else) {
  open_with_five();
  auto alice = raw(account("alice"));
  auto bob = listening("bob");
  auto carol = listening("carol");
  const auto to_bob = publish_all(alice, letters("bob", "alice", "m", 12));
  EXPECT_EQ(collect(bob, 5), part(to_bob, 0, 5));

  const auto to_carol = publish_all(alice, letters("carol", "alice", "c", 12));
  for (const std::ptrdiff_t first : {0, 4, 8}) {
    EXPECT_EQ(collect(carol, 4), part(to_carol, first, 4));
    acknowledge(carol, "carol", part(to_carol, first, 4));
  }
  wait_until_waiting("carol", 0);

  broker().wait_for_log(
      "bob of bob holds a full window and has never acknowledged: let it publish to ack/bob, "
      "or set `restante user set bob --acknowledge handoff`");
  EXPECT_TRUE(eventually([&] { return doctor_names("bob"); }));
  EXPECT_FALSE(doctor_names("carol"));
  bob.ping();
  EXPECT_EQ(bob.waiting_publishes(), 0U);

  acknowledge(bob, "bob", part(to_bob, 0, 5));
  EXPECT_EQ(collect(bob, 5), part(to_bob, 5, 5));
  wait_for_report();
  EXPECT_FALSE(doctor_names("bob"));
}

TEST_F(windows, of_those_who_acknowledged_once_are_never_named_again) {
  open_with_five();
  auto alice = raw(account("alice"));
  const auto sent = publish_all(alice, letters("bob", "alice", "m", 12));
  {
    auto bob = listening("bob");
    EXPECT_EQ(collect(bob, 5), part(sent, 0, 5));
    acknowledge(bob, "bob", part(sent, 0, 1));
    EXPECT_EQ(collect(bob, 1), part(sent, 5, 1));
  }
  EXPECT_TRUE(eventually(
      [&] { return sql("select has_acknowledged from restante.account where name = 'bob'") == "t"; }));
  EXPECT_EQ(sql("select has_acknowledged from restante.account where name = 'alice'"), "f");
  restart();
  auto bob = listening("bob");
  EXPECT_EQ(collect(bob, 5), part(sent, 1, 5));
  wait_for_report();
  EXPECT_FALSE(doctor_names("bob"));
  EXPECT_EQ(broker().log_text().find("never acknowledged"), std::string::npos);
}

TEST_F(windows, are_freed_at_hand_over_for_accounts_that_wish_it_so) {
  acknowledge_by_handoff("bob");
  open_with_five();
  auto alice = raw(account("alice"));
  const auto away = publish_all(alice, letters("bob", "alice", "away", 12));
  wait_until_waiting("bob", 12);
  auto bob = listening("bob");
  EXPECT_EQ(collect(bob, 12), away);
  wait_until_waiting("bob", 0);
  const auto live = publish_all(alice, letters("bob", "alice", "live", 12));
  EXPECT_EQ(collect(bob, 12), live);
  publish_all(alice, letters("carol", "alice", "stored-later", 1));
  wait_until_waiting("carol", 1);
  wait_until_waiting("bob", 0);
}

TEST_F(windows, that_are_full_open_when_the_remedy_is_applied) {
  open_with_five();
  auto alice = raw(account("alice"));
  auto bob = listening("bob");
  const auto sent = publish_all(alice, letters("bob", "alice", "m", 12));
  EXPECT_EQ(collect(bob, 5), part(sent, 0, 5));
  acknowledge_by_handoff("bob");
  EXPECT_EQ(collect(bob, 7), part(sent, 5, 7));
  wait_until_waiting("bob", 0);
}

}  // namespace
}  // namespace restante
