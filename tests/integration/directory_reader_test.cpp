// plugin/postgres/directory_reader.h, with the rights that the plugin has.
#include "postgres/directory_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/failure.h"
#include "support/postgres_server.h"

namespace restante {
namespace {

class directory_reader : public testing::Test {
 protected:
  directory_reader()
      : database_(support::shared_postgres().create_database(support::migrated())), connection_(open()) {}

  void sql(const std::string& text) { support::query(database_.owner, text); }

  account_record account(const std::string& name) {
    auto read = read_account(connection_, name);
    if (!read) throw support::failure(read.error().message);
    if (!*read) throw support::failure("no account " + name);
    return **read;
  }

  std::vector<roster> rosters(std::vector<std::string> groups, std::int64_t limit) {
    auto read = read_rosters(connection_, groups, limit);
    if (!read) throw support::failure(read.error().message);
    return *read;
  }

  support::database database_;
  connection connection_;

 private:
  connection open() {
    auto opened = connection::open({.database = database_.broker});
    if (!opened) throw support::failure(opened.error().message);
    return std::move(opened).value();
  }
};

TEST_F(directory_reader, knows_no_account_that_was_never_made) {
  const auto read = read_account(connection_, "nobody");
  ASSERT_TRUE(read.ok());
  EXPECT_FALSE(read->has_value());
}

TEST_F(directory_reader, reads_an_account_as_it_stands) {
  sql("insert into restante.account (name, password_hash, acknowledge, has_acknowledged)"
      " values ('Anna', 'secret', 'puback', true), ('bert', null, null, false)");
  const account_record anna = account("Anna");
  EXPECT_GT(anna.id, 0);
  EXPECT_EQ(anna.name, "Anna");
  EXPECT_TRUE(anna.active);
  EXPECT_EQ(anna.password_hash, "secret");
  EXPECT_EQ(anna.acknowledge, acknowledge_mode::puback);
  EXPECT_TRUE(anna.has_acknowledged);
  const account_record bert = account("bert");
  EXPECT_EQ(bert.password_hash, std::nullopt);
  EXPECT_EQ(bert.acknowledge, std::nullopt);
  EXPECT_FALSE(bert.has_acknowledged);
}

TEST_F(directory_reader, takes_a_name_only_as_it_was_created) {
  sql("insert into restante.account (name) values ('Anna')");
  EXPECT_FALSE(read_account(connection_, "anna").value().has_value());
}

TEST_F(directory_reader, reads_blocked_and_deleted_accounts_as_not_active) {
  sql("insert into restante.account (name, status) values ('anna', 'blocked'), ('bert', 'deleted')");
  EXPECT_FALSE(account("anna").active);
  EXPECT_FALSE(account("bert").active);
}

TEST_F(directory_reader, reads_groups_with_roles_and_whether_they_pass_receipts) {
  sql(R"(
    insert into restante.account (name) select 'a' || n from generate_series(1, 33) n;
    insert into restante.account_group (name, receipts, status) values
      ('full', null, 'active'), ('large', null, 'active'), ('told', true, 'active'), ('quiet', false, 'active'),
      ('gone', null, 'active');
    insert into restante.member (group_id, account_id)
      select g.id, a.id from restante.account_group g, restante.account a
      where g.name in ('large', 'told') or (g.name in ('full', 'gone') and a.name <> 'a33')
         or (g.name = 'quiet' and a.name = 'a1');
    update restante.member set role = 'admin'
      where group_id = (select id from restante.account_group where name = 'quiet');
    update restante.account_group set status = 'deleted' where name = 'gone')");
  std::vector<membership> groups = account("a1").groups;
  std::ranges::sort(groups, {}, &membership::group);
  ASSERT_EQ(groups.size(), 4u);
  EXPECT_EQ(groups[0].group, "full");
  EXPECT_TRUE(groups[0].passes_receipts);
  EXPECT_FALSE(groups[0].admin);
  EXPECT_EQ(groups[1].group, "large");
  EXPECT_FALSE(groups[1].passes_receipts);
  EXPECT_EQ(groups[2].group, "quiet");
  EXPECT_FALSE(groups[2].passes_receipts);
  EXPECT_TRUE(groups[2].admin);
  EXPECT_EQ(groups[3].group, "told");
  EXPECT_TRUE(groups[3].passes_receipts);
}

TEST_F(directory_reader, reads_the_rules_that_speak_of_the_account_and_no_others) {
  sql(R"(
    delete from restante.rule;
    insert into restante.account (name) values ('anna'), ('bert');
    insert into restante.account_group (name) values ('tea'), ('coffee');
    insert into restante.member (group_id, account_id)
      select g.id, a.id from restante.account_group g, restante.account a where g.name = 'tea' and a.name = 'anna';
    insert into restante.rule (account_id, effect, action, filter)
      select id, 'deny', 'publish', 'of/' || name from restante.account;
    insert into restante.rule (group_id, effect, action, filter)
      select id, 'allow', 'subscribe', 'of/' || name from restante.account_group;
    insert into restante.rule (effect, action, filter, durable) values ('allow', 'publish', 'of/all', true))");
  std::vector<rule> rules = account("anna").rules;
  std::ranges::sort(rules, {}, &rule::filter);
  ASSERT_EQ(rules.size(), 3u);
  EXPECT_EQ(rules[0].filter, "of/all");
  EXPECT_TRUE(rules[0].durable);
  EXPECT_EQ(rules[0].subject_account + rules[0].subject_group, "");
  EXPECT_EQ(rules[1].filter, "of/anna");
  EXPECT_EQ(rules[1].effect, rule_effect::deny);
  EXPECT_EQ(rules[1].action, rule_action::publish);
  EXPECT_EQ(rules[1].subject_account, "anna");
  EXPECT_EQ(rules[1].subject_group, "");
  EXPECT_FALSE(rules[1].durable);
  EXPECT_EQ(rules[2].filter, "of/tea");
  EXPECT_EQ(rules[2].effect, rule_effect::allow);
  EXPECT_EQ(rules[2].action, rule_action::subscribe);
  EXPECT_EQ(rules[2].subject_account, "");
  EXPECT_EQ(rules[2].subject_group, "tea");
}

TEST_F(directory_reader, reads_rosters_up_to_the_group_limit) {
  sql(R"(
    insert into restante.account (name) values ('anna'), ('bert'), ('cleo'), ('dora');
    update restante.account set status = 'blocked' where name = 'dora';
    insert into restante.account_group (name) values ('two'), ('three'), ('four'), ('none'), ('gone');
    insert into restante.member (group_id, account_id)
      select g.id, a.id from restante.account_group g, restante.account a
      where (g.name = 'two' and a.name in ('anna', 'dora')) or (g.name = 'three' and a.name <> 'dora')
         or g.name in ('four', 'gone');
    update restante.account_group set status = 'deleted' where name = 'gone')");
  std::vector<roster> read = rosters({"two", "three", "four", "none", "gone", "unknown"}, 3);
  std::ranges::sort(read, {}, &roster::group);
  ASSERT_EQ(read.size(), 4u);
  EXPECT_EQ(read[0].group, "four");
  EXPECT_FALSE(read[0].whole);
  EXPECT_TRUE(read[0].members.empty());
  EXPECT_EQ(read[1].group, "none");
  EXPECT_TRUE(read[1].whole);
  EXPECT_TRUE(read[1].members.empty());
  EXPECT_EQ(read[2].group, "three");
  EXPECT_TRUE(read[2].whole);
  EXPECT_EQ(read[2].members, (std::vector<std::string>{"anna", "bert", "cleo"}));
  EXPECT_EQ(read[3].group, "two");
  EXPECT_TRUE(read[3].whole);
  EXPECT_EQ(read[3].members, (std::vector<std::string>{"anna"}));
}

TEST_F(directory_reader, asks_for_no_roster_when_none_is_wanted) { EXPECT_TRUE(rosters({}, 10).empty()); }

}  // namespace
}  // namespace restante
