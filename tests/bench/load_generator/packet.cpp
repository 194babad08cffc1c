#include "packet.h"

#include <algorithm>
#include <cstddef>

namespace restante::bench {
namespace {

constexpr std::uint8_t session_expiry_property = 0x11;
constexpr std::uint8_t receive_maximum_property = 0x21;
constexpr std::size_t most_length_bytes = 4;

std::uint8_t byte_at(std::string_view text, std::size_t at) { return static_cast<std::uint8_t>(text[at]); }

std::uint16_t uint16_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(text, at) << 8 | byte_at(text, at + 1));
}

void append_byte(std::string& to, unsigned value) { to.push_back(static_cast<char>(value)); }

void append_uint16(std::string& to, std::size_t value) {
  append_byte(to, static_cast<unsigned>(value >> 8 & 0xFF));
  append_byte(to, static_cast<unsigned>(value & 0xFF));
}

void append_text(std::string& to, std::string_view text) {
  append_uint16(to, text.size());
  to.append(text);
}

void append_header(std::string& to, packet_type type, unsigned flags, std::size_t length) {
  append_byte(to, static_cast<unsigned>(type) << 4 | flags);
  do {
    const auto low = static_cast<unsigned>(length & 0x7F);
    length >>= 7;
    append_byte(to, length > 0 ? low | 0x80U : low);
  } while (length > 0);
}

// Takes a variable byte integer off the front.
std::optional<std::size_t> take_length(std::string_view& from) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < most_length_bytes && i < from.size(); ++i) {
    value |= static_cast<std::size_t>(byte_at(from, i) & 0x7F) << 7 * i;
    if ((byte_at(from, i) & 0x80) == 0) {
      from.remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

// How many bytes the value of a property of CONNACK has, or nothing when there is no such property.
std::optional<std::size_t> value_size_bytes(std::uint8_t property, std::string_view rest) {
  switch (property) {
    case 0x24:
    case 0x25:
    case 0x28:
    case 0x29:
    case 0x2A:
      return 1;
    case 0x13:
    case 0x21:
    case 0x22:
      return 2;
    case 0x11:
    case 0x27:
      return 4;
    case 0x12:
    case 0x15:
    case 0x16:
    case 0x1A:
    case 0x1C:
    case 0x1F:
      if (rest.size() < 2) return std::nullopt;
      return 2U + uint16_at(rest, 0);
    case 0x26: {
      if (rest.size() < 2) return std::nullopt;
      const std::size_t name = 2U + uint16_at(rest, 0);
      if (rest.size() < name + 2) return std::nullopt;
      return name + 2 + uint16_at(rest, name);
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

take_result take_packet(std::string_view& received, packet_view& taken) {
  if (received.size() < 2) return take_result::incomplete;
  std::string_view rest = received.substr(1);
  const auto length = take_length(rest);
  if (!length) return rest.size() < most_length_bytes ? take_result::incomplete : take_result::malformed;
  if (rest.size() < *length) return take_result::incomplete;
  taken = {.type = static_cast<packet_type>(byte_at(received, 0) >> 4),
           .flags = static_cast<std::uint8_t>(byte_at(received, 0) & 0x0F),
           .body = rest.substr(0, *length)};
  received = rest.substr(*length);
  return take_result::taken;
}

std::optional<publish_view> read_publish(const packet_view& from, mqtt_version version) {
  publish_view read;
  std::string_view rest = from.body;
  if (rest.size() < 2 || rest.size() - 2 < uint16_at(rest, 0)) return std::nullopt;
  read.topic = rest.substr(2, uint16_at(rest, 0));
  rest.remove_prefix(2 + read.topic.size());
  read.qos = static_cast<std::uint8_t>(from.flags >> 1 & 3);
  if (read.qos > 0) {
    if (rest.size() < 2) return std::nullopt;
    read.packet_id = uint16_at(rest, 0);
    rest.remove_prefix(2);
  }
  if (version == mqtt_version::v5) {
    const auto properties_bytes = take_length(rest);
    if (!properties_bytes || *properties_bytes > rest.size()) return std::nullopt;
    rest.remove_prefix(*properties_bytes);
  }
  read.payload = rest;
  return read;
}

std::optional<puback_view> read_puback(const packet_view& from) {
  if (from.body.size() < 2) return std::nullopt;
  return puback_view{.packet_id = uint16_at(from.body, 0),
                     .reason = from.body.size() > 2 ? byte_at(from.body, 2) : std::uint8_t{0}};
}

std::optional<connack_view> read_connack(const packet_view& from, mqtt_version version) {
  if (from.body.size() < 2) return std::nullopt;
  connack_view read{.session_present = (byte_at(from.body, 0) & 1) != 0, .reason = byte_at(from.body, 1)};
  if (version == mqtt_version::v311) return read;
  std::string_view rest = from.body.substr(2);
  if (rest.empty()) return read;
  const auto properties_bytes = take_length(rest);
  if (!properties_bytes || *properties_bytes > rest.size()) return std::nullopt;
  rest = rest.substr(0, *properties_bytes);
  while (!rest.empty()) {
    const auto property = byte_at(rest, 0);
    rest.remove_prefix(1);
    const auto bytes = value_size_bytes(property, rest);
    if (!bytes || *bytes > rest.size()) return std::nullopt;
    if (property == receive_maximum_property) read.receive_maximum = uint16_at(rest, 0);
    rest.remove_prefix(*bytes);
  }
  return read;
}

bool is_granted(const packet_view& suback, mqtt_version version) {
  if (suback.body.size() < 3) return false;
  std::string_view reasons = suback.body.substr(2);
  if (version == mqtt_version::v5) {
    const auto properties_bytes = take_length(reasons);
    if (!properties_bytes || *properties_bytes > reasons.size()) return false;
    reasons.remove_prefix(*properties_bytes);
  }
  return std::all_of(reasons.begin(), reasons.end(),
                     [](char each) { return static_cast<std::uint8_t>(each) < 0x80; });
}

void append_connect(std::string& to, const connect_settings& settings) {
  std::string body;
  append_text(body, "MQTT");
  append_byte(body, static_cast<unsigned>(settings.version));
  const bool named = !settings.username.empty();
  append_byte(body, (settings.clean ? 2U : 0U) | (named ? 0xC0U : 0U));
  append_uint16(body, 0);  // keep-alive: off
  if (settings.version == mqtt_version::v5) {
    append_byte(body, 5);
    append_byte(body, session_expiry_property);
    body.append(4, static_cast<char>(settings.clean ? 0x00 : 0xFF));
  }
  append_text(body, settings.client_id);
  if (named) {
    append_text(body, settings.username);
    append_text(body, settings.password);
  }
  append_header(to, packet_type::connect, 0, body.size());
  to.append(body);
}

void append_subscribe(std::string& to, mqtt_version version, std::uint16_t packet_id,
                      std::span<const std::string> filters, std::uint8_t qos) {
  std::string body;
  append_uint16(body, packet_id);
  if (version == mqtt_version::v5) append_byte(body, 0);
  for (const auto& each : filters) {
    append_text(body, each);
    append_byte(body, qos);
  }
  append_header(to, packet_type::subscribe, 2, body.size());
  to.append(body);
}

void append_publish(std::string& to, mqtt_version version, const publish_view& message) {
  const bool has_properties = version == mqtt_version::v5;
  append_header(to, packet_type::publish, static_cast<unsigned>(message.qos) << 1,
                2 + message.topic.size() + (message.qos > 0 ? 2U : 0U) + (has_properties ? 1U : 0U) +
                    message.payload.size());
  append_text(to, message.topic);
  if (message.qos > 0) append_uint16(to, message.packet_id);
  if (has_properties) append_byte(to, 0);
  to.append(message.payload);
}

void append_puback(std::string& to, std::uint16_t packet_id) {
  const char packet[] = {0x40, 2, static_cast<char>(packet_id >> 8), static_cast<char>(packet_id & 0xFF)};
  to.append(packet, sizeof packet);
}

void append_pingreq(std::string& to) { append_header(to, packet_type::pingreq, 0, 0); }

void append_disconnect(std::string& to) { append_header(to, packet_type::disconnect, 0, 0); }

}  // namespace restante::bench
