// plugin/postgres/store_thread.h when recipients leave their group, or depart, before a message is stored or
// while it is.
#include <gmock/gmock.h>

#include "integration/lock_holder.h"
#include "integration/store_fixture.h"
#include "postgres/store_thread.h"

namespace restante {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class store_leaving : public store_fixture {
 protected:
  void leave(const std::string& account) {
    sql("delete from restante.member m using restante.account a where a.id = m.account_id and a.name = '" +
        account + "'");
  }
  void join(const std::string& account) {
    sql("insert into restante.member (group_id, account_id) select g.id, a.id"
        " from restante.account_group g, restante.account a where a.name = '" +
        account + "'");
  }
  void set_status(const std::string& account, const std::string& status) {
    sql("update restante.account set status = '" + status + "' where name = '" + account + "'");
  }
  void dissolve() { sql("update restante.account_group set status = 'deleted' where name = 'crew'"); }

  // For whom anything waits, in the order of their names.
  std::string who_waits() {
    return sql("select string_agg(distinct account::text, ' ' order by account::text) from restante.waiting");
  }

  // Stores the batch, which has inserted its rows but not committed while `meanwhile` happens.
  template <typename Change>
  void store_while(running_store& by, store_batch batch, Change meanwhile) {
    by.next<store_ready>();
    lock_holder holder(database_.owner, "select from restante.broker for update");
    by.thread().write(std::move(batch));
    ASSERT_TRUE(support::eventually([&] {
      return support::query(support::shared_postgres().superuser(database_.name),
                            "select count(*) from pg_stat_activity where datname = current_database()"
                            " and application_name = 'restante broker' and wait_event_type = 'Lock'") == "1";
    }));
    meanwhile();
    holder.let_go();
    by.next<batch_stored>();
  }
};

TEST_F(store_leaving, keeps_no_message_of_a_group_for_one_who_has_left_it_since) {
  running_store store(usual_settings(database_.broker));
  leave("bert");
  store.write(batch_of({to_group("crew", "anna", "m1", {"bert", "carl"}), direct("bert", "anna", "m2")}));
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m2"));
  EXPECT_THAT(ids(store.read("carl")), ElementsAre("m1"));
  EXPECT_EQ(store.read("carl").rows.at(0)->payload, "hello all");
  EXPECT_EQ(dead_letters(), "");
}

TEST_F(store_leaving, tells_groups_apart_that_are_stored_together) {
  sql("insert into restante.account_group (name) values ('band');"
      "insert into restante.member (group_id, account_id) select g.id, a.id from restante.account_group g,"
      " restante.account a where g.name = 'band' and a.name in ('anna', 'bert')");
  running_store store(usual_settings(database_.broker));
  sql("delete from restante.member m using restante.account a, restante.account_group g"
      " where a.id = m.account_id and g.id = m.group_id and a.name = 'bert' and g.name = 'crew'");
  store.write(batch_of({to_group("crew", "anna", "c1", {"bert", "carl"}),
                        to_group("band", "anna", "b1", {"bert", "carl"}),
                        to_group("crew", "anna", "c2", {"bert", "carl"})}));
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("b1"));
  EXPECT_THAT(ids(store.read("carl")), ElementsAre("c1", "c2"));
}

TEST_F(store_leaving, keeps_nothing_of_a_group_that_was_dissolved_since) {
  running_store store(usual_settings(database_.broker));
  dissolve();
  store.write(
      batch_of({to_group("crew", "anna", "m1", {"bert", "carl", "dora"}), direct("bert", "anna", "m2")}));
  EXPECT_EQ(who_waits(), "bert");
  EXPECT_EQ(dead_letters(), "");
}

TEST_F(store_leaving, keeps_messages_for_one_who_has_come_back_since) {
  running_store store(usual_settings(database_.broker));
  leave("bert");
  join("bert");
  store.write(batch_of({to_group("crew", "anna", "m1", {"bert"})}));
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m1"));
}

TEST_F(store_leaving, finds_those_departed_who_were_blocked_or_deleted_since) {
  running_store store(usual_settings(database_.broker));
  set_status("bert", "blocked");
  set_status("carl", "deleted");
  store.write(batch_of({to_group("crew", "anna", "m1", {"bert", "carl", "dora"})}));
  EXPECT_EQ(dead_letters(), "bert|departed|t\ncarl|departed|t");
  EXPECT_EQ(who_waits(), "dora");
}

TEST_F(store_leaving, withdraws_what_was_being_stored_when_a_member_left) {
  running_store store(usual_settings(database_.broker));
  store_while(store,
              batch_of({to_group("crew", "anna", "m1", {"bert", "carl"}), direct("bert", "anna", "m2"),
                        to_group("crew", "anna", "m3", {"bert", "carl"})}),
              [&] { leave("bert"); });
  EXPECT_TRUE(support::eventually([&] { return ids(store.read("bert")) == std::vector<std::string>{"m2"}; }));
  EXPECT_THAT(ids(store.read("carl")), ElementsAre("m1", "m3"));
  EXPECT_EQ(dead_letters(), "");
}

TEST_F(store_leaving, withdraws_what_was_being_stored_when_its_group_was_dissolved) {
  running_store store(usual_settings(database_.broker));
  store_while(store,
              batch_of({to_group("crew", "anna", "m1", {"bert", "carl"}), direct("dora", "anna", "m2")}),
              [&] { dissolve(); });
  EXPECT_TRUE(support::eventually([&] { return who_waits() == "dora"; }));
}

TEST_F(store_leaving, withdraws_what_was_being_stored_when_its_recipient_was_blocked_or_deleted) {
  running_store store(usual_settings(database_.broker));
  store_while(store,
              batch_of({to_group("crew", "anna", "m1", {"bert", "carl", "dora"}),
                        direct("bert", "anna", "m2"), direct("carl", "anna", "m3")}),
              [&] {
                set_status("bert", "blocked");
                set_status("carl", "deleted");
              });
  EXPECT_TRUE(support::eventually([&] { return who_waits() == "dora"; }));
  EXPECT_THAT(ids(store.read("dora")), ElementsAre("m1"));
}

// The leave is not committed before the message is, though its trigger has looked before.
TEST_F(store_leaving, withdraws_what_was_stored_while_a_leave_was_not_committed) {
  running_store store(usual_settings(database_.broker));
  lock_holder leaving(database_.owner,
                      "delete from restante.member m using restante.account a"
                      " where a.id = m.account_id and a.name = 'bert'");
  store.write(batch_of({to_group("crew", "anna", "m1", {"bert", "carl"})}));
  store.write(batch_of({direct("dora", "anna", "m2")}));
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m1"));
  leaving.commit();
  EXPECT_TRUE(support::eventually([&] { return who_waits() == "carl dora"; }));
}

// As after a crash: the batch was committed, the leave was too, and nobody looked again.
TEST_F(store_leaving, withdraws_at_its_start_what_an_earlier_broker_stored_for_one_who_left) {
  {
    running_store store(usual_settings(database_.broker));
    store.write(batch_of({to_group("crew", "anna", "m1", {"bert", "carl"}), direct("bert", "anna", "m2")}));
  }
  sql("alter table restante.member disable trigger member_withdraw");
  leave("bert");
  EXPECT_EQ(who_waits(), "bert carl");
  running_store store(usual_settings(database_.broker));
  EXPECT_TRUE(support::eventually([&] { return ids(store.read("bert")) == std::vector<std::string>{"m2"}; }));
  EXPECT_THAT(ids(store.read("carl")), ElementsAre("m1"));
}

TEST_F(store_leaving, withdraws_nothing_for_other_changes_of_a_member) {
  running_store store(usual_settings(database_.broker));
  store.write(batch_of({to_group("crew", "anna", "m1", {"bert", "carl"}), direct("bert", "anna", "m2")}));
  sql("update restante.member set role = 'admin'; update restante.account set password_hash = 'x';"
      "insert into restante.rule (account_id, effect, action, filter) select id, 'deny', 'publish', 'x'"
      " from restante.account where name = 'bert'");
  // What comes after them is withdrawn after them.
  store_while(store, batch_of({to_group("crew", "anna", "m3", {"dora"})}), [&] { leave("dora"); });
  EXPECT_TRUE(support::eventually([&] { return ids(store.read("dora")).empty(); }));
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m1", "m2"));
  EXPECT_THAT(ids(store.read("carl")), ElementsAre("m1"));
}

TEST_F(store_leaving, withdraws_what_was_being_stored_when_thousands_left) {
  sql("insert into restante.account (name) select 'many' || i from generate_series(1, 3000) i;"
      "insert into restante.member (group_id, account_id)"
      " select g.id, a.id from restante.account_group g, restante.account a where a.name like 'many%'");
  running_store store(usual_settings(database_.broker));
  store_while(store, batch_of({to_group("crew", "anna", "m1", {})}), [&] {
    sql("delete from restante.member m using restante.account a"
        " where a.id = m.account_id and a.name like 'many%'");
  });
  EXPECT_TRUE(support::eventually([&] { return who_waits() == "bert carl dora"; }));
  EXPECT_THAT(store.read("anna").rows, IsEmpty());
}

}  // namespace
}  // namespace restante
