// Bridges in all weathers: whatever happens, in the end every profile is at the service as it should be.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "bridge/targets/stream_id.h"
#include "bridge_world.h"

namespace restante::bridge_model {
namespace {

constexpr std::int64_t second_us = 1'000'000;
constexpr std::int64_t minute_us = 60 * second_us;
constexpr std::int64_t hour_us = 60 * minute_us;

TEST(a_first_sync, of_a_hundred_thousand_accounts_uses_the_whole_budget_and_little_memory) {
  for (const auto kind : {window_kind::fixed, window_kind::slides_to_first}) {
    const int accounts = kind == window_kind::fixed ? 100'000 : 20'000;
    bridge_world all({.kind = kind});
    all.add_many(accounts);
    all.start_bridge();
    const auto began_us = all.clock.steady;
    const auto real = std::chrono::steady_clock::now();
    ASSERT_TRUE(all.settle(hour_us)) << all.broken;
    const double minutes = static_cast<double>(all.clock.steady - began_us) / static_cast<double>(minute_us);
    const double used = accounts / 100.0 / (minutes * 300);
    std::printf(
        "%d accounts in %.2f simulated minutes with %zu requests, %zu refused: %.3f of the budget; "
        "at most %zu accounts held; %.1f s\n",
        accounts, minutes, all.service.requests, all.service.limited, used, all.most_held,
        std::chrono::duration<double>(std::chrono::steady_clock::now() - real).count());
    EXPECT_EQ(all.verdict(), "");
    EXPECT_EQ(all.service.requests, static_cast<std::size_t>(accounts / 100));
    EXPECT_EQ(all.service.limited, 0U);
    EXPECT_GE(used, 0.95);
    EXPECT_LE(all.most_held, 1'000U);
  }
}

TEST(a_first_sync, by_two_bridges_at_once_shares_the_budget_and_the_work) {
  for (const auto kind : {window_kind::fixed, window_kind::slides_to_first}) {
    bridge_world all({.kind = kind});
    all.add_many(60'000);
    all.start_bridge();
    all.run(second_us);
    all.start_bridge();
    const auto began_us = all.clock.steady;
    ASSERT_TRUE(all.settle(hour_us)) << all.broken;
    const double minutes = static_cast<double>(all.clock.steady - began_us) / static_cast<double>(minute_us);
    std::printf("two bridges: 60000 accounts in %.2f simulated minutes with %zu requests, %zu refused\n",
                minutes, all.service.requests, all.service.limited);
    EXPECT_EQ(all.verdict(), "");
    EXPECT_LE(all.service.requests, 605U);
    EXPECT_EQ(all.service.limited, 0U);
    EXPECT_LE(minutes, 2.2);
  }
}

TEST(a_first_sync, is_as_quick_when_the_service_has_another_time) {
  for (const std::int64_t skew_us : {2 * hour_us, -2 * hour_us}) {
    bridge_world all({.service_skew_us = skew_us});
    all.add_many(30'000);
    all.start_bridge();
    const auto began_us = all.clock.steady;
    ASSERT_TRUE(all.settle(hour_us)) << all.broken;
    EXPECT_EQ(all.verdict(), "");
    EXPECT_EQ(all.service.limited, 0U);
    EXPECT_LE(all.clock.steady - began_us, minute_us * 100 / 95);
  }
}

TEST(a_first_sync, that_patches_asks_once_who_is_there) {
  bridge_world all({.mode = stream_settings::writing::patch});
  all.add_many(10'000);
  all.start_bridge();
  ASSERT_TRUE(all.settle(hour_us)) << all.broken;
  EXPECT_EQ(all.verdict(), "");
  EXPECT_LE(all.service.requests, 210U);
  EXPECT_EQ(all.service.limited, 0U);
}

TEST(a_first_sync, ends_well_although_its_bridge_is_killed_twenty_times) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    bridge_world all({.seed = seed, .limit = 3'000});
    all.add_many(10'000);
    for (int i = 0; i < 20; ++i) {
      const int bridge = all.start_bridge();
      all.run(static_cast<std::int64_t>(all.chance.fraction() * 3 * second_us));
      all.kill_bridge(bridge);
    }
    all.start_bridge();
    ASSERT_TRUE(all.settle(hour_us)) << all.broken;
    EXPECT_EQ(all.verdict(), "");
  }
}

TEST(a_bridge, outlasts_an_hour_without_the_service_and_asks_for_it_seldom) {
  bridge_world all({});
  all.add_many(20'000);
  const int bridge = all.start_bridge();
  all.run(20 * second_us);
  const auto before = all.service.requests;
  all.service.weather.is_away = true;
  all.run(hour_us);
  const auto wasted = all.service.requests - before;
  EXPECT_LT(all.engine(bridge).accounts_held(), 1'000U);
  EXPECT_FALSE(all.observer.is_available);
  all.service.weather.is_away = false;
  const auto back_us = all.clock.steady;
  all.run(2 * minute_us, [&] { return all.observer.is_available; });
  const auto noticed_s = static_cast<double>(all.clock.steady - back_us) / 1e6;
  ASSERT_TRUE(all.settle(hour_us)) << all.broken;
  EXPECT_EQ(all.verdict(), "");
  std::printf("an hour away: %zu requests wasted, noticed %.0f s after its return\n", wasted, noticed_s);
  EXPECT_LE(wasted, 130U);
  EXPECT_LE(noticed_s, 61);
  for (const auto& [id, row] : all.database.rows()) EXPECT_EQ(row.attempts, 0);
}

TEST(a_bridge, outlasts_an_hour_of_silence) {
  bridge_world all({});
  all.add_many(2'000);
  all.start_bridge();
  all.lost = 0.5;
  all.timed_out = 0.5;
  all.run(hour_us);
  all.lost = all.timed_out = 0;
  ASSERT_TRUE(all.settle(hour_us)) << all.broken;
  EXPECT_EQ(all.verdict(), "");
}

TEST(a_bridge, finds_one_poisoned_profile_among_ten_thousand) {
  for (const bool named : {true, false}) {
    bridge_world all({});
    all.add_many(10'000);
    all.service.weather.names_the_culprit = named;
    all.service.poisoned.insert(stream_id("account.4321"));
    all.start_bridge();
    ASSERT_TRUE(all.settle(hour_us)) << all.broken;
    EXPECT_EQ(all.verdict(), "");
    std::printf("one poisoned profile cost %zu requests%s\n", all.service.requests - 100,
                named ? ", named by the service" : "");
    EXPECT_LE(all.service.requests, named ? 102U : 114U);
  }
}

TEST(a_bridge, is_not_held_up_by_a_profile_that_makes_the_service_fail) {
  bridge_world all({});
  all.add_many(2'000);
  all.service.troublesome.insert(stream_id("account.777"));
  all.start_bridge();
  all.run(10 * minute_us);
  std::size_t synced = 0;
  for (const auto& [id, row] : all.database.rows()) synced += row.synced_version == row.version ? 1 : 0;
  EXPECT_EQ(synced, 1'999U);
  // As long as the service takes what others want, it is plain that it is this account's.
  int late = 0;
  for (int minute = 0; minute < 24 * 60 && all.database.row(778).last != sync_result::parked; ++minute) {
    profile wanted;
    wanted.name = "minute " + std::to_string(minute);
    all.database.change(1, wanted);
    all.run(minute_us);
    late = all.database.row(1).synced_version == all.database.row(1).version ? 0 : late + 1;
    EXPECT_LE(late, 5) << "it had to share requests with the bad one";
  }
  EXPECT_EQ(all.database.row(778).last, sync_result::parked);
  EXPECT_EQ(all.broken, "");
}

TEST(a_bridge, waits_for_credentials_and_parks_nothing) {
  bridge_world all({});
  all.add_many(500);
  all.service.weather.takes_no_credentials = true;
  all.start_bridge();
  all.run(hour_us);
  EXPECT_LE(all.service.requests, 100U);
  EXPECT_EQ(all.log.errors.size(), 1U);
  EXPECT_FALSE(all.observer.is_available);
  all.service.weather.takes_no_credentials = false;
  ASSERT_TRUE(all.settle(hour_us)) << all.broken;
  EXPECT_EQ(all.verdict(), "");
}

TEST(a_bridge, learns_what_was_done_behind_its_back) {
  bridge_world all({});
  all.add_many(300);
  all.start_bridge();
  ASSERT_TRUE(all.settle(hour_us));
  all.service.remove_behind_our_back(stream_id("account.5"));
  all.service.deactivate_behind_our_back(stream_id("account.7"));
  for (std::int64_t id = 1; id <= 300; ++id) {
    profile wanted;
    wanted.name = "new";
    all.database.change(id, wanted);
  }
  all.wake_all();
  ASSERT_TRUE(all.settle(hour_us)) << all.broken;
  EXPECT_EQ(all.verdict(), "");
  EXPECT_EQ(all.database.row(6).last, sync_result::gone);
  EXPECT_EQ(all.database.row(8).last, sync_result::synced);
}

// Everything at once, and then calm.
std::string violation_of(std::uint64_t seed, std::size_t* requests = nullptr) {
  std::mt19937_64 random(seed);
  const auto one_of = [&](int count) {
    return static_cast<int>(random() % static_cast<std::uint64_t>(count));
  };
  world_settings given;
  given.seed = seed;
  given.kind = static_cast<window_kind>(one_of(4));
  given.limit = one_of(2) == 0 ? 300 : 60;
  given.service_skew_us = one_of(3) == 0 ? (one_of(2) == 0 ? 1 : -1) * 5 * minute_us : 0;
  given.mode = one_of(3) == 0 ? stream_settings::writing::patch : stream_settings::writing::replace;
  given.longest_us = one_of(3) == 0 ? 3 * second_us : 150'000;
  given.sync.attempts = 1'000;  // what fails by chance is no reason to give up
  given.sync.own_longest = std::chrono::minutes(1);
  bridge_world all(given);
  const int accounts = 20 + one_of(400);
  all.add_many(accounts);
  std::vector<int> bridges = {all.start_bridge()};
  for (int turn = 0; turn < 60 && all.broken.empty(); ++turn) {
    const std::int64_t id = 1 + one_of(accounts);
    const auto& row = all.database.row(id);
    switch (one_of(14)) {
      case 0:
        bridges.push_back(all.start_bridge());
        break;
      case 1: {
        const int victim = bridges[random() % bridges.size()];
        if (one_of(3) == 0 && all.has(victim)) {
          all.stop_bridge(victim, 4 * second_us);
        } else {
          all.kill_bridge(victim);
        }
        break;
      }
      case 2:
        all.service.weather.is_away = one_of(2) == 0;
        break;
      case 3:
        all.service.weather = {.error = 0.2, .half_done = 0.1, .not_json = 0.1};
        break;
      case 4:
        all.service.weather = {};
        break;
      case 5:
        all.lost = all.timed_out = one_of(2) == 0 ? 0.1 : 0;
        break;
      case 6:
        all.service.weather.names_the_culprit = one_of(2) == 0;
        break;
      case 7:
        all.service.poisoned.insert(stream_id(row.name));
        break;
      case 8:
        all.service.weather.takes_no_credentials = one_of(4) == 0;
        break;
      case 9:
        if (row.status != account_status::deleted) {
          all.database.change(id, row.wanted, static_cast<account_status>(one_of(8) == 0 ? 2 : one_of(2)));
        }
        break;
      default: {
        profile wanted;
        wanted.name = "turn " + std::to_string(one_of(3));
        for (int i = 0; i < 30; ++i) {
          const std::int64_t other = 1 + one_of(accounts);
          all.database.change(other, wanted);
        }
        if (one_of(2) == 0) all.wake_all();
      }
    }
    if (one_of(5) == 0) {
      for (const int each : bridges) {
        if (!all.has(each)) continue;
        all.door(each).is_shut = one_of(3) == 0;
        all.door(each).answers_are_lost = one_of(4) == 0;
      }
    }
    all.run(static_cast<std::int64_t>(random() % (20 * second_us)));
  }
  for (const int each : bridges) {
    if (!all.has(each)) continue;
    all.door(each).is_shut = false;
    all.door(each).answers_are_lost = false;
  }
  all.service.weather = {};
  all.lost = all.timed_out = 0;
  all.start_bridge();
  if (!all.settle(12 * hour_us) && all.broken.empty()) return "it does not come to rest";
  if (requests != nullptr) *requests += all.service.requests;
  return all.verdict();
}

TEST(bridges, end_well_over_random_interleavings) {
  const bool is_long = std::getenv("RESTANTE_LONG") != nullptr;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  const std::uint64_t scripts = 20;
#else
  const std::uint64_t scripts = is_long ? 5'000 : 150;
#endif
  static_cast<void>(is_long);
  std::size_t requests = 0;
  for (std::uint64_t seed = 1; seed <= scripts; ++seed) {
    ASSERT_EQ(violation_of(seed, &requests), "")
        << "RESTANTE_SEED=" << seed << " --gtest_filter='*from_the_environment*'";
  }
  std::printf("%llu scripts, %zu requests\n", static_cast<unsigned long long>(scripts), requests);
}

TEST(bridges, end_well_with_the_seed_from_the_environment) {
  const char* given = std::getenv("RESTANTE_SEED");
  EXPECT_EQ(violation_of(given != nullptr ? std::strtoull(given, nullptr, 10) : 1), "");
}

}  // namespace
}  // namespace restante::bridge_model
