// Stream's server-side user API without a socket: requests in, answers out.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/stream/authentication.h"
#include "support/stream/exchange.h"
#include "support/stream/faults.h"
#include "support/stream/rate_limits.h"
#include "support/stream/tally.h"
#include "support/stream/user_store.h"

namespace restante::stream_stand_in {

constexpr std::size_t body_limit_bytes = 1024 * 1024;  // Stream's own is not published

// Thread-safe. A request is judged in this order: faults, rate limit, key and token, body; and then done as a
// whole or not at all.
class service {
 public:
  service(credentials ours, clock now);

  struct outcome {
    answer what;
    bool cut = false;  // hang up instead of answering
  };
  outcome handle(const request& asked);

  // Replaces what goes wrong. `seed`: for those with a probability.
  void set_faults(std::vector<fault> all, std::uint64_t seed = 0);
  void set_clock(clock now);
  // {"roles": [..], "unique_names": bool, "task_ms": N, "doubled_headers": bool,
  //  "rate_limits": "off" | "default" | {OPERATION: N}}; what is absent stays. Throws refusal.
  void set_settings(const nlohmann::json& settings);
  // Ends the waiting of slow requests, for good.
  void stop();

  nlohmann::json counts() const;  // tally.h, and {"users": how many there are}
  void clear_counts();
  // All users, deleted ones too: {ID: {name, image, role, language, teams, custom, deactivated, deleted,
  // writes}}
  std::string users() const;
  void clear_users();

 private:
  struct parsed {
    const request& asked;
    route where;
    nlohmann::json body;
    std::vector<std::string> users;  // that it changes, as far as it can be read
  };
  answer do_request(const parsed& what, bool task_fails, std::int64_t asked_us, std::int64_t begun_us);
  std::string apply(const parsed& what, bool task_fails);
  std::string begin_task(std::string result, bool fails);
  void require_own(const parsed& what, const caller& who) const;
  std::int64_t now_us() const { return now_(); }
  void add_rate_limit_headers(answer& to, operation what) const;
  void add_date(answer& to) const;

  mutable std::mutex mutex_;
  std::condition_variable stopping_;
  bool stopped_ = false;
  const credentials ours_;
  clock now_;
  bool doubled_headers_ = false;
  user_store users_;
  rate_limits limits_;
  fault_plan faults_;
  tally tally_;
};

}  // namespace restante::stream_stand_in
