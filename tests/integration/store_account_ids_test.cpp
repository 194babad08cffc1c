// plugin/postgres/account_ids.h against a real server.
#include "postgres/account_ids.h"

#include <gtest/gtest.h>

#include "integration/store_fixture.h"
#include "postgres/connection.h"

namespace restante {
namespace {

class store_account_ids : public store_fixture {
 protected:
  store_account_ids() : to_(connection::open({.database = database_.broker}).value()) {}

  connection to_;
};

TEST_F(store_account_ids, knows_whom_it_has_looked_up) {
  account_ids ids;
  EXPECT_EQ(ids.find("bert"), nullptr);
  ASSERT_TRUE(ids.look_up(to_, {"bert", "nobody", "gone", "not a name", "BERT"}));
  ASSERT_NE(ids.find("bert"), nullptr);
  EXPECT_EQ(std::to_string(ids.find("bert")->account_id),
            sql("select id from restante.account where name = 'bert'"));
  EXPECT_EQ(std::to_string(ids.find("bert")->mailbox_id),
            sql("select b.id from restante.mailbox b join restante.account a on a.id = b.account_id"
                " where a.name = 'bert'"));
  EXPECT_NE(ids.find("gone"), nullptr);
  for (const char* each : {"nobody", "not a name", "BERT", "anna"})
    EXPECT_EQ(ids.find(each), nullptr) << each;
}

TEST_F(store_account_ids, asks_again_for_whom_there_was_not_and_for_nobody_else) {
  account_ids ids;
  ASSERT_TRUE(ids.look_up(to_, {"bert", "later"}));
  sql("insert into restante.account (name) values ('later')");
  ASSERT_TRUE(ids.look_up(to_, {"bert", "later"}));
  EXPECT_NE(ids.find("later"), nullptr);
  to_ = connection::open({.database = support::shared_postgres().create_database().owner}).value();
  EXPECT_TRUE(ids.look_up(to_, {"bert", "later"}));  // without a question: there are no tables
  EXPECT_FALSE(ids.look_up(to_, {"anna"}));
}

TEST_F(store_account_ids, forgets_whom_nobody_speaks_of_but_not_within_a_batch) {
  account_ids ids(2);
  ASSERT_TRUE(ids.look_up(to_, {"anna", "bert", "carl", "dora"}));
  EXPECT_EQ(ids.size(), 4u);
  ids.forget_some();
  EXPECT_NE(ids.find("anna"), nullptr);
  EXPECT_NE(ids.find("bert"), nullptr);
  ids.forget_some();
  EXPECT_EQ(ids.find("carl"), nullptr);
  EXPECT_NE(ids.find("anna"), nullptr);
  ids.forget();
  EXPECT_EQ(ids.find("anna"), nullptr);
}

}  // namespace
}  // namespace restante
