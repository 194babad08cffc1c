// plugin/postgres/store_thread.h when the database is away, slow, or another's.
#include <gmock/gmock.h>

#include "integration/lock_holder.h"
#include "integration/store_fixture.h"
#include "postgres/store_thread.h"
#include "support/cutting_proxy.h"

namespace restante {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class store_outage : public store_fixture {
 protected:
  // The session of the store on this database; empty: there is none.
  std::string backend() {
    return super(
        "select coalesce(max(pid)::text, '') from pg_stat_activity where datname = current_database()"
        " and application_name = 'restante broker'");
  }
  std::string super(const std::string& text) {
    return support::query(support::shared_postgres().superuser(database_.name), text);
  }
};

TEST_F(store_outage, writes_a_batch_again_when_its_connection_ends_midway) {
  running_store store(usual_settings(database_.broker));
  store.next<store_ready>();
  lock_holder holder(database_.owner, "select from restante.broker for update");
  store_batch batch =
      batch_of({direct("bert", "anna", "m1"), to_group("crew", "anna", "m2", {"bert", "carl"})});
  store.thread().write(batch);
  ASSERT_TRUE(support::eventually([&] {
    return super("select count(*) from pg_stat_activity where pid = " + backend() +
                 " and wait_event_type = 'Lock'") == "1";
  }));
  super("select pg_terminate_backend(" + backend() + ")");
  EXPECT_THAT(store.next<store_lost>().why, HasSubstr("terminating connection"));
  holder.let_go();
  store.next<store_ready>();
  store.next<batch_stored>();
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m1", "m2"));
  EXPECT_EQ(sql("select count(*) from restante.delivery"), "3");
}

TEST_F(store_outage, knows_a_commit_whose_answer_was_lost) {
  const std::string place = database_.broker.substr(5, database_.broker.find(' ') - 5);
  support::cutting_proxy proxy(place);
  store_settings settings =
      usual_settings("host=" + proxy.host() + " user=broker sslmode=disable dbname=" + database_.name);
  settings.mailbox_limit = 1;
  running_store store(settings);
  store.write(batch_of({to_group("crew", "anna", "m2", {"carl"})}));
  proxy.cut_at_commit();
  store_batch batch = batch_of({direct("bert", "anna", "m1")});
  batch.removals_by_key = {{"carl", {"anna", "m2"}, INT64_MAX, false}};
  // A second attempt would find neither what the first has removed nor any room for what it has stored.
  const batch_result result = store.write(std::move(batch));
  EXPECT_EQ(proxy.cuts(), 1);
  ASSERT_EQ(result.removals_by_key.size(), 1u);
  EXPECT_TRUE(result.removals_by_key[0].found);
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m1"));
  EXPECT_EQ(dead_letters(), "");
}

TEST_F(store_outage, loses_and_doubles_nothing_however_often_answers_are_lost) {
  const std::string place = database_.broker.substr(5, database_.broker.find(' ') - 5);
  support::cutting_proxy proxy(place);
  running_store store(
      usual_settings("host=" + proxy.host() + " user=broker sslmode=disable dbname=" + database_.name));
  store.next<store_ready>();
  constexpr int rounds = 10, each_time = 20;
  std::vector<std::string> wanted;
  std::vector<removal> last;
  for (int round = 0; round < rounds; ++round) {
    store_batch batch;
    std::vector<envelope> messages;
    for (int i = 0; i < each_time; ++i) {
      wanted.push_back("m" + std::to_string(round) + "." + std::to_string(i));
      messages.push_back(direct("bert", "anna", wanted.back()));
    }
    messages.push_back(direct("carl", "anna", "r" + std::to_string(round)));
    batch = batch_of(std::move(messages));
    batch.removals = std::exchange(last, {{"carl", batch.messages.back().what->number}});
    proxy.cut_at_commit();
    store.write(std::move(batch));
  }
  EXPECT_EQ(proxy.cuts(), rounds);
  EXPECT_EQ(ids(store.read("bert", 0, 1'000)), wanted);
  EXPECT_THAT(ids(store.read("carl")), ElementsAre("r" + std::to_string(rounds - 1)));
  EXPECT_EQ(sql("select count(*) from restante.delivery"), std::to_string(rounds * each_time + 1));
  EXPECT_EQ(dead_letters(), "");
}

TEST_F(store_outage, knows_names_to_be_for_good) {
  EXPECT_THROW(sql("update restante.account set name = 'berta' where name = 'bert'"), support::failure);
  EXPECT_THROW(sql("update restante.account_group set name = 'cabin' where name = 'crew'"), support::failure);
  sql("update restante.account set name = name");
}

TEST_F(store_outage, waits_for_another_broker_to_leave) {
  auto first = std::make_unique<running_store>(usual_settings(database_.broker));
  first->next<store_ready>();
  running_store second(usual_settings(database_.broker));
  EXPECT_THAT(second.next<store_lost>().why, HasSubstr("another broker uses this database"));
  second.thread().write(batch_of({direct("bert", "anna", "m1")}));
  second.thread().read({1, "bert", 0, 10, 1000, {}});
  EXPECT_EQ(second.next<page_unreadable>().token, 1u);
  EXPECT_EQ(sql("select count(*) from restante.delivery"), "0");
  const auto last_attempt = [&] {
    return super(
        "select max(query_start) from pg_stat_activity a where datname = current_database()"
        " and application_name = 'restante broker'"
        " and not exists (select from pg_locks l where l.pid = a.pid and l.locktype = 'advisory')");
  };
  const std::string before = last_attempt();
  EXPECT_TRUE(support::eventually([&] { return last_attempt() != before; }));
  first.reset();
  second.next<store_ready>();
  second.next<batch_stored>();
  EXPECT_FALSE(second.has<store_lost>());  // said once
}

TEST_F(store_outage, lets_two_brokers_use_two_databases) {
  const support::database other = support::shared_postgres().create_database(support::migrated());
  running_store first(usual_settings(database_.broker)), second(usual_settings(other.broker));
  first.next<store_ready>();
  second.next<store_ready>();
}

TEST_F(store_outage, tries_again_after_a_conflict_on_the_same_connection) {
  running_store store(usual_settings(database_.broker));
  store.next<store_ready>();
  sql("create function restante.fail_thrice() returns trigger language plpgsql security definer as $$"
      " begin if nextval('restante.attempts') < 5 then raise exception 'again' using errcode = '40001'; end "
      "if;"
      " return null; end $$;"
      "create sequence restante.attempts;"
      "create trigger fail_thrice after update of stored_through on restante.broker"
      " for each row execute function restante.fail_thrice()");
  const std::string session = backend();
  store.write(batch_of({direct("bert", "anna", "m1")}));
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m1"));
  EXPECT_EQ(backend(), session);
  EXPECT_FALSE(store.has<store_lost>());
}

TEST_F(store_outage, says_what_to_do_about_a_database_without_the_schema) {
  const support::database empty = support::shared_postgres().create_database();
  running_store store(usual_settings(empty.broker));
  EXPECT_THAT(store.next<store_lost>().why, HasSubstr("restante migrate"));
}

TEST_F(store_outage, becomes_ready_even_when_partitions_cannot_be_made_just_now) {
  sql("drop table restante.delivery_" + sql("select to_char(current_date + 7, 'YYYYMMDD')"));
  lock_holder holder(database_.owner, "lock table restante.delivery in share row exclusive mode");
  running_store store(usual_settings(database_.broker));
  store.next<store_ready>();
  holder.let_go();
  store.write(batch_of({direct("bert", "anna", "m1")}));
}

class store_server : public testing::Test {
 protected:
  store_server() : database_(server_.create_database(support::migrated())) { furnish(database_); }

  support::postgres_server server_;
  support::database database_;
};

TEST_F(store_server, stopped_and_started_loses_no_batch) {
  running_store store(usual_settings(database_.broker));
  store.next<store_ready>();
  for (int round = 1; round <= 3; ++round) {
    const std::string id = "m" + std::to_string(round);
    if (round == 2) {
      server_.kill();
    } else {
      server_.stop();
    }
    store.thread().write(batch_of({direct("bert", "anna", id)}));
    store.next<store_lost>();
    store.thread().read({7, "bert", 0, 10, 1000, {}});
    EXPECT_EQ(store.next<page_unreadable>().token, 7u);
    server_.start();
    store.next<store_ready>();
    store.next<batch_stored>();
  }
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m1", "m2", "m3"));
}

TEST_F(store_server, away_from_the_start_is_waited_for) {
  server_.stop();
  running_store store(usual_settings(database_.broker));
  EXPECT_FALSE(store.next<store_lost>().why.empty());
  store.thread().write(batch_of({direct("bert", "anna", "m1")}));
  server_.start();
  store.next<batch_stored>();
}

std::chrono::milliseconds time_to_stop(running_store& store, std::chrono::milliseconds grace) {
  const auto began = std::chrono::steady_clock::now();
  store.thread().stop(began + grace);
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
}

TEST_F(store_server, frozen_does_not_hold_up_the_end) {
  running_store store(usual_settings(database_.broker));
  store.next<store_ready>();
  server_.freeze();
  store.thread().write(batch_of({direct("bert", "anna", "m1")}));
  const auto took = time_to_stop(store, 300ms);
  server_.thaw();
  EXPECT_GE(took, 300ms);
  EXPECT_LT(took, 1300ms);
  EXPECT_FALSE(store.has<batch_stored>());
}

TEST_F(store_server, frozen_for_longer_than_a_statement_may_take_stores_once) {
  store_settings settings = usual_settings(database_.broker);
  settings.statement_timeout = 300ms;
  running_store store(settings);
  store.next<store_ready>();
  store.write(batch_of({to_group("crew", "anna", "m1", {"bert", "carl"})}));
  server_.freeze();
  store_batch batch = batch_of({direct("bert", "anna", "m2")});
  batch.removals_by_key = {{"carl", {"anna", "m1"}, INT64_MAX, false}};
  store.thread().write(std::move(batch));
  EXPECT_THAT(store.next<store_lost>().why, HasSubstr("did not answer within 1300 ms"));
  // What was sent is still before the old session, which may store it when it goes on.
  server_.thaw();
  EXPECT_TRUE(store.next<batch_stored>().result.removals_by_key.at(0).found);
  EXPECT_THAT(ids(store.read("bert")), ElementsAre("m1", "m2"));
  EXPECT_EQ(support::query(database_.owner, "select count(*) from restante.delivery"), "2");
}

TEST_F(store_server, away_does_not_hold_up_the_end_unless_something_waits) {
  running_store idle(usual_settings(database_.broker));
  idle.next<store_ready>();
  server_.stop();
  idle.next<store_lost>();
  idle.thread().report({1, 1, {}});
  EXPECT_LT(time_to_stop(idle, 10s), 3s);

  running_store busy(usual_settings(database_.broker));
  busy.next<store_lost>();
  busy.thread().write(batch_of({direct("bert", "anna", "m1")}));
  EXPECT_LT(time_to_stop(busy, 200ms), 1500ms);
}

TEST_F(store_server, gets_what_was_given_before_the_end) {
  running_store store(usual_settings(database_.broker));
  store.thread().write(batch_of({direct("bert", "anna", "m1")}));
  store.thread().report({1, 2, {}});
  store.thread().stop(std::chrono::steady_clock::now() + 20s);
  EXPECT_TRUE(store.has<batch_stored>());
  EXPECT_EQ(support::query(database_.owner, "select journal_bytes from restante.broker"), "2");
}

}  // namespace
}  // namespace restante
