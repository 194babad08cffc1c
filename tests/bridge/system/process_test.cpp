// restante-bridge itself against PostgreSQL and the stand-in: killed, twice at once, with a wrong clock, and
// what it keeps to itself.
#include <gmock/gmock.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>

#include "bridge/system/bridge_program.h"
#include "bridge/system/judge.h"
#include "support/eventually.h"
#include "support/postgres_server.h"

namespace restante::bridge_system {
namespace {

using nlohmann::json;
using stream_stand_in::stand_in_process;
using support::require_eventually;
using ::testing::HasSubstr;
using ::testing::Not;

bool is_long() { return std::getenv("RESTANTE_LONG") != nullptr; }
constexpr std::chrono::seconds patience{120};

class bridge_processes : public ::testing::Test {
 protected:
  bridge_processes() : database_(support::shared_postgres().create_database(support::migrated())) {}

  std::string sql(const std::string& text) const { return support::query(database_.owner, text); }
  std::int64_t upserts() const { return stream_.counts()["requests"].value("UpdateUsers", std::int64_t{0}); }
  void wait_until_settled(const bridge_program& bridge) const {
    require_eventually(
        "everything is settled",
        [&] {
          return sql("select count(*) > 0 and count(*) = count(*) filter (where state = 'synced')"
                     " from restante.profile_sync") == "t";
        },
        patience);
    EXPECT_THAT(bridge.log(), Not(HasSubstr("level=error")));
  }
  void expect_all_right() const {
    const judgement found = judge(database_.owner, stream_);
    EXPECT_TRUE(found.is_all_right())
        << found.right << " of " << found.accounts << "; " << ::testing::PrintToString(found.wrong);
  }
  void expect_one_request_a_user() const { EXPECT_EQ(stream_.counts()["most_at_once_for_a_user"], 1); }

  support::database database_;
  stand_in_process stream_;
};

TEST_F(bridge_processes, killed_again_and_again_leave_every_profile_right) {
  const int accounts = is_long() ? 100'000 : 20'000, kills = is_long() ? 20 : 6;
  const auto seed = static_cast<std::uint32_t>(std::random_device{}());
  std::cout << "seed " << seed << '\n';
  std::mt19937 random(seed);
  add_accounts(database_.owner, "player-", accounts);
  // So that kills find requests on their way, and answers that are lost.
  stream_.set_faults({{{"kind", "slow"}, {"ms", 30}}, {{"kind", "cut_after"}, {"probability", 0.02}}}, seed);
  bridge_program bridge(stream_, database_, "mortal");
  const std::int64_t between = accounts / 100 / kills;
  for (int kill = 0; kill < kills; ++kill) {
    bridge.start();
    const std::int64_t until = upserts() + std::uniform_int_distribution<std::int64_t>(1, between)(random);
    require_eventually(
        "it sends", [&] { return upserts() >= until; }, patience);
    bridge.kill();
    sql("update restante.profile set display_name = 'Changed " + std::to_string(kill) +
        "' where account_id % 97 = " + std::to_string(kill));
  }
  std::cout << upserts() << " requests when it was killed for the last time\n";
  bridge.start();
  wait_until_settled(bridge);
  std::cout << upserts() << " requests in all\n";
  expect_all_right();
  expect_one_request_a_user();
  EXPECT_EQ(bridge.stop(), 0);
}

TEST_F(bridge_processes, two_at_once_share_the_work_and_never_send_one_user_twice_at_a_time) {
  add_accounts(database_.owner, "player-", 10'000);
  stream_.set_faults({{"kind", "slow"}, {"ms", 30}});
  bridge_program one(stream_, database_, "one"), other(stream_, database_, "other");
  one.start();
  other.start();
  for (int change = 0; change < 10; ++change) {
    const std::int64_t until = upserts() + 5;
    sql("update restante.profile set display_name = 'Changed " + std::to_string(change) +
        "' where account_id % 10 = " + std::to_string(change));
    ASSERT_TRUE(support::eventually([&] { return upserts() >= until; }))
        << "after change " << change << ": " << stream_.counts() << '\n'
        << one.log() << other.log()
        << sql("select state, count(*), min(next_attempt - now()), max(claimed_by), max(error)"
               " from restante.profile_sync group by 1");
  }
  wait_until_settled(one);
  expect_all_right();
  expect_one_request_a_user();
  // Each has four requests at once at most: more than four were both of them.
  EXPECT_GT(stream_.counts()["most_at_once"], 4);
  EXPECT_EQ(one.stop(), 0);
  EXPECT_EQ(other.stop(), 0);
}

TEST_F(bridge_processes, do_not_mind_a_service_whose_clock_is_an_hour_off) {
  add_accounts(database_.owner, "player-", 300);
  stream_.set({{"rate_limits", "default"}});
  bridge_program bridge(stream_, database_, "skewed");
  stream_.set_clock_offset(3'600'000'000);
  bridge.start();
  wait_until_settled(bridge);
  expect_all_right();
  stream_.set_clock_offset(-3'600'000'000);
  sql("update restante.profile set display_name = 'Changed'");
  wait_until_settled(bridge);
  expect_all_right();
  EXPECT_EQ(stream_.counts()["answers"].value("401", 0), 0);
  EXPECT_EQ(stream_.counts()["rate_limited"], 0);
  EXPECT_EQ(bridge.stop(), 0);
}

TEST_F(bridge_processes, keep_their_secrets_out_of_log_database_and_command_line) {
  add_accounts(database_.owner, "player-", 300);
  const std::string& secret = stream_.settings().api_secret;
  bridge_program bridge(stream_, database_, "discreet", {{"RESTANTE_OBSERVE_LOG_LEVEL", "debug"}});
  // All that goes wrong is logged, with what the service said: it might say anything.
  stream_.set_faults(
      {{{"kind", "answer"}, {"status", 400}, {"body", "no such secret: " + secret}, {"count", 2}},
       {{"kind", "answer"}, {"status", 401}, {"body", "bad secret " + secret}, {"count", 1}},
       {{"kind", "cut_before"}, {"count", 2}},
       {{"kind", "internal_error"}, {"count", 1}}});
  bridge.start();
  require_eventually(
      "faults are over", [&] { return upserts() >= 6; }, patience);
  require_eventually(
      "it is done",
      [&] { return sql("select count(*) from restante.profile_sync where state = 'waiting'") == "0"; },
      patience);
  const std::string command_line = support::read_file("/proc/" + std::to_string(bridge.pid()) + "/cmdline");
  EXPECT_THAT(command_line, HasSubstr("restante-bridge"));
  EXPECT_EQ(bridge.stop(), 0);
  const std::string rows = support::run_or_fail(
      {.arguments = {support::postgres_program("pg_dump").string(), "--data-only", "--inserts",
                     support::shared_postgres().superuser(database_.name)}});
  ASSERT_THAT(rows, HasSubstr("player-299"));
  ASSERT_THAT(bridge.log(), HasSubstr("event="));
  for (const std::string& each : {secret, std::string("eyJ")}) {  // and what it signs
    for (const std::string* const where : {&command_line, &rows}) EXPECT_THAT(*where, Not(HasSubstr(each)));
    EXPECT_THAT(bridge.log(), Not(HasSubstr(each)));
  }
}

}  // namespace
}  // namespace restante::bridge_system
