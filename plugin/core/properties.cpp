#include "core/properties.h"

#include <cstddef>

namespace restante {
namespace {

// Identifiers: MQTT 5, table 2-4.
constexpr char payload_format_id = 0x01, content_type_id = 0x03, response_topic_id = 0x08,
               correlation_data_id = 0x09, user_id = 0x26;
constexpr std::size_t longest_string = 65'535;

void put_string(std::string& out, std::string_view text) {
  out += static_cast<char>(text.size() >> 8);
  out += static_cast<char>(text.size() & 0xff);
  out += text;
}

bool take_string(std::string_view& in, std::string& text) {
  if (in.size() < 2) return false;
  const auto length = static_cast<std::size_t>(static_cast<unsigned char>(in[0])) << 8 |
                      static_cast<std::size_t>(static_cast<unsigned char>(in[1]));
  if (in.size() - 2 < length) return false;
  text = in.substr(2, length);
  in.remove_prefix(2 + length);
  return true;
}

bool take_once(std::string_view& in, std::optional<std::string>& field) {
  if (field) return false;
  return take_string(in, field.emplace());
}

}  // namespace

std::string encode_properties(const publish_properties& properties) {
  std::string out;
  if (properties.payload_format) {
    out += payload_format_id;
    out += static_cast<char>(*properties.payload_format);
  }
  const auto put = [&out](char id, const std::optional<std::string>& field) {
    if (!field || field->size() > longest_string) return;
    out += id;
    put_string(out, *field);
  };
  put(content_type_id, properties.content_type);
  put(response_topic_id, properties.response_topic);
  put(correlation_data_id, properties.correlation_data);
  for (const auto& [name, value] : properties.user) {
    if (name.size() > longest_string || value.size() > longest_string) continue;
    out += user_id;
    put_string(out, name);
    put_string(out, value);
  }
  return out;
}

std::optional<publish_properties> decode_properties(std::string_view wire) {
  publish_properties properties;
  while (!wire.empty()) {
    const char id = wire.front();
    wire.remove_prefix(1);
    bool taken = false;
    switch (id) {
      case payload_format_id:
        taken = !properties.payload_format && !wire.empty() && (wire[0] == 0 || wire[0] == 1);
        if (taken) {
          properties.payload_format = static_cast<std::uint8_t>(wire[0]);
          wire.remove_prefix(1);
        }
        break;
      case content_type_id:
        taken = take_once(wire, properties.content_type);
        break;
      case response_topic_id:
        taken = take_once(wire, properties.response_topic);
        break;
      case correlation_data_id:
        taken = take_once(wire, properties.correlation_data);
        break;
      case user_id: {
        auto& [name, value] = properties.user.emplace_back();
        taken = take_string(wire, name) && take_string(wire, value);
        break;
      }
      default:
        break;
    }
    if (!taken) return std::nullopt;
  }
  return properties;
}

}  // namespace restante
