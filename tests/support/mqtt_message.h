// What both MQTT clients of the tests publish and receive.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace restante::support {

enum class mqtt_version { v3 = 4, v5 = 5 };  // as in CONNECT: v3 is MQTT 3.1.1

// Of a reason code. Success has more than one: 0x10 to a publisher of MQTT 5 says that nobody subscribes now.
constexpr bool is_success(int reason) { return reason >= 0 && reason < 0x80; }

struct mqtt_properties {
  std::optional<int> payload_format{};
  std::optional<std::uint32_t> expiry_s{};
  std::optional<std::string> content_type{};
  std::optional<std::string> response_topic{};
  std::optional<std::string> correlation_data{};
  std::vector<std::pair<std::string, std::string>> user{};

  bool operator==(const mqtt_properties&) const = default;
  std::optional<std::string> user_value(const std::string& name) const;  // the first of that name
};

struct mqtt_message {
  std::string topic{};
  std::string payload{};
  int qos = 1;
  bool retain = false;
  bool duplicate = false;
  std::uint16_t packet_id = 0;  // as received; unused when publishing
  mqtt_properties properties{};
};

// Topics in order, for comparison with what a test expects.
std::vector<std::string> topics_of(const std::vector<mqtt_message>& messages);
std::vector<std::string> payloads_of(const std::vector<mqtt_message>& messages);

struct connect_settings {
  std::string client_id{};
  std::string user{};  // empty: none is sent
  std::string password{};
  mqtt_version version = mqtt_version::v5;
  bool clean = true;                   // v3: clean session, v5: clean start
  std::uint32_t session_expiry_s = 0;  // v5
  std::uint16_t receive_maximum = 0;   // v5; 0: not sent
  std::uint16_t keep_alive_s = 60;
  std::optional<mqtt_message> will{};
};

}  // namespace restante::support
