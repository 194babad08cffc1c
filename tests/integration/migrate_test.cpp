// `restante migrate` and `restante doctor` against a real PostgreSQL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "postgres/connection.h"
#include "support/failure.h"
#include "support/postgres_server.h"
#include "support/process.h"

namespace restante {
namespace {

using support::finished;
using support::query;
using testing::HasSubstr;
using json = nlohmann::ordered_json;

constexpr int done = 0, refused = 1;

finished restante(const std::string& database, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), RESTANTE_PROGRAM);
  arguments.insert(arguments.end(), {"--database", database});
  return support::run({.arguments = std::move(arguments)});
}

json parsed(const finished& ended) {
  if (ended.exit_code != done) throw support::failure(ended.output);
  return json::parse(ended.output);
}

TEST(migrate, makes_the_schema_and_finds_nothing_to_do_the_second_time) {
  const std::string database = support::shared_postgres().create_database().owner;
  const json first = parsed(restante(database, {"migrate", "--json"}));
  EXPECT_GE(first["applied"].size(), 2u);
  EXPECT_EQ(first["applied"][0], "0001_accounts");
  const json second = parsed(restante(database, {"migrate", "--json"}));
  EXPECT_EQ(second["applied"], json::array());
  EXPECT_EQ(second["version"], first["version"]);
  EXPECT_EQ(query(database, "select count(*) from restante.migration where length(checksum) = 64"),
            first["version"].dump());
  EXPECT_EQ(restante(database, {"doctor"}).exit_code, done);
}

TEST(migrate, applies_each_migration_once_when_several_start_at_once) {
  const std::string database = support::shared_postgres().create_database().owner;
  std::vector<finished> ended(4);
  {
    std::vector<std::jthread> hosts;
    for (finished& each : ended) {
      hosts.emplace_back([&each, &database] { each = restante(database, {"migrate", "--json"}); });
    }
  }
  std::size_t applied = 0;
  for (const finished& each : ended) applied += parsed(each)["applied"].size();
  EXPECT_EQ(applied, parsed(ended[0])["version"].get<std::size_t>());
}

TEST(migrate, works_for_two_databases_of_one_server_at_once) {
  const std::string one = support::shared_postgres().create_database().owner;
  const std::string other = support::shared_postgres().create_database().owner;
  finished ended;
  {
    std::jthread first([&] { ended = restante(one, {"migrate"}); });
    EXPECT_EQ(restante(other, {"migrate"}).exit_code, done);
  }
  EXPECT_EQ(ended.exit_code, done) << ended.output;
}

TEST(migrate, refuses_a_database_that_is_newer_than_the_program) {
  const std::string database = support::shared_postgres().create_database(support::migrated()).owner;
  query(database,
        "insert into restante.migration (version, name, checksum)"
        " select max(version) + 1, '9999_future', 'x' from restante.migration");
  const finished ended = restante(database, {"migrate"});
  EXPECT_EQ(ended.exit_code, refused);
  EXPECT_THAT(ended.output, HasSubstr("newer than this program"));
  EXPECT_THAT(ended.output, HasSubstr("9999_future"));
  EXPECT_THAT(restante(database, {"doctor"}).output, HasSubstr("newer than this program"));
}

TEST(migrate, refuses_a_migration_that_was_changed_after_it_was_applied) {
  const std::string database = support::shared_postgres().create_database(support::migrated()).owner;
  query(database, "update restante.migration set checksum = repeat('0', 64) where version = 1");
  const finished ended = restante(database, {"migrate"});
  EXPECT_EQ(ended.exit_code, refused);
  EXPECT_THAT(ended.output, HasSubstr("0001_accounts was applied with another text"));
}

TEST(migrate, refuses_a_history_with_a_gap) {
  const std::string database = support::shared_postgres().create_database(support::migrated()).owner;
  query(database, "delete from restante.migration where version = 1");
  const finished ended = restante(database, {"migrate"});
  EXPECT_EQ(ended.exit_code, refused);
  EXPECT_THAT(ended.output, HasSubstr("not the one before it"));
}

TEST(migrate, undoes_a_migration_that_fails) {
  const std::string database = support::shared_postgres().create_database().owner;
  query(database, "create schema restante");
  query(database, "create table restante.account (id integer)");
  const finished ended = restante(database, {"migrate"});
  EXPECT_EQ(ended.exit_code, refused);
  EXPECT_THAT(ended.output, HasSubstr("0001_accounts was not applied"));
  EXPECT_EQ(query(database, "select count(*) from pg_class where relnamespace = 'restante'::regnamespace"),
            "1");
  query(database, "drop schema restante cascade");
  EXPECT_EQ(restante(database, {"migrate"}).exit_code, done);
}

TEST(migrate, does_not_wait_for_ever_for_another_to_end) {
  const std::string database = support::shared_postgres().create_database(support::migrated()).owner;
  auto other = connection::open({.database = database});
  ASSERT_TRUE(other.ok());
  ASSERT_TRUE(other->execute("select pg_advisory_lock(hashtextextended('restante migrate', 0))").ok());
  const finished ended = restante(database, {"migrate", "--wait", "1"});
  EXPECT_EQ(ended.exit_code, refused);
  EXPECT_THAT(ended.output, HasSubstr("another `restante migrate`"));
}

class doctor : public testing::Test {
 protected:
  // The state of each check; of several with one name, the last.
  std::map<std::string, std::string> states() {
    const finished ended = restante(database_.owner, {"doctor", "--json"});
    std::map<std::string, std::string> found;
    bool failed = false;
    for (const json& row : json::parse(ended.output)) {
      found[row["check"]] = row["state"];
      failed = failed || row["state"] == "fail";
      EXPECT_EQ(row["remedy"].is_null(), row["state"] == "ok") << row;
    }
    EXPECT_EQ(ended.exit_code, failed ? refused : done);
    return found;
  }

  void sql(const std::string& text) { query(database_.owner, text); }

  support::database database_ = support::shared_postgres().create_database(support::migrated());
};

TEST_F(doctor, finds_nothing_wrong_with_a_fresh_database) {
  for (const auto& [check, state] : states()) EXPECT_EQ(state, check == "broker" ? "warn" : "ok") << check;
}

TEST_F(doctor, sees_that_the_broker_is_gone) {
  sql("update restante.broker set reported_at = now() - interval '10 seconds'");
  EXPECT_EQ(states()["broker"], "fail");
}

TEST_F(doctor, sees_that_the_broker_is_there_by_its_lock) {
  auto broker = connection::open({.database = database_.broker});
  ASSERT_TRUE(broker.ok());
  ASSERT_TRUE(broker->execute("select pg_advisory_lock(hashtextextended('restante broker', 0))").ok());
  EXPECT_EQ(states()["broker"], "warn");  // but it has not reported
  sql("update restante.broker set reported_at = now()");
  EXPECT_EQ(states()["broker"], "ok");
  sql("update restante.broker set reported_at = now() - interval '10 minutes'");
  EXPECT_EQ(states()["broker"], "warn");
}

TEST_F(doctor, names_accounts_that_never_acknowledged_and_the_remedy) {
  sql("update restante.broker set never_acknowledged = '{anna,bert}'");
  const finished ended = restante(database_.owner, {"doctor"});
  EXPECT_EQ(ended.exit_code, refused);
  EXPECT_THAT(ended.output, HasSubstr("anna holds a full window"));
  EXPECT_THAT(ended.output, HasSubstr("restante user set bert --acknowledge handoff"));
}

TEST_F(doctor, sees_missing_partitions) {
  sql("do $$ begin execute format('drop table restante.message_%s', to_char(current_date + 1, 'YYYYMMDD')); "
      "end $$");
  EXPECT_EQ(states()["partitions"], "fail");
  sql("select restante.restante_roll()");
  EXPECT_EQ(states()["partitions"], "ok");
}

TEST_F(doctor, sees_expired_days_that_are_left_over) {
  sql("insert into restante.expired_day (day, created_at) values (current_date - 40, now() - interval '1 "
      "hour')");
  EXPECT_EQ(states()["expired days"], "ok");
  sql("insert into restante.expired_day (day, created_at) values (current_date - 41, now() - interval '2 "
      "days')");
  EXPECT_EQ(states()["expired days"], "fail");
}

TEST_F(doctor, warns_of_messages_that_postgres_would_not_store) {
  sql("insert into restante.dead_letter (number, recipient, topic, sender, message_id, qos, reason)"
      " values (1, 'bert', 'direct/bert/anna/one', 'anna', 'one', 1, 'expired')");
  EXPECT_EQ(states()["dead letters"], "ok");
  sql("insert into restante.dead_letter (number, recipient, topic, sender, message_id, qos, reason)"
      " values (2, 'bert', 'direct/bert/anna/two', 'anna', 'two', 1, 'refused')");
  EXPECT_EQ(states()["dead letters"], "warn");
}

}  // namespace
}  // namespace restante
