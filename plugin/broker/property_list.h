// Mosquitto's property lists, to and from values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/message.h"
#include "core/properties.h"

struct mqtt5__property;

namespace restante {

struct property_list_deleter {
  void operator()(mqtt5__property* list) const noexcept;
};
using property_list = std::unique_ptr<mqtt5__property, property_list_deleter>;

struct read_properties {
  publish_properties kept;
  bool claims_acceptance = false;  // a user property `accepted-at`, which only the broker may set
};

// `list` may be null. Throws std::bad_alloc.
read_properties read_property_list(const mqtt5__property* list);

// A list for a message from the store; null if it cannot be made.
property_list make_property_list(const message& what, std::int64_t now_us);

// Adds accepted-at. False: there was no memory.
bool add_accepted_at(mqtt5__property** list, message_number accepted) noexcept;

}  // namespace restante
