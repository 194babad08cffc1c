#include "support/mqtt_packet.h"

#include <array>

#include "support/failure.h"

namespace restante::support {
namespace {

enum property_id : std::uint8_t {
  payload_format = 1,
  message_expiry = 2,
  content_type = 3,
  response_topic = 8,
  correlation_data = 9,
  session_expiry = 17,
  receive_maximum = 33,
  user_property = 38,
};

std::string byte(std::size_t value) { return {static_cast<char>(static_cast<std::uint8_t>(value))}; }

std::string with_length(std::string_view properties) {
  return encode_length(properties.size()) + std::string(properties);
}

class reader {
 public:
  explicit reader(std::string_view left) : left_(left) {}

  bool empty() const { return left_.empty(); }
  std::string_view rest() { return take(left_.size()); }
  std::string_view take(std::size_t count) {
    if (count > left_.size()) throw failure("an MQTT packet ends too early");
    const std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }
  std::uint32_t number(std::size_t bytes) {
    std::uint32_t value = 0;
    for (const char each : take(bytes)) value = value << 8 | static_cast<std::uint8_t>(each);
    return value;
  }
  std::uint16_t uint16() { return static_cast<std::uint16_t>(number(2)); }
  std::string text() { return std::string(take(number(2))); }
  std::size_t length() {
    std::size_t value = 0;
    for (unsigned shift = 0; shift <= 21; shift += 7) {
      const std::uint32_t next = number(1);
      value |= static_cast<std::size_t>(next & 0x7f) << shift;
      if ((next & 0x80) == 0) return value;
    }
    throw failure("a length in an MQTT packet has no end");
  }

 private:
  std::string_view left_;
};

mqtt_properties parse_properties(std::string_view bytes) {
  mqtt_properties result;
  reader in(bytes);
  while (!in.empty()) {
    switch (const std::uint32_t id = in.number(1); id) {
      case payload_format:
        result.payload_format = static_cast<int>(in.number(1));
        break;
      case message_expiry:
        result.expiry_s = in.number(4);
        break;
      case content_type:
        result.content_type = in.text();
        break;
      case response_topic:
        result.response_topic = in.text();
        break;
      case correlation_data:
        result.correlation_data = in.text();
        break;
      case user_property: {
        std::string name = in.text();
        result.user.emplace_back(std::move(name), in.text());
        break;
      }
      default:
        throw failure("unexpected property " + std::to_string(id) + " in a PUBLISH");
    }
  }
  return result;
}

std::string will_of(const mqtt_message& will, mqtt_version version) {
  std::string result;
  if (version == mqtt_version::v5) result += with_length(encode(will.properties));
  return result + encode_text(will.topic) + encode_text(will.payload);
}

}  // namespace

std::string name_of(packet_type type) {
  static constexpr std::array names{"?",       "CONNECT",  "CONNACK",    "PUBLISH", "PUBACK",      "PUBREC",
                                    "PUBREL",  "PUBCOMP",  "SUBSCRIBE",  "SUBACK",  "UNSUBSCRIBE", "UNSUBACK",
                                    "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"};
  return names.at(static_cast<std::size_t>(type));
}

std::string encode(const packet& what) {
  const auto first = static_cast<std::size_t>(what.type) << 4 | (what.flags & 0x0fU);
  return byte(first) + encode_length(what.body.size()) + what.body;
}

std::optional<packet> take_packet(std::string& received) {
  std::size_t header = 1;
  std::size_t length = 0;
  for (unsigned shift = 0;; shift += 7) {
    if (header >= received.size()) return std::nullopt;
    if (shift > 21) throw failure("the broker sent a length without end");
    const auto next = static_cast<std::uint8_t>(received[header++]);
    length |= static_cast<std::size_t>(next & 0x7f) << shift;
    if ((next & 0x80) == 0) break;
  }
  if (received.size() < header + length) return std::nullopt;
  const auto first = static_cast<std::uint8_t>(received[0]);
  packet result{.type = static_cast<packet_type>(first >> 4),
                .flags = static_cast<std::uint8_t>(first & 0x0f),
                .body = received.substr(header, length)};
  received.erase(0, header + length);
  return result;
}

std::string encode_uint16(std::uint16_t value) { return byte(value >> 8U) + byte(value); }

std::string encode_uint32(std::uint32_t value) {
  return encode_uint16(static_cast<std::uint16_t>(value >> 16)) +
         encode_uint16(static_cast<std::uint16_t>(value));
}

std::string encode_text(std::string_view text) {
  if (text.size() > 0xffff) throw failure("no MQTT text is as long as that");
  return encode_uint16(static_cast<std::uint16_t>(text.size())) + std::string(text);
}

std::string encode_length(std::size_t value) {
  std::string result;
  do {
    const std::size_t more = value > 0x7f ? 0x80 : 0;
    result += byte((value & 0x7f) | more);
    value >>= 7;
  } while (value != 0);
  return result;
}

std::string encode(const mqtt_properties& what) {
  std::string result;
  if (what.payload_format)
    result += byte(payload_format) + byte(static_cast<std::size_t>(*what.payload_format));
  if (what.expiry_s) result += byte(message_expiry) + encode_uint32(*what.expiry_s);
  if (what.content_type) result += byte(content_type) + encode_text(*what.content_type);
  if (what.response_topic) result += byte(response_topic) + encode_text(*what.response_topic);
  if (what.correlation_data) result += byte(correlation_data) + encode_text(*what.correlation_data);
  for (const auto& [name, value] : what.user)
    result += byte(user_property) + encode_text(name) + encode_text(value);
  return result;
}

packet connect_packet(const connect_settings& settings) {
  const bool v5 = settings.version == mqtt_version::v5;
  std::size_t flags = settings.clean ? 0x02U : 0U;
  if (settings.will) {
    flags |= 0x04U | static_cast<std::size_t>(settings.will->qos) << 3 | (settings.will->retain ? 0x20U : 0U);
  }
  if (!settings.user.empty()) flags |= 0xc0U;

  std::string body = encode_text("MQTT") + byte(static_cast<std::size_t>(settings.version)) + byte(flags) +
                     encode_uint16(settings.keep_alive_s);
  if (v5) {
    std::string properties;
    if (settings.session_expiry_s != 0)
      properties += byte(session_expiry) + encode_uint32(settings.session_expiry_s);
    if (settings.receive_maximum != 0)
      properties += byte(receive_maximum) + encode_uint16(settings.receive_maximum);
    body += with_length(properties);
  }
  body += encode_text(settings.client_id);
  if (settings.will) body += will_of(*settings.will, settings.version);
  if (!settings.user.empty()) body += encode_text(settings.user) + encode_text(settings.password);
  return {.type = packet_type::connect, .body = body};
}

namespace {

packet publish_with(const mqtt_message& message, std::uint16_t packet_id, const std::string& properties) {
  const auto flags = (message.duplicate ? 0x08U : 0U) | static_cast<unsigned>(message.qos) << 1 |
                     (message.retain ? 0x01U : 0U);
  std::string body = encode_text(message.topic);
  if (message.qos > 0) body += encode_uint16(packet_id);
  return {.type = packet_type::publish,
          .flags = static_cast<std::uint8_t>(flags),
          .body = body + properties + message.payload};
}

}  // namespace

packet publish_packet(const mqtt_message& message, mqtt_version version, std::uint16_t packet_id) {
  return publish_with(message, packet_id,
                      version == mqtt_version::v5 ? with_length(encode(message.properties)) : "");
}

packet publish_packet(const mqtt_message& message, std::uint16_t packet_id, std::string_view properties) {
  return publish_with(message, packet_id, with_length(properties));
}

packet acknowledgement_packet(packet_type type, mqtt_version version, std::uint16_t packet_id,
                              std::uint8_t reason) {
  std::string body = encode_uint16(packet_id);
  if (version == mqtt_version::v5 && reason != 0) body += byte(reason) + byte(0);
  const std::uint8_t flags = type == packet_type::pubrel ? 0x02 : 0;
  return {.type = type, .flags = flags, .body = body};
}

packet subscribe_packet(mqtt_version version, std::uint16_t packet_id,
                        const std::vector<std::string>& filters, int qos) {
  std::string body = encode_uint16(packet_id);
  if (version == mqtt_version::v5) body += byte(0);
  for (const std::string& filter : filters) body += encode_text(filter) + byte(static_cast<std::size_t>(qos));
  return {.type = packet_type::subscribe, .flags = 0x02, .body = body};
}

packet unsubscribe_packet(mqtt_version version, std::uint16_t packet_id,
                          const std::vector<std::string>& filters) {
  std::string body = encode_uint16(packet_id);
  if (version == mqtt_version::v5) body += byte(0);
  for (const std::string& filter : filters) body += encode_text(filter);
  return {.type = packet_type::unsubscribe, .flags = 0x02, .body = body};
}

packet disconnect_packet(mqtt_version version, std::uint8_t reason) {
  return {.type = packet_type::disconnect,
          .body = version == mqtt_version::v5 && reason != 0 ? byte(reason) + byte(0) : ""};
}

connection_answer parse_connack(const packet& what) {
  reader in(what.body);
  const bool session_present = in.number(1) == 1;
  return {.session_present = session_present, .reason = static_cast<int>(in.number(1))};
}

mqtt_message parse_publish(const packet& what, mqtt_version version) {
  reader in(what.body);
  mqtt_message result;
  result.qos = what.flags >> 1 & 0x03;
  result.retain = (what.flags & 0x01) != 0;
  result.duplicate = (what.flags & 0x08) != 0;
  result.topic = in.text();
  if (result.qos > 0) result.packet_id = in.uint16();
  if (version == mqtt_version::v5) result.properties = parse_properties(in.take(in.length()));
  result.payload = in.rest();
  return result;
}

acknowledgement parse_acknowledgement(const packet& what) {
  reader in(what.body);
  const std::uint16_t packet_id = in.uint16();
  return {.packet_id = packet_id, .reason = in.empty() ? 0 : static_cast<int>(in.number(1))};
}

std::vector<int> parse_suback(const packet& what, mqtt_version version) {
  reader in(what.body);
  in.take(2);
  if (version == mqtt_version::v5) in.take(in.length());
  std::vector<int> reasons;
  while (!in.empty()) reasons.push_back(static_cast<int>(in.number(1)));
  return reasons;
}

int parse_disconnect(const packet& what) {
  reader in(what.body);
  return in.empty() ? 0 : static_cast<int>(in.number(1));
}

}  // namespace restante::support
