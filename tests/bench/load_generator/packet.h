// MQTT 3.1.1 and 5 packets as bytes: as much of them as a load generator needs, written straight into output
// buffers.
//
// Nothing here allocates but the buffers that are appended to, and views point into what was received.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace restante::bench {

enum class mqtt_version : std::uint8_t { v311 = 4, v5 = 5 };

enum class packet_type : std::uint8_t {
  connect = 1,
  connack = 2,
  publish = 3,
  puback = 4,
  pubrec = 5,
  pubrel = 6,
  pubcomp = 7,
  subscribe = 8,
  suback = 9,
  pingreq = 12,
  pingresp = 13,
  disconnect = 14,
};

struct packet_view {
  packet_type type{};
  std::uint8_t flags = 0;
  std::string_view body;  // what stands behind the fixed header
};

enum class take_result : std::uint8_t { taken, incomplete, malformed };
// Takes one whole packet off the front of `received`, which is unchanged unless one was taken.
take_result take_packet(std::string_view& received, packet_view& taken);

struct publish_view {
  std::string_view topic, payload;
  std::uint16_t packet_id = 0;  // 0 at QoS 0
  std::uint8_t qos = 0;
};
std::optional<publish_view> read_publish(const packet_view& from, mqtt_version version);

// PUBACK. Reasons below 0x80 are success; MQTT 3.1.1 knows no others.
struct puback_view {
  std::uint16_t packet_id = 0;
  std::uint8_t reason = 0;
};
std::optional<puback_view> read_puback(const packet_view& from);

struct connack_view {
  bool session_present = false;
  std::uint8_t reason = 0;                 // 0: connected
  std::uint16_t receive_maximum = 65'535;  // publishes at QoS 1 that may be without PUBACK
};
std::optional<connack_view> read_connack(const packet_view& from, mqtt_version version);

// Whether each filter of a SUBSCRIBE was granted.
bool is_granted(const packet_view& suback, mqtt_version version);

struct connect_settings {
  std::string_view client_id, username, password;
  mqtt_version version = mqtt_version::v311;
  bool clean = true;  // else the session outlives the connection without limit
};
void append_connect(std::string& to, const connect_settings& settings);
void append_subscribe(std::string& to, mqtt_version version, std::uint16_t packet_id,
                      std::span<const std::string> filters, std::uint8_t qos);
void append_publish(std::string& to, mqtt_version version, const publish_view& message);
void append_puback(std::string& to, std::uint16_t packet_id);
void append_pingreq(std::string& to);
void append_disconnect(std::string& to);

}  // namespace restante::bench
