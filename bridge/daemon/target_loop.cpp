#include "bridge/daemon/target_loop.h"

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

namespace restante {
namespace {

using steady = std::chrono::steady_clock;

// While stopping, deadlines are looked at so often.
constexpr std::int64_t stopping_wait_us = 20'000;
constexpr std::int64_t pause_after_mistake_us = 1'000'000;

std::int64_t to_us(steady::time_point when) {
  return std::chrono::duration_cast<std::chrono::microseconds>(when.time_since_epoch()).count();
}

}  // namespace

target_loop::target_loop(std::string name, target& service, const postgres_sync_store::settings& store,
                         const curl_settings& http, const sync_settings& sync, bridge_log& log,
                         sync_observer& observer)
    : name_(std::move(name)),
      log_(log),
      store_(store, log),
      transport_(http),
      engine_(sync, service, store_, transport_, clock_, chance_, log, observer),
      turn_us_(clock_.steady_us()),
      thread_([this] { run(); }) {}

target_loop::~target_loop() {
  interrupt();
  thread_.join();
}

void target_loop::wake() noexcept {
  woken_ = true;
  transport_.wake();
}

void target_loop::stop(steady::time_point drain, steady::time_point end) {
  drain_us_ = to_us(drain);
  end_us_ = to_us(end);
  stops_ = true;
  transport_.wake();
}

void target_loop::interrupt() noexcept {
  interrupted_ = true;
  store_.interrupt();
  transport_.wake();
}

void target_loop::run() {
  bool is_stopping = false, is_abandoned = false;
  while (!interrupted_) {
    std::int64_t next_us = 0;
    try {
      if (woken_.exchange(false)) engine_.wake();
      if (stops_ && !std::exchange(is_stopping, true)) {
        engine_.stop();
        store_.stop();
      }
      if (is_stopping && clock_.steady_us() >= drain_us_ && !std::exchange(is_abandoned, true))
        engine_.abandon();
      next_us = engine_.step();
      const bool is_idle = engine_.is_idle() && store_.is_idle();
      if (is_stopping && (is_idle || clock_.steady_us() >= end_us_)) break;
      if (is_stopping) next_us = std::min(next_us, clock_.steady_us() + stopping_wait_us);
    } catch (const std::exception& mistake) {
      const std::array fields{bridge_log::field{"target", name_}, bridge_log::field{"error", mistake.what()}};
      log_.write(bridge_log_level::error, "mistake", fields);
      next_us = clock_.steady_us() + pause_after_mistake_us;
    }
    turn_us_ = clock_.steady_us();
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(
        std::chrono::microseconds(std::max<std::int64_t>(0, next_us - clock_.steady_us())));
    for (const auto& each : transport_.wait(wait)) engine_.answered(each.number, each.response);
  }
  ended_ = true;
}

}  // namespace restante
