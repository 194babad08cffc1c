#include "support/stream/tally.h"

#include <algorithm>
#include <utility>

namespace restante::stream_stand_in {

void tally::asked(operation what, std::int64_t now_us) { ++by_minute_[what][now_us / 60'000'000]; }

void tally::answered(int status, bool by_fault) {
  ++answers_[status];
  if (by_fault) ++injected_;
  if (status == 429 && !by_fault) ++rate_limited_;
}

void tally::begin(const std::vector<std::string>& users) {
  most_ = std::max(most_, ++now_);
  for (const std::string& each : users) {
    most_for_a_user_ = std::max(most_for_a_user_, std::int64_t{++in_flight_[each]});
  }
}

void tally::end(const std::vector<std::string>& users) {
  --now_;
  for (const std::string& each : users) {
    const auto found = in_flight_.find(each);
    if (found != in_flight_.end() && --found->second <= 0) in_flight_.erase(found);
  }
}

void tally::clear() {
  tally fresh;
  fresh.now_ = now_;
  fresh.in_flight_ = std::move(in_flight_);
  *this = std::move(fresh);
}

nlohmann::json tally::to_json() const {
  nlohmann::json requests = nlohmann::json::object(), by_minute = nlohmann::json::object();
  for (const auto& [what, minutes] : by_minute_) {
    const std::string name(facts(what).name);
    std::int64_t sum = 0;
    for (const auto& [minute, count] : minutes) {
      by_minute[name][std::to_string(minute)] = count;
      sum += count;
    }
    requests[name] = sum;
  }
  nlohmann::json answers = nlohmann::json::object();
  for (const auto& [status, count] : answers_) answers[std::to_string(status)] = count;
  return {{"requests", requests},  {"by_minute", by_minute},
          {"answers", answers},    {"rate_limited", rate_limited_},
          {"injected", injected_}, {"cut", cut_},
          {"most_at_once", most_}, {"most_at_once_for_a_user", most_for_a_user_}};
}

}  // namespace restante::stream_stand_in
