// A service that speaks as Stream does, in memory: whole batches refused for one bad user, ids that are
// deactivated or deleted, tasks, budgets; and bad weather on request. Time is given.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "bridge/core/http.h"
#include "limiter.h"

namespace restante::bridge_model {

struct stream_weather {
  double error = 0;      // 5xx, the request not taken
  double half_done = 0;  // 5xx although it was taken
  double not_json = 0;
  bool is_away = false;  // everything is answered with 503
  bool takes_no_credentials = false;
  bool names_the_culprit = true;
};

class fake_stream {
 public:
  enum class state { active, deactivated, deleted };
  struct user {
    nlohmann::json shown;
    state is = state::active;
  };

  fake_stream(std::uint64_t seed, window_kind kind, std::int64_t limit)
      : random_(seed), kind_(kind), limit_(limit) {}

  // `now_us`: microseconds since 1970 by its own clock.
  http_response answer(const http_request& request, std::int64_t now_us);

  const std::map<std::string, user>& users() const { return users_; }
  void remove_behind_our_back(const std::string& id) { users_[id].is = state::deleted; }
  void deactivate_behind_our_back(const std::string& id) { users_[id].is = state::deactivated; }

  stream_weather weather;
  std::set<std::string> poisoned;     // refused as bad input, with all that come with them
  std::set<std::string> troublesome;  // answered with 500, with all that come with them
  std::size_t requests = 0, limited = 0, users_written = 0;

 private:
  http_response take(const http_request& request, const std::string& path, std::int64_t now_us);
  http_response write(const nlohmann::json& body, bool patch);
  http_response query(const std::string& url) const;
  http_response begin(const std::string& what, const nlohmann::json& body, std::int64_t now_us);
  http_response task(const std::string& id, std::int64_t now_us);
  http_response refuse(int status, int code, const std::string& message, const std::string& id = {}) const;
  bool chance(double of) { return std::uniform_real_distribution<double>(0, 1)(random_) < of; }

  struct begun {
    std::string what;
    std::vector<std::string> ids;
    std::int64_t ends_us = 0;
    bool fails = false, is_done = false;
  };
  std::mt19937_64 random_;
  const window_kind kind_;
  const std::int64_t limit_;
  std::map<std::string, limiter> limiters_;
  std::map<std::string, user> users_;
  std::map<std::string, begun> tasks_;
};

}  // namespace restante::bridge_model
