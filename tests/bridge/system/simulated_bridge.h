// The bridge's engine with PostgreSQL, libcurl and the stand-in, all real but for the time: it stands still
// while anything is under way, and else passes at once.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "bridge/core/sync_engine.h"
#include "bridge/http/curl_transport.h"
#include "bridge/store/postgres_sync_store.h"
#include "bridge/targets/stream_target.h"
#include "bridge_model/hand_clock.h"
#include "support/stream/stand_in_process.h"

namespace restante::bridge_system {

class simulated_bridge {
 public:
  // `skew_us`: how far the stand-in's clock is ahead of ours.
  simulated_bridge(stream_stand_in::stand_in_process& stream, const std::string& database,
                   stream_settings how = {}, std::int64_t skew_us = 0);

  // Goes on until `done` holds, which is asked whenever nothing is under way. False when more than
  // `longest_s` of simulated time have passed before.
  bool run_until(const std::function<bool()>& done, std::int64_t longest_s);
  std::int64_t now_us() const { return clock_.now_us(); }
  std::size_t accounts_held() const { return engine_.accounts_held(); }

  bridge_model::kept_log log;
  bridge_model::counting_observer seen;

 private:
  void pass(std::int64_t time_us);
  static stream_settings complete(stream_settings how, const stream_stand_in::stand_in_process& stream);

  stream_stand_in::stand_in_process& stream_;
  const std::int64_t skew_us_;
  bridge_model::hand_clock clock_;
  bridge_model::seeded_chance chance_{1};
  stream_target target_;
  postgres_sync_store store_;
  curl_transport http_;
  sync_engine engine_;
};

}  // namespace restante::bridge_system
