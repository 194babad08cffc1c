// Bridges, one database, one service, and a net that delays, loses and reorders, on a clock that jumps from
// event to event. Watches that no account is ever in two requests at once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "bridge/core/sync_engine.h"
#include "bridge/targets/stream_target.h"
#include "fake_database.h"
#include "fake_stream.h"
#include "hand_clock.h"

namespace restante::bridge_model {

struct world_settings {
  std::uint64_t seed = 1;
  window_kind kind = window_kind::fixed;
  std::int64_t limit = 300;
  std::int64_t service_skew_us = 0;
  stream_settings::writing mode = stream_settings::writing::replace;
  sync_settings sync = {};
  std::int64_t shortest_us = 20'000, longest_us = 150'000;  // one way
};

class bridge_world {
 public:
  explicit bridge_world(world_settings settings);
  ~bridge_world();

  std::int64_t add(const std::string& name, const std::string& shown = "shown");
  void add_many(int count);

  // A new bridge; its number.
  int start_bridge();
  // It vanishes, with all it holds; what it has sent goes on its way.
  void kill_bridge(int number);
  void stop_bridge(int number, std::int64_t patience_us);
  bool has(int number) const { return bridges_.contains(number); }
  store_door& door(int number) { return *bridges_.at(number)->door; }
  sync_engine& engine(int number) { return *bridges_.at(number)->engine; }
  void wake_all();

  // Lets time pass; `until` true ends it sooner.
  void run(std::int64_t time_us, const std::function<bool()>& until = {});
  // Until nothing is due or held. False: not within `time_us`.
  bool settle(std::int64_t time_us);
  bool is_settled() const;

  // What is wrong at the end, or empty: each profile is at the service as it should be, or parked or gone
  // rightly.
  std::string verdict() const;

  hand_clock clock;
  fake_database database{clock};
  fake_stream service;
  seeded_chance chance;
  kept_log log;
  counting_observer observer;
  double lost = 0, timed_out = 0;  // shares of requests: never arrived; arrived, and no answer came back
  std::size_t most_held = 0;
  std::string broken;  // what went wrong meanwhile

 private:
  struct net;
  struct bridge {
    std::unique_ptr<stream_target> target;
    std::unique_ptr<store_door> door;
    std::unique_ptr<net> out;
    std::unique_ptr<sync_engine> engine;
    std::int64_t next_us = 0;
  };
  void send(int from, std::uint64_t number, const http_request& request);
  void step(bridge& one);
  void watch(const http_request& request, bool begins);

  const world_settings settings_;
  std::mt19937_64 random_;
  std::map<int, std::unique_ptr<bridge>> bridges_;
  int last_bridge_ = 0;
  std::multimap<std::int64_t, std::function<void()>> events_;
  std::multiset<std::string> on_the_way_;  // ids in requests that may still be taken
};

}  // namespace restante::bridge_model
