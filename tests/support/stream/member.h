// Looking into parsed JSON without a copy of it.
#pragma once

#include <nlohmann/json.hpp>

namespace restante::stream_stand_in {

// Null when `object` is none, or has no such member.
inline const nlohmann::json& member(const nlohmann::json& object, const char* name) {
  static const nlohmann::json none;
  if (!object.is_object()) return none;
  const auto found = object.find(name);
  return found == object.end() ? none : *found;
}

}  // namespace restante::stream_stand_in
