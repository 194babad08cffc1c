// bridge/store/postgres_sync_store.h against a real server.
#include "bridge/store/postgres_sync_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "bridge/quiet_log.h"
#include "support/eventually.h"
#include "support/failure.h"
#include "support/postgres_server.h"

namespace restante {
namespace {

using namespace std::chrono_literals;

class sync_rows : public testing::Test {
 protected:
  sync_rows() : database_(support::shared_postgres().create_database(support::migrated())) {}

  std::string sql(const std::string& text) { return support::query(database_.owner, text); }
  void add_accounts(int count) {
    sql("insert into restante.account (name) select 'a' || g from generate_series(1, " +
        std::to_string(count) + ") g");
  }
  postgres_sync_store store(const std::string& claimer = "one", std::chrono::milliseconds lease = 120s) {
    return postgres_sync_store({database_.bridge, "stream", claimer, lease}, log_);
  }
  std::vector<sync_job> claim(postgres_sync_store& from, std::size_t limit = 1'000) {
    auto jobs = from.claim(limit);
    if (!jobs) throw support::failure("cannot claim: " + log_.text());
    return std::move(*jobs);
  }
  static sync_outcome synced(const sync_job& job) {
    return {.account_id = job.account_id,
            .version = job.version,
            .how = sync_result::synced,
            .remote = remote_state::active,
            .hash = "hash"};
  }
  static std::vector<sync_outcome> all_synced(const std::vector<sync_job>& jobs) {
    std::vector<sync_outcome> outcomes;
    for (const sync_job& each : jobs) outcomes.push_back(synced(each));
    return outcomes;
  }
  // state, attempts, due now, error
  std::string row_of(const std::string& account) {
    return sql(
        "select s.state, s.attempts, coalesce(s.next_attempt <= now(), false), s.error from "
        "restante.profile_sync s join restante.account a on a.id = s.account_id where a.name = '" +
        account + "'");
  }

  support::database database_;
  quiet_log log_;
};

TEST_F(sync_rows, are_there_for_accounts_made_before_and_after_their_target) {
  add_accounts(3);
  auto bridge = store();
  EXPECT_EQ(claim(bridge).size(), 3u);
  sql("insert into restante.account (name) values ('late')");
  const auto late = claim(bridge);
  ASSERT_EQ(late.size(), 1u);
  EXPECT_EQ(late[0].account, "late");
}

TEST_F(sync_rows, come_with_all_that_is_to_be_known_of_the_account) {
  add_accounts(1);
  sql(R"(update restante.profile set display_name = 'Ännchen', image_url = 'https://x/1', language = 'de',
         custom = '{"level": 17, "ab": {"z": [1, 2], "y": null}}', role = 'admin', teams = '{red,blue}')");
  auto bridge = store();
  const auto jobs = claim(bridge);
  ASSERT_EQ(jobs.size(), 1u);
  const sync_job& job = jobs[0];
  EXPECT_EQ(job.account, "a1");
  EXPECT_EQ(job.status, account_status::active);
  EXPECT_EQ(job.wanted.name, "Ännchen");
  EXPECT_EQ(job.wanted.image, "https://x/1");
  EXPECT_EQ(job.wanted.language, "de");
  EXPECT_EQ(job.wanted.role, "admin");
  EXPECT_THAT(job.wanted.teams, testing::ElementsAre("red", "blue"));
  EXPECT_EQ(job.wanted.custom, R"({"ab":{"y":null,"z":[1,2]},"level":17})");
  EXPECT_EQ(job.version, 2);
  EXPECT_EQ(job.remote, remote_state::unknown);
  EXPECT_FALSE(job.in_doubt);
  EXPECT_EQ(job.synced_hash, "");
  EXPECT_EQ(job.attempts, 0);
}

TEST_F(sync_rows, are_claimed_by_one_bridge_only) {
  add_accounts(2'000);
  auto first = store("one"), second = store("two");
  ASSERT_TRUE(first.claim(0));
  std::vector<std::int64_t> taken[2];
  const auto take_all = [this](postgres_sync_store& from, std::vector<std::int64_t>& into) {
    for (;;) {
      const auto jobs = claim(from, 50);
      if (jobs.empty()) break;
      for (const sync_job& each : jobs) into.push_back(each.account_id);
    }
  };
  std::thread beside([&] { take_all(second, taken[1]); });
  take_all(first, taken[0]);
  beside.join();
  std::set<std::int64_t> different(taken[0].begin(), taken[0].end());
  different.insert(taken[1].begin(), taken[1].end());
  EXPECT_EQ(taken[0].size() + taken[1].size(), 2'000u);
  EXPECT_EQ(different.size(), 2'000u);
}

TEST_F(sync_rows, are_another_bridges_when_the_lease_has_ended_and_then_in_doubt) {
  add_accounts(1);
  auto killed = store("killed", 300ms), other = store("other");
  ASSERT_EQ(claim(killed).size(), 1u);
  EXPECT_TRUE(claim(other).empty());
  std::vector<sync_job> got;
  support::require_eventually("the lease ends", [&] { return !(got = claim(other)).empty(); });
  EXPECT_TRUE(got[0].in_doubt);
  // The late bridge has no say any more.
  ASSERT_TRUE(killed.settle(all_synced(got)));
  EXPECT_EQ(row_of("a1"), "waiting|0|f|");
  ASSERT_TRUE(other.settle(all_synced(got)));
  EXPECT_EQ(row_of("a1"), "synced|0|f|");
}

TEST_F(sync_rows, rest_when_synced_and_remember_what_the_service_has) {
  add_accounts(1);
  auto bridge = store();
  auto jobs = claim(bridge);
  ASSERT_TRUE(bridge.settle(all_synced(jobs)));
  ASSERT_TRUE(bridge.settle(all_synced(jobs))) << "the answer to the first may have been lost";
  EXPECT_TRUE(claim(bridge).empty());
  EXPECT_EQ(bridge.next_due(), std::nullopt);
  sql("update restante.profile set display_name = 'Anna'");
  jobs = claim(bridge);
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_EQ(jobs[0].synced_hash, "hash");
  EXPECT_EQ(jobs[0].remote, remote_state::active);
  EXPECT_FALSE(jobs[0].in_doubt);
}

TEST_F(sync_rows, are_not_due_by_an_update_that_changes_nothing) {
  add_accounts(1);
  auto bridge = store();
  ASSERT_TRUE(bridge.settle(all_synced(claim(bridge))));
  sql("update restante.profile set display_name = display_name");
  EXPECT_TRUE(claim(bridge).empty());
}

TEST_F(sync_rows, are_due_at_once_when_the_profile_changed_meanwhile) {
  add_accounts(1);
  auto bridge = store();
  const auto before = claim(bridge);
  sql("update restante.profile set display_name = 'Anna'");
  EXPECT_TRUE(claim(bridge).empty()) << "a request for it is under way";
  ASSERT_TRUE(bridge.settle(all_synced(before)));
  const auto after = claim(bridge);
  ASSERT_EQ(after.size(), 1u);
  EXPECT_EQ(after[0].wanted.name, "Anna");
  EXPECT_EQ(after[0].version, before[0].version + 1);
  ASSERT_TRUE(bridge.settle(all_synced(after)));
  EXPECT_EQ(row_of("a1"), "synced|0|f|");
}

TEST_F(sync_rows, become_due_when_an_account_is_blocked) {
  add_accounts(1);
  auto bridge = store();
  ASSERT_TRUE(bridge.settle(all_synced(claim(bridge))));
  sql("update restante.account set status = 'blocked'");
  const auto jobs = claim(bridge);
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_EQ(jobs[0].status, account_status::blocked);
}

TEST_F(sync_rows, follow_each_outcome) {
  add_accounts(4);
  auto bridge = store();
  const auto jobs = claim(bridge);
  std::vector<sync_outcome> outcomes = all_synced(jobs);
  outcomes[0].how = sync_result::again;
  outcomes[0].error = "no \"luck\"\nat all \xff";
  outcomes[0].delay = 60s;
  outcomes[1].how = sync_result::released;
  outcomes[2].how = sync_result::parked;
  outcomes[2].error = "too long a name";
  outcomes[3].how = sync_result::gone;
  outcomes[3].error = "deleted there";
  ASSERT_TRUE(bridge.settle(outcomes));
  EXPECT_EQ(row_of(jobs[0].account), "waiting|1|f|no \"luck\" at all \xef\xbf\xbd");
  EXPECT_EQ(row_of(jobs[1].account), "waiting|0|t|");
  EXPECT_EQ(row_of(jobs[2].account), "parked|1|f|too long a name");
  EXPECT_EQ(row_of(jobs[3].account), "gone|0|f|deleted there");
  const auto due = bridge.next_due();
  ASSERT_TRUE(due);
  EXPECT_GT(*due, 50s);
  EXPECT_LE(*due, 60s);
  // A change is a new chance, but for what is gone.
  sql("update restante.profile set display_name = 'Anna'");
  std::set<std::int64_t> again;
  for (const sync_job& each : claim(bridge)) {
    again.insert(each.account_id);
    EXPECT_EQ(each.attempts, 0);
  }
  EXPECT_THAT(again,
              testing::UnorderedElementsAre(jobs[0].account_id, jobs[1].account_id, jobs[2].account_id));
}

TEST_F(sync_rows, never_make_an_update_of_a_profile_wait_for_a_request_in_flight) {
  add_accounts(10);
  auto bridge = store();
  ASSERT_EQ(claim(bridge).size(), 10u);
  // All are claimed, and their requests under way: a lock that had to be waited for would be an error.
  sql("set lock_timeout = '1ms'; update restante.profile set display_name = 'Anna'");
  EXPECT_EQ(sql("select count(*) from restante.profile_sync where claimed_by = 'one'"), "10");
}

TEST_F(sync_rows, do_not_wait_for_somebodys_open_transaction) {
  add_accounts(2);
  auto bridge = store();
  const auto jobs = claim(bridge);
  auto opened = connection::open({.database = database_.owner});
  ASSERT_TRUE(opened.ok());
  connection open_transaction = std::move(opened).value();
  ASSERT_TRUE(
      open_transaction
          .execute_script("begin; update restante.profile set display_name = 'Anna' where account_id = " +
                          std::to_string(jobs[0].account_id))
          .ok());
  ASSERT_TRUE(bridge.settle(all_synced(jobs)));
  EXPECT_EQ(row_of(jobs[1].account), "synced|0|f|");
  ASSERT_TRUE(open_transaction.execute_script("commit").ok());
  EXPECT_EQ(row_of(jobs[0].account), "waiting|0|f|") << "until the lease ends";
}

TEST_F(sync_rows, are_complete_although_an_account_was_made_beside_the_target) {
  auto opened = connection::open({.database = database_.owner});
  ASSERT_TRUE(opened.ok());
  connection beside = std::move(opened).value();
  ASSERT_TRUE(beside.execute_script("begin; insert into restante.account (name) values ('beside')").ok());
  EXPECT_EQ(sql("select restante.add_sync_target('stream')"), "f");
  EXPECT_EQ(sql("select restante.add_sync_target('stream')"), "f") << "the transaction is still open";
  ASSERT_TRUE(beside.execute_script("commit").ok());
  EXPECT_EQ(sql("select count(*) from restante.profile_sync"), "0");
  EXPECT_EQ(sql("select restante.add_sync_target('stream')"), "t");
  EXPECT_EQ(sql("select count(*) from restante.profile_sync"), "1");
}

TEST_F(sync_rows, that_an_operator_retries_are_due_although_a_request_was_under_way) {
  add_accounts(1);
  auto bridge = store("one", 500ms);
  const auto jobs = claim(bridge);
  EXPECT_EQ(sql("select restante.sync_again('stream', 0, 1000) - min(id) from restante.account"), "0");
  ASSERT_TRUE(bridge.settle(all_synced(jobs)));
  std::vector<sync_job> again;
  support::require_eventually("it is due", [&] { return !(again = claim(bridge)).empty(); });
  EXPECT_TRUE(again[0].in_doubt);
}

TEST_F(sync_rows, are_all_that_the_bridges_login_can_change) {
  for (const std::string statement :
       {"select 1 from restante.delivery", "select 1 from restante.message",
        "select 1 from restante.dead_letter", "select password_hash from restante.account",
        "update restante.profile set display_name = 'x'", "update restante.profile_sync set state = 'gone'",
        "select restante.sync_again('stream', 0, 1)", "select 1 from restante.waiting",
        "insert into restante.account (name) values ('x')"}) {
    auto opened = connection::open({.database = database_.bridge});
    ASSERT_TRUE(opened.ok());
    const auto got = opened->execute(statement);
    ASSERT_FALSE(got.ok()) << statement;
    EXPECT_EQ(got.error().sqlstate, "42501") << statement;
  }
}

TEST(sync_store, comes_back_by_itself_when_the_database_does) {
  support::postgres_server server;
  const auto database = server.create_database(support::migrated());
  support::query(database.owner, "insert into restante.account (name) values ('anna')");
  quiet_log log;
  postgres_sync_store store({database.bridge, "stream", "one", 120s}, log);
  auto jobs = store.claim(10);
  ASSERT_TRUE(jobs && jobs->size() == 1);
  server.stop();
  const sync_outcome outcome{.account_id = jobs->front().account_id,
                             .version = jobs->front().version,
                             .how = sync_result::synced,
                             .remote = remote_state::active,
                             .hash = "hash",
                             .error = {}};
  EXPECT_FALSE(store.settle({&outcome, 1}));
  EXPECT_FALSE(store.claim(10));
  EXPECT_FALSE(store.is_reachable());
  server.start();
  support::require_eventually("the store is back", [&] { return store.settle({&outcome, 1}); });
  EXPECT_TRUE(store.is_reachable());
  EXPECT_EQ(support::query(database.owner, "select state from restante.profile_sync"), "synced");
  EXPECT_THAT(log.text(), testing::HasSubstr("database_unreachable connection=target stream"));
  EXPECT_THAT(log.text(), testing::HasSubstr("database_back"));
}

TEST(sync_store, waits_for_a_server_that_answers_nothing_no_longer_than_it_is_told) {
  support::postgres_server server;
  const auto database = server.create_database(support::migrated());
  quiet_log log;
  postgres_sync_store store({database.bridge, "stream", "one", 120s}, log);
  ASSERT_TRUE(store.claim(10));
  server.freeze();
  std::thread interrupting([&] { store.interrupt(); });
  EXPECT_FALSE(store.claim(10));
  interrupting.join();
  server.thaw();
}

}  // namespace
}  // namespace restante
