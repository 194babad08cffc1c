// The properties of an MQTT 5 PUBLISH that are kept with a message (MQTT 5, section 3.3.2.3), and their form
// on the wire, which is also their form in the store. Message expiry is not among them: it is
// message::expires_at_us.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace restante {

// The user property that tells a recipient when the broker accepted the message: milliseconds since 1970.
inline constexpr std::string_view accepted_at_property = "accepted-at";

struct publish_properties {
  std::optional<std::uint8_t> payload_format;  // 0 bytes, 1 UTF-8
  std::optional<std::string> content_type, response_topic, correlation_data;
  std::vector<std::pair<std::string, std::string>> user;  // in the publisher's order
  friend bool operator==(const publish_properties&, const publish_properties&) = default;
};

// Strings longer than 65,535 bytes cannot come from the wire and are left out.
std::string encode_properties(const publish_properties& properties);

// Nothing: not well-formed, or with properties that a kept message cannot have. Rows of a database are not
// trusted.
std::optional<publish_properties> decode_properties(std::string_view wire);

}  // namespace restante
