#include "core/session.h"

#include <algorithm>
#include <utility>

#include "core/filter.h"

namespace restante {

int session::subscribed_qos(std::string_view topic) const noexcept {
  int qos = filters_unknown ? 2 : -1;
  for (const auto& each : filters) {
    if (each.qos > qos && filter_matches(each.filter, topic)) qos = each.qos;
  }
  return qos;
}

hearing session::hears(std::string_view topic) const noexcept {
  const int qos = subscribed_qos(topic);
  return qos < 0 ? hearing::not_at_all : qos == 0 ? hearing::live_only : hearing::kept;
}

bool session::has_kept_filter() const noexcept {
  return std::any_of(filters.begin(), filters.end(), [](const subscription& each) { return each.qos > 0; });
}

void session::hold(message_name name, held_message what) {
  if (what.number == 0) ++held_without_number;
  held_bytes += what.bytes;
  const auto at = held.find(name);
  if (at == held.end()) {
    held.emplace(name, std::move(what));
    return;
  }
  if (at->second.number == 0) --held_without_number;
  held_bytes -= at->second.bytes;
  at->second = std::move(what);
  at->second.repeated = true;
}

bool session::release(message_name name, held_message* was) {
  const auto at = held.find(name);
  if (at == held.end()) return false;
  if (at->second.number == 0) --held_without_number;
  held_bytes -= at->second.bytes;
  if (was != nullptr) *was = std::move(at->second);
  held.erase(at);
  return true;
}

}  // namespace restante
