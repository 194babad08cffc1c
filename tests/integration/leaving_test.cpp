// A member leaves, or departs, between a message's acceptance and its storing: what is stored is for the
// others.
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "integration/lock_holder.h"
#include "mail_steps.h"
#include "support/eventually.h"

namespace restante {
namespace {

using namespace support;

class leaving : public post_office_fixture {
 protected:
  void must_run(const std::vector<std::string>& arguments) const {
    const finished ended = run_restante(arguments);
    if (ended.exit_code != 0) throw failure(ended.output);
  }
  static std::vector<mqtt_message> to_crew(const std::string& name, int count) {
    std::vector<mqtt_message> made;
    made.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) made.push_back(to_group("crew", "alice", name + std::to_string(i)));
    return made;
  }
  std::string super(const std::string& statement) const {
    return query(shared_postgres().superuser(mail().name), statement);
  }
  // The broker is shut out of PostgreSQL, which others use meanwhile.
  void shut_out() const {
    super(
        "alter role broker nologin; select pg_terminate_backend(pid) from pg_stat_activity"
        " where usename = 'broker' and datname = current_database()");
  }
  void let_in() const { super("alter role broker login"); }
};

TEST_F(leaving, within_the_time_that_messages_linger_is_in_time) {
  open({.options = {{"linger", "10s"}}});
  auto alice = raw(account("alice"));
  const auto sent = publish_all(alice, to_crew("m", 5));
  must_run({"group", "leave", "crew", "bob"});
  EXPECT_EQ(waiting("carol"), 0);
  broker().stop();  // stores what it still has
  EXPECT_EQ(waiting("carol"), 5);
  EXPECT_EQ(waiting("bob"), 0);
  EXPECT_EQ(sql("select count(*) from restante.dead_letter"), "0");
}

TEST_F(leaving, while_the_broker_is_without_its_database_is_in_time) {
  open();
  auto alice = raw(account("alice"));
  auto carol = raw(account("carol"));
  carol.subscribe({"group/crew/#"});
  shut_out();
  const auto sent = publish_all(alice, to_crew("m", 30));
  must_run({"group", "leave", "crew", "bob"});
  EXPECT_EQ(waiting("carol"), 0);
  let_in();
  wait_until_waiting("carol", 30);
  EXPECT_EQ(waiting("bob"), 0);
  EXPECT_EQ(collect(carol, 30), sent);
  EXPECT_EQ(sql("select count(*) from restante.dead_letter"), "0");
}

TEST_F(leaving, by_being_blocked_or_deleted_while_the_broker_is_without_its_database_is_in_time) {
  open();
  auto alice = raw(account("alice"));
  shut_out();
  publish_all(alice, to_crew("m", 3));
  publish_all(alice, letters("bob", "alice", "b", 2));
  publish_all(alice, letters("dave", "alice", "d", 2));
  must_run({"user", "block", "bob"});
  must_run({"user", "delete", "dave"});
  let_in();
  wait_until_waiting("carol", 3);
  EXPECT_EQ(sql("select account, count(*) from restante.waiting group by account"), "carol|3");
  EXPECT_TRUE(eventually([&] {
    return sql("select recipient, reason, count(*) from restante.dead_letter group by 1, 2 order by 1") ==
           "bob|departed|5\ndave|departed|2";
  })) << sql("select recipient, reason, topic from restante.dead_letter");
}

TEST_F(leaving, while_messages_are_being_stored_withdraws_them_within_seconds) {
  open({.options = {{"linger", "0"}}});
  auto alice = raw(account("alice"));
  auto carol = raw(account("carol"));
  carol.subscribe({"group/crew/#"});
  lock_holder holder(mail().owner, "select from restante.broker for update");
  const auto sent = publish_all(alice, to_crew("m", 30));
  ASSERT_TRUE(eventually([&] {
    return super(
               "select count(*) from pg_stat_activity where datname = current_database()"
               " and application_name = 'restante broker' and wait_event_type = 'Lock'") == "1";
  }));
  must_run({"group", "leave", "crew", "bob"});
  holder.let_go();
  wait_until_waiting("carol", 30);
  wait_until_waiting("bob", 0);
  EXPECT_EQ(collect(carol, 30), sent);
}

}  // namespace
}  // namespace restante
