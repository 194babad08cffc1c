// Eclipse Paho, as applications use it: acknowledges what it receives by itself.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "support/eventually.h"
#include "support/mqtt_message.h"

namespace restante::support {

// Calls wait for the broker's answer; what does not come in time throws failure. Messages are collected from
// Paho's thread; everything else is one thread's. The destructor hangs up.
class paho_client {
 public:
  enum class transport { tcp, websocket };

  paho_client(int port, const connect_settings& settings, transport over = transport::tcp);
  ~paho_client();
  paho_client(paho_client&&) noexcept;
  paho_client& operator=(paho_client&&) = delete;

  // Connects; throws failure when refused. Again after disconnect(): with the same settings.
  void connect();
  // Connects, and says with what reason code (v3: return code) it was refused; 0 when let in, -1 when the
  // broker hung up instead.
  int try_connect();
  bool session_present() const;  // as the last connection was answered
  bool connected() const;
  void disconnect();

  // Reason codes: v3: granted QoS, or 0x80.
  int subscribe(const std::string& filter, int qos = 1);
  void unsubscribe(const std::string& filter);

  // Returns when the exchange for its QoS is over, with its reason code.
  int publish(const mqtt_message& message);

  // All that has arrived since the last clear().
  std::vector<mqtt_message> messages() const;
  bool wait_for_messages(std::size_t count, std::chrono::milliseconds deadline = patience) const;
  // Waits for so many and returns all that are there; throws failure with their topics when fewer come.
  std::vector<mqtt_message> expect_messages(std::size_t count) const;
  void clear();

 private:
  class implementation;
  std::unique_ptr<implementation> how_;
};

}  // namespace restante::support
