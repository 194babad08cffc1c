// bridge/store/claim_ahead.h against a real server.
#include "bridge/store/claim_ahead.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <set>
#include <thread>

#include "bridge/quiet_log.h"
#include "support/eventually.h"
#include "support/failure.h"
#include "support/postgres_server.h"

namespace restante {
namespace {

using namespace std::chrono_literals;

// Always worth a claim ahead, which never gets stale.
constexpr claim_ahead::timing patient{.fresh = 1h, .busy = 1h};

std::vector<sync_outcome> all_synced(const std::vector<sync_job>& jobs) {
  std::vector<sync_outcome> outcomes;
  for (const sync_job& each : jobs) {
    outcomes.push_back({.account_id = each.account_id,
                        .version = each.version,
                        .how = sync_result::synced,
                        .remote = remote_state::active,
                        .hash = "hash"});
  }
  return outcomes;
}

std::vector<sync_job> claim(claim_ahead& from, std::size_t limit) {
  auto jobs = from.claim(limit);
  if (!jobs) throw support::failure("cannot claim");
  return std::move(*jobs);
}

class rows_ahead : public testing::Test {
 protected:
  rows_ahead() : database_(support::shared_postgres().create_database(support::migrated())) {}

  std::string sql(const std::string& text) { return support::query(database_.owner, text); }
  void add_accounts(int count) {
    sql("insert into restante.account (name) select 'a' || g from generate_series(1, " +
        std::to_string(count) + ") g");
  }
  std::unique_ptr<claim_ahead> store(claim_ahead::timing when = patient) {
    return std::make_unique<claim_ahead>(
        postgres_sync_store::settings{database_.bridge, "stream", "one", 120s}, log_, when);
  }
  std::string claimed() {
    return sql("select count(*) from restante.profile_sync where claimed_by is not null");
  }
  void wait_until_claimed(const std::string& count) {
    support::require_eventually(count + " rows are claimed", [&] { return claimed() == count; });
  }

  support::database database_;
  quiet_log log_;
};

TEST_F(rows_ahead, are_claimed_after_the_second_full_claim) {
  add_accounts(100);
  auto bridge = store();
  EXPECT_EQ(claim(*bridge, 10).size(), 10u);
  EXPECT_TRUE(bridge->is_idle());
  EXPECT_EQ(claim(*bridge, 10).size(), 10u);
  wait_until_claimed("30");
}

TEST_F(rows_ahead, are_not_claimed_by_one_that_claims_seldom) {
  add_accounts(100);
  auto bridge = store({.fresh = 1h, .busy = 0ms});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(claim(*bridge, 10).size(), 10u);
  EXPECT_TRUE(bridge->is_idle());
  EXPECT_EQ(claimed(), "50");
}

TEST_F(rows_ahead, are_neither_lost_nor_doubled) {
  constexpr int accounts = 10'000;
  add_accounts(accounts);
  auto bridge = store();
  std::multiset<std::int64_t> taken;
  // Less than is ahead, as much, and more.
  const std::array<std::size_t, 5> limits{100, 100, 64, 200, 400};
  for (std::size_t turn = 0;; ++turn) {
    const std::size_t limit = limits[turn % limits.size()];
    const auto jobs = claim(*bridge, limit);
    ASSERT_LE(jobs.size(), limit);
    for (const sync_job& each : jobs) taken.insert(each.account_id);
    ASSERT_TRUE(bridge->settle(all_synced(jobs)));
    if (jobs.size() < limit) break;
  }
  EXPECT_EQ(taken.size(), static_cast<std::size_t>(accounts));
  EXPECT_EQ(std::set(taken.begin(), taken.end()).size(), static_cast<std::size_t>(accounts));
  EXPECT_EQ(sql("select count(*) from restante.profile_sync where state = 'synced' and claimed_by is null"),
            std::to_string(accounts));
}

TEST_F(rows_ahead, that_are_few_do_not_hide_what_became_due_since) {
  add_accounts(25);
  auto bridge = store();
  ASSERT_EQ(claim(*bridge, 10).size(), 10u);
  ASSERT_EQ(claim(*bridge, 10).size(), 10u);
  wait_until_claimed("25");
  sql("insert into restante.account (name) values ('late')");
  EXPECT_EQ(claim(*bridge, 10).size(), 6u);
}

TEST_F(rows_ahead, are_given_back_when_they_are_stale_and_due_at_once) {
  add_accounts(30);
  auto bridge = store({.fresh = 300ms, .busy = 1h});
  ASSERT_EQ(claim(*bridge, 10).size(), 10u);
  ASSERT_EQ(claim(*bridge, 10).size(), 10u);
  support::require_eventually("they are given back", [&] { return bridge->is_idle(); });
  EXPECT_EQ(claimed(), "20");
  const auto again = claim(*bridge, 11);
  EXPECT_EQ(again.size(), 10u);
  for (const sync_job& each : again) EXPECT_FALSE(each.in_doubt);
}

TEST_F(rows_ahead, are_given_back_with_all_that_is_known_of_them) {
  add_accounts(30);
  auto bridge = store();
  auto jobs = claim(*bridge, 100);
  ASSERT_TRUE(bridge->settle(all_synced(jobs)));
  sql("update restante.profile set display_name = 'Anna'");
  ASSERT_EQ(claim(*bridge, 10).size(), 10u);
  ASSERT_EQ(claim(*bridge, 10).size(), 10u);
  wait_until_claimed("30");
  bridge->stop();
  support::require_eventually("they are given back", [&] { return bridge->is_idle(); });
  EXPECT_EQ(claimed(), "20");
  jobs = claim(*bridge, 100);
  ASSERT_EQ(jobs.size(), 10u);
  for (const sync_job& each : jobs) {
    EXPECT_EQ(each.synced_hash, "hash");
    EXPECT_EQ(each.remote, remote_state::active);
    EXPECT_EQ(each.attempts, 0);
  }
}

TEST_F(rows_ahead, are_given_back_at_the_end) {
  add_accounts(100);
  auto bridge = store();
  ASSERT_EQ(claim(*bridge, 10).size(), 10u);
  ASSERT_EQ(claim(*bridge, 10).size(), 10u);
  wait_until_claimed("30");
  bridge.reset();
  EXPECT_EQ(claimed(), "20");
}

class servers_trouble : public testing::Test {
 protected:
  servers_trouble() : database_(server_.create_database(support::migrated())) {
    support::query(database_.owner,
                   "insert into restante.account (name) select 'a' || g from generate_series(1, 100) g");
    bridge_ = std::make_unique<claim_ahead>(
        postgres_sync_store::settings{database_.bridge, "stream", "one", 120s}, log_, patient);
    first_ = claim(*bridge_, 10);
    claim(*bridge_, 10);
    support::require_eventually("rows are ahead", [&] { return claimed() == "30"; });
  }
  std::string claimed() {
    return support::query(database_.owner,
                          "select count(*) from restante.profile_sync where claimed_by is not null");
  }

  support::postgres_server server_;
  support::database database_;
  quiet_log log_;
  std::unique_ptr<claim_ahead> bridge_;
  std::vector<sync_job> first_;
};

TEST_F(servers_trouble, does_not_keep_an_interrupted_bridge_from_ending) {
  server_.freeze();
  // It gives back, and the server answers nothing.
  bridge_->stop();
  const auto asked = std::chrono::steady_clock::now();
  std::thread interrupting([&] { bridge_->interrupt(); });
  EXPECT_FALSE(bridge_->claim(50));
  bridge_.reset();
  interrupting.join();
  EXPECT_LT(std::chrono::steady_clock::now() - asked, 5s) << "half of what a statement may take";
  server_.thaw();
}

TEST_F(servers_trouble, in_a_settlement_spoils_what_is_ahead) {
  server_.stop();
  EXPECT_FALSE(bridge_->settle(all_synced(first_)));
  support::require_eventually("nothing is ahead", [&] { return bridge_->is_idle(); });
  server_.start();
  support::require_eventually("it is settled", [&] { return bridge_->settle(all_synced(first_)); });
  const auto jobs = claim(*bridge_, 100);
  EXPECT_EQ(jobs.size(), 70u) << "those ahead are due when their lease ends";
}

}  // namespace
}  // namespace restante
