// One connection by Paho, from connecting to its end. For service_client.cpp only.
#pragma once

#include <mqtt/async_client.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "bridge/mqtt/service_client.h"

namespace restante {

class paho_session : private mqtt::iaction_listener {
 public:
  struct events {
    std::function<void(const std::string& topic, std::string payload)> arrived;
    std::function<void(std::uint64_t number, bool accepted, int reason)> taken;  // of publish()
    std::function<void()> lost;
    // Whether waits are to end at once.
    std::function<bool()> is_stopping;
  };

  // All events come on Paho's threads, and none any more once the destructor has returned.
  paho_session(const service_client_settings& how, events to);
  ~paho_session() override;
  paho_session(const paho_session&) = delete;
  paho_session& operator=(const paho_session&) = delete;

  // Empty: done; else one line that says what is wrong.
  std::string connect(std::chrono::milliseconds longest);
  // Whether the broker answered the last connect() with a refusal.
  bool was_refused() const noexcept { return was_refused_; }
  std::string subscribe(const std::string& filter, std::chrono::milliseconds longest);
  // At QoS 1. `number` 0: nobody wants to know. False: there is no connection any more.
  bool publish(const std::string& topic, const std::string& payload, std::uint64_t number);
  void disconnect();

 private:
  void on_success(const mqtt::token& of) override;
  void on_failure(const mqtt::token& of) override;
  bool wait(const mqtt::token_ptr& token, std::chrono::milliseconds longest) const;

  const events to_;
  mqtt::async_client client_;
  mqtt::connect_options options_;
  bool was_refused_ = false;
};

}  // namespace restante
