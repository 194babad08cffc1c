#include "broker/property_list.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <string>

namespace restante {
namespace {

struct c_string_deleter {
  void operator()(char* text) const noexcept { std::free(text); }
};
using c_string = std::unique_ptr<char, c_string_deleter>;

// Mosquitto 2.1 gives null for what is empty.
std::string to_text(const c_string& text) {
  return text == nullptr ? std::string() : std::string(text.get());
}

std::optional<std::string> read_text(const mqtt5__property* at, int id) {
  char* raw = nullptr;
  if (mosquitto_property_read_string(at, id, &raw, false) == nullptr) return std::nullopt;
  return to_text(c_string(raw));
}

}  // namespace

void property_list_deleter::operator()(mqtt5__property* list) const noexcept {
  mosquitto_property_free_all(&list);
}

read_properties read_property_list(const mqtt5__property* list) {
  read_properties read;
  for (const auto* at = list; at != nullptr; at = mosquitto_property_next(at)) {
    const int id = mosquitto_property_identifier(at);
    switch (id) {
      case MQTT_PROP_PAYLOAD_FORMAT_INDICATOR: {
        std::uint8_t format = 0;
        mosquitto_property_read_byte(at, id, &format, false);
        if (format <= 1) read.kept.payload_format = format;  // Mosquitto 2.0.11 lets any through
        break;
      }
      case MQTT_PROP_CONTENT_TYPE:
        read.kept.content_type = read_text(at, id);
        break;
      case MQTT_PROP_RESPONSE_TOPIC:
        read.kept.response_topic = read_text(at, id);
        break;
      case MQTT_PROP_CORRELATION_DATA: {
        void* raw = nullptr;
        std::uint16_t length = 0;
        mosquitto_property_read_binary(at, id, &raw, &length, false);
        const c_string data(static_cast<char*>(raw));
        read.kept.correlation_data = data == nullptr ? std::string() : std::string(data.get(), length);
        break;
      }
      case MQTT_PROP_USER_PROPERTY: {
        char *raw_name = nullptr, *raw_value = nullptr;
        mosquitto_property_read_string_pair(at, id, &raw_name, &raw_value, false);
        const c_string name(raw_name), value(raw_value);
        read.kept.user.emplace_back(to_text(name), to_text(value));
        if (read.kept.user.back().first == accepted_at_property) read.claims_acceptance = true;
        break;
      }
      default:
        break;
    }
  }
  return read;
}

property_list make_property_list(const message& what, std::int64_t now_us) {
  mqtt5__property* list = nullptr;
  const auto kept = decode_properties(what.properties).value_or(publish_properties{});
  bool made = what.number == 0 || add_accepted_at(&list, what.number);
  if (kept.payload_format) {
    made &= mosquitto_property_add_byte(&list, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR, *kept.payload_format) == 0;
  }
  if (what.expires_at_us != 0) {
    constexpr std::int64_t second_us = 1'000'000;
    const auto left_s = std::clamp<std::int64_t>((what.expires_at_us - now_us + second_us - 1) / second_us, 1,
                                                 std::numeric_limits<std::uint32_t>::max());
    made &= mosquitto_property_add_int32(&list, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
                                         static_cast<std::uint32_t>(left_s)) == 0;
  }
  if (kept.content_type) {
    made &= mosquitto_property_add_string(&list, MQTT_PROP_CONTENT_TYPE, kept.content_type->c_str()) == 0;
  }
  if (kept.response_topic) {
    made &= mosquitto_property_add_string(&list, MQTT_PROP_RESPONSE_TOPIC, kept.response_topic->c_str()) == 0;
  }
  if (kept.correlation_data) {
    made &= mosquitto_property_add_binary(&list, MQTT_PROP_CORRELATION_DATA, kept.correlation_data->data(),
                                          static_cast<std::uint16_t>(kept.correlation_data->size())) == 0;
  }
  for (const auto& [name, value] : kept.user) {
    made &=
        mosquitto_property_add_string_pair(&list, MQTT_PROP_USER_PROPERTY, name.c_str(), value.c_str()) == 0;
  }
  property_list owned(list);
  if (!made) owned.reset();
  return owned;
}

bool add_accepted_at(mqtt5__property** list, message_number accepted) noexcept {
  char text[24];
  std::snprintf(text, sizeof text, "%lld", static_cast<long long>(accepted / 1000));
  return mosquitto_property_add_string_pair(list, MQTT_PROP_USER_PROPERTY, accepted_at_property.data(),
                                            text) == 0;
}

}  // namespace restante
