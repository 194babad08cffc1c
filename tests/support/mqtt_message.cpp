#include "support/mqtt_message.h"

namespace restante::support {

std::optional<std::string> mqtt_properties::user_value(const std::string& name) const {
  for (const auto& [each, value] : user) {
    if (each == name) return value;
  }
  return std::nullopt;
}

std::vector<std::string> topics_of(const std::vector<mqtt_message>& messages) {
  std::vector<std::string> result;
  for (const mqtt_message& each : messages) result.push_back(each.topic);
  return result;
}

std::vector<std::string> payloads_of(const std::vector<mqtt_message>& messages) {
  std::vector<std::string> result;
  for (const mqtt_message& each : messages) result.push_back(each.payload);
  return result;
}

}  // namespace restante::support
