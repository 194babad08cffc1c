// First syncs, outages, bad profiles and wrong clocks, on simulated time.
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "bridge/system/judge.h"
#include "bridge/system/simulated_bridge.h"
#include "support/postgres_server.h"

namespace restante::bridge_system {
namespace {

using nlohmann::json;
using stream_stand_in::stand_in_process;

std::size_t resident_memory_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total_pages = 0, resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return resident_pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

class on_simulated_time : public ::testing::Test {
 protected:
  on_simulated_time() : database_(support::shared_postgres().create_database(support::migrated())) {}

  std::string sql(const std::string& text) const { return support::query(database_.owner, text); }
  std::int64_t in_state(const std::string& state) const {
    return std::stoll(sql("select count(*) from restante.profile_sync where state = '" + state + "'"));
  }
  // Nothing waits any more, not even for a later attempt.
  auto settled(simulated_bridge& bridge) const {
    return [this, &bridge] { return bridge.accounts_held() == 0 && in_state("waiting") == 0; };
  }
  // The database's clock is real, and judges when a row that failed is due again: as if that had passed.
  void pass_database_time() const {
    sql("update restante.profile_sync set next_attempt = now() where next_attempt > now() and claimed_by is "
        "null");
  }
  void expect_all_right() const {
    const judgement found = judge(database_.owner, stream_);
    EXPECT_TRUE(found.is_all_right())
        << found.right << " of " << found.accounts << "; " << ::testing::PrintToString(found.wrong);
  }
  std::int64_t requests(const char* operation) const {
    return stream_.counts()["requests"].value(operation, std::int64_t{0});
  }
  void expect_no_429() const { EXPECT_EQ(stream_.counts()["rate_limited"], 0); }
  void expect_one_request_a_user() const { EXPECT_LE(stream_.counts()["most_at_once_for_a_user"], 1); }

  support::database database_;
  stand_in_process stream_{{.rate_limits = "default"}};
};

TEST_F(on_simulated_time, a_first_sync_of_a_hundred_thousand_uses_the_budget_and_never_overdraws_it) {
  constexpr int accounts = 100'000;
  add_accounts(database_.owner, "player-", accounts);
  simulated_bridge bridge(stream_, database_.bridge);
  const std::int64_t begun_us = bridge.now_us();
  const auto synced = [&](int count) {
    return [&, count] { return bridge.seen.settlements >= static_cast<std::size_t>(count); };
  };
  ASSERT_TRUE(bridge.run_until(synced(accounts / 5), 600));
  const std::size_t early_bytes = resident_memory_bytes();
  ASSERT_TRUE(bridge.run_until(synced(accounts), 600)) << ::testing::PrintToString(bridge.log.lines);
  const std::size_t late_bytes = resident_memory_bytes();
  const std::int64_t seconds = (bridge.now_us() - begun_us) / 1'000'000;

  // Every minute but the last, in which the work ended.
  const json counts = stream_.counts();
  json minutes = counts["by_minute"]["UpdateUsers"];
  ASSERT_GT(minutes.size(), 1u);
  minutes.erase(std::prev(minutes.end()));
  std::int64_t used = 0;
  for (const json& each : minutes) used += each.get<std::int64_t>();
  const double share = static_cast<double>(used) / (300.0 * static_cast<double>(minutes.size()));
  RecordProperty("budget_share", std::to_string(share));
  std::cout << accounts << " accounts in " << seconds << " simulated s, " << requests("UpdateUsers")
            << " requests, " << 100 * share << " % of the budget, " << early_bytes / 1024
            << " KB at a fifth, " << late_bytes / 1024 << " KB at the end\n";
  EXPECT_GE(share, 0.95) << counts["by_minute"];
  expect_no_429();
  expect_one_request_a_user();
  EXPECT_EQ(requests("UpdateUsers"), accounts / 100);
  EXPECT_LT(late_bytes, early_bytes + 2 * 1024 * 1024);
  expect_all_right();
}

TEST_F(on_simulated_time, an_hour_of_outage_is_waited_out_and_then_made_up) {
  add_accounts(database_.owner, "player-", 3'000);
  simulated_bridge bridge(stream_, database_.bridge);
  ASSERT_TRUE(bridge.run_until([&] { return bridge.seen.settlements >= 1'000; }, 600));
  stream_.go_down();
  const std::size_t requests_before = bridge.seen.requests;
  bridge.run_until([] { return false; }, 3'600);
  const std::size_t tries = bridge.seen.requests - requests_before;
  std::cout << tries << " requests in an hour of outage\n";
  EXPECT_GT(tries, 10u);
  EXPECT_LT(tries, 300u);
  EXPECT_EQ(in_state("parked"), 0);
  sql("update restante.profile set display_name = 'Meanwhile' where account_id % 10 = 0");

  stream_.come_back();
  pass_database_time();
  const std::int64_t back_us = bridge.now_us();
  ASSERT_TRUE(bridge.run_until(settled(bridge), 600)) << ::testing::PrintToString(bridge.log.lines);
  std::cout << "all right " << (bridge.now_us() - back_us) / 1'000'000 << " s after it came back\n";
  expect_all_right();
  expect_no_429();
}

TEST_F(on_simulated_time, one_bad_profile_among_ten_thousand_is_parked_and_holds_up_nobody) {
  add_accounts(database_.owner, "player-", 10'000);
  // Only Stream knows which roles there are, and does not say whose it refuses.
  sql("update restante.profile set role = 'king' where account_id = (select id from restante.account where "
      "name = "
      "'player-5000')");
  simulated_bridge bridge(stream_, database_.bridge);
  ASSERT_TRUE(bridge.run_until(settled(bridge), 600)) << ::testing::PrintToString(bridge.log.lines);
  std::cout << requests("UpdateUsers") << " requests\n";
  EXPECT_LE(requests("UpdateUsers"), 100 + 2 * 7);
  EXPECT_EQ(in_state("parked"), 1);
  EXPECT_THAT(sql("select error from restante.profile_sync where state = 'parked'"),
              ::testing::HasSubstr("king"));
  const judgement found = judge(database_.owner, stream_);
  EXPECT_EQ(found.right, 9'999u);
  EXPECT_THAT(found.wrong, ::testing::ElementsAre(::testing::StartsWith("player-5000:")));

  sql("update restante.profile set role = 'admin' where role = 'king'");
  ASSERT_TRUE(bridge.run_until(settled(bridge), 600));
  expect_all_right();
  expect_no_429();
}

TEST_F(on_simulated_time, names_beyond_streams_alphabet_arrive_as_users_of_their_own) {
  for (const char* const stem : {"a.b", "a:b", "a=b", "a@b", "a_b", "a-b"})
    add_accounts(database_.owner, stem, 20);
  simulated_bridge bridge(stream_, database_.bridge);
  ASSERT_TRUE(bridge.run_until(settled(bridge), 60));
  EXPECT_EQ(stream_.users().size(), 120u);
  expect_all_right();
}

TEST_F(on_simulated_time, blocked_accounts_are_deactivated_and_deleted_ones_deleted) {
  add_accounts(database_.owner, "player-", 400);
  simulated_bridge bridge(stream_, database_.bridge);
  ASSERT_TRUE(bridge.run_until(settled(bridge), 60));
  sql("update restante.account set status = 'blocked' where id % 4 = 0");
  sql("update restante.account set status = 'deleted' where id % 4 = 1");
  ASSERT_TRUE(bridge.run_until(settled(bridge), 600)) << ::testing::PrintToString(bridge.log.lines);
  expect_all_right();
  std::size_t deactivated = 0, deleted = 0;
  const json users = stream_.users();
  for (const json& each : users) {
    deactivated += each["deactivated"] == true ? 1 : 0;
    deleted += each["deleted"] == true ? 1 : 0;
  }
  EXPECT_EQ(deactivated, 100u);
  EXPECT_EQ(deleted, 100u);

  sql("update restante.account set status = 'active' where status = 'blocked'");
  ASSERT_TRUE(bridge.run_until(settled(bridge), 600)) << ::testing::PrintToString(bridge.log.lines);
  expect_all_right();
  expect_no_429();
}

TEST_F(on_simulated_time, fields_of_others_stay_where_the_configuration_says_that_they_own_them) {
  add_accounts(database_.owner, "player-", 250);
  for (int i = 1; i <= 50; ++i) {
    const std::string id = "player-" + std::to_string(i);
    stream_.ask("POST", "/api/v2/users", {{"users", {{id, {{"id", id}, {"custom", {{"theirs", i}}}}}}}});
    stream_.set_clock(1'767'225'600'000'000 + i * 1'000'000);
  }
  stream_settings how;
  how.mode = stream_settings::writing::patch;
  how.owned = {"name", "custom.level"};
  simulated_bridge bridge(stream_, database_.bridge, how);
  ASSERT_TRUE(bridge.run_until(settled(bridge), 600)) << ::testing::PrintToString(bridge.log.lines);
  const json users = stream_.users();
  EXPECT_EQ(users.size(), 250u);
  EXPECT_EQ(users["player-7"]["custom"]["theirs"], 7);
  for (const json& each : users) {
    EXPECT_TRUE(each.contains("name"));
    EXPECT_TRUE(each["custom"].contains("level"));
    EXPECT_FALSE(each.contains("image"));
  }
  expect_no_429();
}

TEST_F(on_simulated_time, a_service_whose_clock_is_wrong_is_served_alike) {
  stream_.set({{"rate_limits", {{"UpdateUsers", 60}}}});
  int run = 0;
  for (const std::int64_t hours : {-1, 1}) {
    add_accounts(database_.owner, "player-" + std::to_string(++run) + '-', 7'000);
    stream_.clear_counts();
    simulated_bridge bridge(stream_, database_.bridge, {}, hours * 3'600'000'000);
    const std::int64_t begun_us = bridge.now_us();
    ASSERT_TRUE(bridge.run_until(settled(bridge), 600)) << ::testing::PrintToString(bridge.log.lines);
    std::cout << hours << " h: " << (bridge.now_us() - begun_us) / 1'000'000 << " s\n";
    EXPECT_LE(bridge.now_us() - begun_us, 90'000'000);
    expect_no_429();
  }
  expect_all_right();
}

TEST_F(on_simulated_time, doubled_headers_and_storms_and_nonsense_are_lived_through) {
  add_accounts(database_.owner, "player-", 5'000);
  stream_.set({{"doubled_headers", true}});
  json faults = json::array();
  for (const char* const kind :
       {"cut_before", "cut_after", "internal_error", "timeout", "not_json", "empty", "edge_limited"}) {
    faults.push_back({{"kind", kind}, {"probability", 0.05}});
  }
  faults.push_back({{"kind", "rate_limited"}, {"retry_after_s", 3}, {"probability", 0.05}});
  stream_.set_faults(faults, 7);
  simulated_bridge bridge(stream_, database_.bridge);
  ASSERT_TRUE(bridge.run_until(settled(bridge), 7'200)) << ::testing::PrintToString(bridge.log.lines);
  expect_all_right();
  expect_no_429();
  expect_one_request_a_user();
}

}  // namespace
}  // namespace restante::bridge_system
