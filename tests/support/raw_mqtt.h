// An MQTT client that does only what it is told, packet by packet: it acknowledges nothing by itself, repeats
// itself, speaks nonsense and hangs up in mid-sentence, as tests need.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/eventually.h"
#include "support/mqtt_message.h"
#include "support/mqtt_packet.h"

namespace restante::support {

// Every wait ends at a deadline. What does not come in time, or a connection that the broker closes while
// something is awaited, throws failure. Packets that come while another is awaited are kept in order.
// Not thread-safe. The destructor hangs up without DISCONNECT.
class raw_mqtt {
 public:
  explicit raw_mqtt(int port);
  ~raw_mqtt();
  raw_mqtt(raw_mqtt&& other) noexcept;
  raw_mqtt& operator=(raw_mqtt&&) = delete;

  void send_bytes(std::string_view bytes);
  void send(const packet& what);
  // Waits for a packet of this type.
  packet expect(packet_type type, std::chrono::milliseconds deadline = patience);
  // The next packet of any type, or nothing when none comes or the broker hangs up.
  std::optional<packet> next(std::chrono::milliseconds deadline = patience);

  connection_answer connect(const connect_settings& settings);  // the answer, whatever it is
  // The same; nothing when the broker hangs up instead.
  std::optional<connection_answer> try_connect(const connect_settings& settings);
  // For what must be let in: again and again while it is put off.
  void login(const connect_settings& settings);
  std::vector<int> subscribe(const std::vector<std::string>& filters, int qos = 1);
  std::vector<int> unsubscribe(const std::vector<std::string>& filters);

  // Sends PUBLISH alone and returns its packet id.
  std::uint16_t send_publish(const mqtt_message& message);
  // The same with this packet id, for repeats.
  void send_publish(const mqtt_message& message, std::uint16_t packet_id);
  // With the whole exchange for its QoS; returns the last reason code, or that of a refusing PUBREC.
  int publish(const mqtt_message& message);

  mqtt_message expect_publish(std::chrono::milliseconds deadline = patience);
  std::vector<mqtt_message> expect_publishes(std::size_t count);
  // PUBACK, or PUBREC and, after PUBREL, PUBCOMP.
  void acknowledge(const mqtt_message& received, std::uint8_t reason = 0);

  // Waits for the answer to a PINGREQ: whatever the broker wrote before it has arrived then. What the plugin
  // is about to read from PostgreSQL may still come later.
  void ping();
  // PUBLISH packets that have arrived and that nobody has asked for yet.
  std::size_t waiting_publishes() const;

  void disconnect(std::uint8_t reason = 0);  // says so, then hangs up
  void drop();                               // hangs up
  // Waits until the broker has hung up.
  bool closed_by_broker(std::chrono::milliseconds deadline = patience);

 private:
  std::uint16_t next_packet_id();
  bool read_more(std::chrono::steady_clock::time_point end);
  packet expect_that(const std::string& what, const std::function<bool(const packet&)>& wanted,
                     std::chrono::milliseconds deadline);
  packet expect_acknowledgement(packet_type type, std::uint16_t packet_id);

  void open();

  int port_;
  int socket_ = -1;
  mqtt_version version_ = mqtt_version::v5;
  std::uint16_t last_packet_id_ = 0;
  std::string received_;
  std::deque<packet> packets_;
  bool closed_ = false;
};

}  // namespace restante::support
