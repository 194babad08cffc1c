// All that the bridge's core needs from outside. One file composes the real ones (bridge/daemon); tests give
// fakes that stall, fail and reorder on request.
//
// Threads: one engine lives on one thread; every method here is called on it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/core/http.h"
#include "bridge/core/sync_job.h"

namespace restante {

// Wall clock, microseconds since 1970; and a steady one for waits, microseconds since anything.
class bridge_clock {
 public:
  virtual ~bridge_clock() = default;
  virtual std::int64_t now_us() const = 0;
  virtual std::int64_t steady_us() const = 0;
};

enum class bridge_log_level { debug, info, warning, error };

// Structured: an event's name, and fields beside it. Nothing secret may be given to it.
class bridge_log {
 public:
  struct field {
    std::string_view name;
    std::string value;
  };
  virtual ~bridge_log() = default;
  virtual void write(bridge_log_level level, std::string_view event, std::span<const field> fields) = 0;
};

// Jitter, and names for requests.
class randomness {
 public:
  virtual ~randomness() = default;
  virtual double fraction() = 0;  // 0 up to, not including, 1
};

// PostgreSQL's part of one target. Waits for the database, for a bounded time; leases and due times are
// judged by the database's clock alone.
class sync_store {
 public:
  virtual ~sync_store() = default;
  // At most `limit` accounts that are due, those that wait longest first, for this bridge alone until the
  // lease ends. Fewer than `limit`: no more is due. A row whose former claim was never given back is
  // in_doubt, without a hash. No value: the database cannot be reached just now.
  virtual std::optional<std::vector<sync_job>> claim(std::size_t limit) = 0;
  // Gives claims back with what became of them, in one transaction. False: the database cannot be reached,
  // and the same outcomes are to be offered again (harmless when they were taken). An outcome whose claim is
  // not this bridge's any more, since its lease ended and another took it, changes nothing.
  virtual bool settle(std::span<const sync_outcome> outcomes) = 0;
  // In how long something will be due that is not yet; none: nothing is.
  virtual std::optional<std::chrono::milliseconds> next_due() = 0;
};

// HTTP, several requests at once. Each sent request comes back exactly once, by the composer's call of
// sync_engine::answered() with the same number.
class transport {
 public:
  virtual ~transport() = default;
  virtual void send(std::uint64_t number, http_request request) = 0;
};

// What is counted for operators.
class sync_observer {
 public:
  virtual ~sync_observer() = default;
  // One answered request: "ok", "refused", "rate_limited", "unavailable", "credentials", "task", …
  virtual void requested(std::string_view operation, std::string_view outcome, double seconds) = 0;
  // Profiles that became synced, parked or gone, or were found equal without a request.
  virtual void settled(sync_result how, bool without_request) = 0;
  // The service's own word on its budget for `operation`.
  virtual void budget(std::string_view operation, std::int64_t limit, std::int64_t remaining) = 0;
  // Whether the target takes requests at all: false while it is down or refuses our credentials.
  virtual void available(bool is) = 0;
};

}  // namespace restante
