#include "broker/mosquitto_ports.h"

#include <mosquitto.h>
#include <mosquitto_broker.h>

#include <chrono>

#include "broker/property_list.h"

namespace restante {
namespace {

int mosquitto_level(log_level level) noexcept {
  switch (level) {
    case log_level::debug:
      return MOSQ_LOG_DEBUG;
    case log_level::info:
      return MOSQ_LOG_INFO;
    case log_level::warning:
      return MOSQ_LOG_WARNING;
    case log_level::error:
      return MOSQ_LOG_ERR;
  }
  return MOSQ_LOG_ERR;
}

template <typename Clock>
std::int64_t microseconds() {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch()).count();
}

}  // namespace

void mosquitto_log::write(log_level level, std::string_view line) {
  const auto now_us = time_.steady_us();
  if (now_us - since_us_ >= 1'000'000) {
    if (left_out_ != 0) {
      mosquitto_log_printf(MOSQ_LOG_NOTICE, "restante: %llu more lines left out",
                           static_cast<unsigned long long>(left_out_));
    }
    since_us_ = now_us;
    written_ = {};
    left_out_ = 0;
  }
  if (level != log_level::error && ++written_[static_cast<std::size_t>(level)] > lines_a_second) {
    if (level != log_level::debug) ++left_out_;
    return;
  }
  mosquitto_log_printf(mosquitto_level(level), "restante: %.*s", static_cast<int>(line.size()), line.data());
}

std::int64_t system_clock::now_us() const { return microseconds<std::chrono::system_clock>(); }

std::int64_t system_clock::steady_us() const { return microseconds<std::chrono::steady_clock>(); }

clock::moment system_clock::look() const {
  if (!std::exchange(has_looked_, true)) seen_ = {now_us(), steady_us()};
  return seen_;
}

void mosquitto_outbox::publish(std::string_view client_id, const message& what, int qos) {
  if (!is_open_) return;
  property_list properties = make_property_list(what, time_.now_us());
  const std::string topic = prefix_.prepend(what.topic);
  const int rc = mosquitto_broker_publish_copy(std::string(client_id).c_str(), topic.c_str(),
                                               static_cast<int>(what.payload.size()), what.payload.data(),
                                               qos, false, properties.get());
  if (rc == MOSQ_ERR_SUCCESS) {
    (void)properties.release();  // the broker's now
  } else {
    lines_.write(log_level::error, "the broker did not take " + topic + " for " + std::string(client_id) +
                                       ": " + mosquitto_strerror(rc));
  }
}

void mosquitto_outbox::kick(std::string_view client_id) {
  // An empty id would close every connection.
  if (is_open_ && !client_id.empty())
    mosquitto_kick_client_by_clientid(std::string(client_id).c_str(), false);
}

}  // namespace restante
