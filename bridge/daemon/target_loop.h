// One target's engine on a thread of its own, with its store and its HTTP.
//
// Threads: any, for all methods.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "bridge/core/sync_engine.h"
#include "bridge/daemon/real_clock.h"
#include "bridge/http/curl_transport.h"
#include "bridge/store/claim_ahead.h"

namespace restante {

class target_loop {
 public:
  // Starts the thread, which receives no signals. All references are to outlive the loop.
  target_loop(std::string name, target& service, const postgres_sync_store::settings& store,
              const curl_settings& http, const sync_settings& sync, bridge_log& log, sync_observer& observer);
  ~target_loop();  // drops what is under way, at once
  target_loop(const target_loop&) = delete;
  target_loop& operator=(const target_loop&) = delete;

  const std::string& name() const noexcept { return name_; }

  // Something may be due.
  void wake() noexcept;
  // No more requests; answers to those under way are waited for until `drain`, and claims given back until
  // `end`.
  void stop(std::chrono::steady_clock::time_point drain, std::chrono::steady_clock::time_point end);
  bool has_ended() const noexcept { return ended_; }
  // Ends even a wait for the database.
  void interrupt() noexcept;

  bool is_database_reachable() const noexcept { return store_.is_reachable(); }
  // When it last went round.
  std::chrono::microseconds last_turn() const noexcept { return std::chrono::microseconds(turn_us_); }

 private:
  void run();

  const std::string name_;
  bridge_log& log_;
  real_clock clock_;
  real_randomness chance_;
  claim_ahead store_;
  curl_transport transport_;
  sync_engine engine_;
  std::atomic<bool> woken_ = false, stops_ = false, interrupted_ = false, ended_ = false;
  std::atomic<std::int64_t> drain_us_ = 0, end_us_ = 0, turn_us_ = 0;
  std::thread thread_;
};

}  // namespace restante
