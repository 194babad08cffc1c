// plugin/postgres/store_thread.h when recipients leave their group, or depart, before a message is stored or
//
#include <gmock/gmock.h>

#include "integration/store_fixture.h"
#include "postgres/store_thread.h"

namespace restante {
namespace {

using testing::ElementsAre;

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

}  // namespace
}  // namespace restante
