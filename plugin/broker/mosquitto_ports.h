// The core's log, clock and outbox, as Mosquitto has them. All on the broker's thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "core/ports.h"
#include "core/topic.h"

namespace restante {

// At most so many lines of each level a second, so that no client can flood the operator, nor keep a warning
// from them by lines that matter less; says how many were left out, but for debug lines. Errors are written
// always.
class mosquitto_log final : public log {
 public:
  explicit mosquitto_log(const clock& time) : time_(time) {}
  void write(log_level level, std::string_view line) override;

 private:
  static constexpr int lines_a_second = 50;
  const clock& time_;
  std::int64_t since_us_ = 0;
  std::array<int, 3> written_{};  // by level, below error
  std::uint64_t left_out_ = 0;
};

class system_clock final : public clock {
 public:
  std::int64_t now_us() const override;
  std::int64_t steady_us() const override;
  moment look() const override;  // the same for all of a loop
  void begin_loop() noexcept { has_looked_ = false; }

 private:
  mutable bool has_looked_ = false;
  mutable moment seen_{};
};

// Publishes to one client. Until closed: once the broker is ending, its sessions are gone.
class mosquitto_outbox final : public outbox {
 public:
  mosquitto_outbox(const clock& time, log& lines, topic_prefix prefix)
      : time_(time), lines_(lines), prefix_(std::move(prefix)) {}
  void publish(std::string_view client_id, const message& what, int qos) override;
  void kick(std::string_view client_id) override;
  void close() noexcept { is_open_ = false; }

 private:
  const clock& time_;
  log& lines_;
  topic_prefix prefix_;
  bool is_open_ = true;
};

}  // namespace restante
