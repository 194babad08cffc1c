// How much of a budget is used, and whether it is ever overdrawn: pacers against services that count in every
// way, with answers that travel and overtake each other.
#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "bridge/core/pacer.h"
#include "limiter.h"

namespace restante::bridge_model {
namespace {

struct weather {
  window_kind kind = window_kind::fixed;
  std::int64_t limit = 300;
  std::int64_t shortest_us = 20'000, longest_us = 200'000;  // one way
  std::int64_t skew_us = 0;                                 // of the service's clock
  int clients = 1;                                          // bridges that share the budget
  std::function<int(std::int64_t second)> others = {};      // requests of others that begin in that second
  int minutes = 10;
  bool has_date = true;
};

struct outcome {
  std::int64_t taken = 0, refused = 0, others = 0;
  double used = 0;  // of what the service would have given in all this time
};

// Every client has always something to send, and at most four requests under way.
outcome run(const weather& given, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto travel = [&] {
    return std::uniform_int_distribution(given.shortest_us, given.longest_us)(random);
  };
  limiter service(given.kind, given.limit, std::max<std::int64_t>(given.limit / 30, 1));
  struct client {
    pacer pace;
    service_clock clock;
    int under_way = 0;
    std::uint64_t number = 0;
    std::int64_t wakes_us = -1;  // the one timer that counts
  };
  std::vector<client> clients(static_cast<std::size_t>(given.clients));
  std::multimap<std::int64_t, std::function<void(std::int64_t)>> events;
  outcome sum;

  const std::int64_t begin_us = 500'000'000 + static_cast<std::int64_t>(random() % 60'000'000);
  const std::int64_t end_us = begin_us + given.minutes * 60'000'000LL;
  const std::int64_t wall_us = 1'767'225'600'000'000 + given.skew_us;
  std::function<void(client&, std::int64_t)> go = [&](client& one, std::int64_t now_us) {
    while (one.under_way < 4) {
      const auto at_us = one.pace.may_send_at(now_us);
      if (at_us == pacer::never || at_us >= end_us) return;
      if (at_us > now_us) {
        if (one.wakes_us != at_us) {
          one.wakes_us = at_us;
          events.emplace(at_us, [&](std::int64_t then_us) {
            if (one.wakes_us == then_us) go(one, then_us);
          });
        }
        return;
      }
      one.pace.sent(now_us);
      ++one.under_way;
      const auto number = ++one.number;
      events.emplace(now_us + travel(), [&, number](std::int64_t there_us) {
        const bool taken = service.take(wall_us + there_us);
        ++(taken ? sum.taken : sum.refused);
        http_response response;
        response.headers = service.headers(wall_us + there_us);
        const std::int64_t date_s = (wall_us + there_us) / 1'000'000;
        events.emplace(there_us + travel(), [&, number, response, taken, date_s](std::int64_t back_us) {
          --one.under_way;
          // Without a date, our own clock is taken.
          one.clock.learn(given.has_date ? date_s : (1'767'225'600'000'000 + back_us) / 1'000'000, back_us);
          one.pace.answered(number, read_rate_budget(response), one.clock, back_us);
          if (taken) {
            one.pace.went_through();
          } else {
            one.pace.limited({}, 0.5, back_us);
          }
          go(one, back_us);
        });
      });
    }
  };
  for (auto& each : clients) {
    events.emplace(begin_us + static_cast<std::int64_t>(random() % 2'000'000),
                   [&](std::int64_t now_us) { go(each, now_us); });
  }
  if (given.others) {
    for (std::int64_t second = 0; second < given.minutes * 60; ++second) {
      const int count = given.others(second);
      for (int i = 0; i < count; ++i) {
        events.emplace(begin_us + second * 1'000'000 + i * 1'000'000 / count, [&](std::int64_t now_us) {
          if (service.take(wall_us + now_us)) ++sum.others;
        });
      }
    }
  }
  while (!events.empty()) {
    const auto first = events.begin();
    const auto now_us = first->first;
    const auto what = std::move(first->second);
    events.erase(first);
    if (now_us > end_us) break;
    what(now_us);
  }
  sum.used = static_cast<double>(sum.taken + sum.others) / static_cast<double>(given.limit * given.minutes);
  return sum;
}

std::string name_of(window_kind kind) {
  switch (kind) {
    case window_kind::fixed:
      return "fixed";
    case window_kind::from_first:
      return "from_first";
    case window_kind::slides_to_first:
      return "slides_to_first";
    case window_kind::slides_to_all:
      return "slides_to_all";
  }
  return "";
}

class a_pace : public testing::TestWithParam<window_kind> {
 protected:
  // `forgiven`: how many requests may be, in all 200 minutes: those that met others who came out of nowhere.
  void expect(weather given, const char* what, double least = 0.95, std::int64_t forgiven = 0) {
    given.kind = GetParam();
    double worst = 1, all = 0;
    std::int64_t refused = 0;
    constexpr int runs = 20;
    for (int seed = 1; seed <= runs; ++seed) {
      const auto one = run(given, static_cast<std::uint64_t>(seed));
      worst = std::min(worst, one.used);
      all += one.used;
      refused += one.refused;
    }
    std::printf("%-16s %-48s used %.3f on average, %.3f at worst; %lld refused\n",
                name_of(GetParam()).c_str(), what, all / runs, worst, static_cast<long long>(refused));
    EXPECT_GE(worst, least);
    EXPECT_LE(refused, forgiven);
  }
};

TEST_P(a_pace, uses_nearly_all_of_the_budget_and_never_overdraws_it) { expect({}, "300 a minute"); }

TEST_P(a_pace, does_so_with_other_budgets) {
  expect({.limit = 60}, "60 a minute");
  expect({.limit = 1'000, .shortest_us = 5'000, .longest_us = 60'000}, "1000 a minute");
}

TEST_P(a_pace, does_so_with_slow_answers_that_overtake_each_other) {
  expect({.shortest_us = 20'000, .longest_us = 600'000}, "answers that take 40 ms to 1.2 s, out of order",
         0.94);
}

TEST_P(a_pace, does_so_whatever_the_clocks_say) {
  expect({.skew_us = 7'200'000'000}, "a service two hours ahead");
  expect({.skew_us = -7'200'500'000}, "a service two hours behind");
}

TEST_P(a_pace, shares_the_budget_with_who_uses_it_too) {
  expect({.others = [](std::int64_t) { return 1; }}, "another takes 1 a second");
  expect({.others = [](std::int64_t second) { return second % 60 == 20 ? 4 : 0; }},
         "another takes 4 once a minute", 0.95, 20);
  expect({.others = [](std::int64_t second) { return second < 180   ? 2
                                                     : second < 300 ? 0
                                                                    : 1; }},
         "another comes and goes", 0.95, 20);
}

TEST_P(a_pace, shares_the_budget_with_another_bridge) { expect({.clients = 2}, "two bridges"); }

INSTANTIATE_TEST_SUITE_P(of_each_kind, a_pace,
                         testing::Values(window_kind::fixed, window_kind::from_first,
                                         window_kind::slides_to_first, window_kind::slides_to_all),
                         [](const auto& each) { return name_of(each.param); });

}  // namespace
}  // namespace restante::bridge_model
