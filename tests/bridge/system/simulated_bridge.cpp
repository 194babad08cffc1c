#include "bridge/system/simulated_bridge.h"

#include <algorithm>
#include <utility>

namespace restante::bridge_system {

stream_settings simulated_bridge::complete(stream_settings how,
                                           const stream_stand_in::stand_in_process& stream) {
  how.api_key = stream.settings().api_key;
  how.api_secret = stream.settings().api_secret;
  how.base_url = stream.url();
  return how;
}

simulated_bridge::simulated_bridge(stream_stand_in::stand_in_process& stream, const std::string& database,
                                   stream_settings how, std::int64_t skew_us)
    : stream_(stream),
      skew_us_(skew_us),
      target_(complete(std::move(how), stream)),
      store_({.database = database, .target = "stream", .claimer = "simulated"}, log),
      http_({}),
      engine_({}, target_, store_, http_, clock_, chance_, log, seen) {
  pass(0);
}

void simulated_bridge::pass(std::int64_t time_us) {
  clock_.steady += time_us;
  stream_.set_clock(clock_.now_us() + skew_us_);
}

bool simulated_bridge::run_until(const std::function<bool()>& done, std::int64_t longest_s) {
  const std::int64_t end_us = clock_.steady + longest_s * 1'000'000;
  while (true) {
    const std::int64_t next_us = engine_.step();
    if (engine_.under_way() > 0) {
      for (curl_transport::answer& each : http_.wait(std::chrono::seconds{10})) {
        engine_.answered(each.number, each.response);
      }
      continue;
    }
    if (done()) return true;
    if (clock_.steady >= end_us) return false;
    pass(std::clamp(next_us - clock_.steady, std::int64_t{1'000}, end_us - clock_.steady + 1'000));
  }
}

}  // namespace restante::bridge_system
