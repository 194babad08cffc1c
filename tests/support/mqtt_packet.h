// MQTT 3.1.1 and 5 packets as bytes, built and taken apart without judgement: tests need wrong ones too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/mqtt_message.h"

namespace restante::support {

enum class packet_type : std::uint8_t {
  connect = 1,
  connack,
  publish,
  puback,
  pubrec,
  pubrel,
  pubcomp,
  subscribe,
  suback,
  unsubscribe,
  unsuback,
  pingreq,
  pingresp,
  disconnect,
  auth,
};
std::string name_of(packet_type type);

struct packet {
  packet_type type{};
  std::uint8_t flags = 0;
  std::string body;  // what stands behind the fixed header
};

std::string encode(const packet& what);
// Takes one whole packet off the front of `received`, or nothing when it is not all there yet.
std::optional<packet> take_packet(std::string& received);

// Pieces of packets.
std::string encode_uint16(std::uint16_t value);
std::string encode_uint32(std::uint32_t value);
std::string encode_text(std::string_view text);   // with its length; any bytes
std::string encode_length(std::size_t value);     // variable byte integer
std::string encode(const mqtt_properties& what);  // without the length in front

packet connect_packet(const connect_settings& settings);
packet publish_packet(const mqtt_message& message, mqtt_version version, std::uint16_t packet_id);
// The same with these bytes as its properties, whatever they are.
packet publish_packet(const mqtt_message& message, std::uint16_t packet_id, std::string_view properties);
// PUBACK, PUBREC, PUBREL or PUBCOMP.
packet acknowledgement_packet(packet_type type, mqtt_version version, std::uint16_t packet_id,
                              std::uint8_t reason = 0);
packet subscribe_packet(mqtt_version version, std::uint16_t packet_id,
                        const std::vector<std::string>& filters, int qos);
packet unsubscribe_packet(mqtt_version version, std::uint16_t packet_id,
                          const std::vector<std::string>& filters);
packet disconnect_packet(mqtt_version version, std::uint8_t reason = 0);

// These throw failure when the packet is shorter than it says.
struct connection_answer {
  bool session_present = false;
  int reason = 0;  // v3: 0 to 5
};
connection_answer parse_connack(const packet& what);
mqtt_message parse_publish(const packet& what, mqtt_version version);
struct acknowledgement {
  std::uint16_t packet_id = 0;
  int reason = 0;  // 0 where MQTT 3.1.1 has none
};
acknowledgement parse_acknowledgement(const packet& what);
// The reason codes of SUBACK (v3: granted QoS or 0x80), or of UNSUBACK.
std::vector<int> parse_suback(const packet& what, mqtt_version version);
int parse_disconnect(const packet& what);

}  // namespace restante::support
