// What tests judge a client by.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "support/stream/operation.h"

namespace restante::stream_stand_in {

// Not thread-safe.
class tally {
 public:
  void asked(operation what, std::int64_t now_us);
  void answered(int status, bool by_fault);
  void cut() { ++cut_; }
  // Around the whole of a request that changes these users.
  void begin(const std::vector<std::string>& users);
  void end(const std::vector<std::string>& users);
  void clear();  // but not what goes on just now

  // {"requests": {OPERATION: N}, "by_minute": {OPERATION: {MINUTE: N}}, "answers": {STATUS: N},
  //  "rate_limited": 429s that the limits gave, "injected": answers of faults, "cut": N,
  //  "most_at_once": requests, "most_at_once_for_a_user": N}
  nlohmann::json to_json() const;

 private:
  std::map<operation, std::map<std::int64_t, std::int64_t>> by_minute_;
  std::map<int, std::int64_t> answers_;
  std::int64_t rate_limited_ = 0, injected_ = 0, cut_ = 0;
  std::int64_t now_ = 0, most_ = 0, most_for_a_user_ = 0;
  std::unordered_map<std::string, int> in_flight_;
};

}  // namespace restante::stream_stand_in
