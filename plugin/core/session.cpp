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
  held_message* at = held.find(name);
  if (at == nullptr) {
    held.insert(name, std::move(what));
    return;
  }
  if (at->number == 0) --held_without_number;
  held_bytes -= at->bytes;
  *at = std::move(what);
  at->repeated = true;
}

bool session::release(message_name name, held_message* was) {
  held_message* at = held.find(name);
  if (at == nullptr) return false;
  if (at->number == 0) --held_without_number;
  held_bytes -= at->bytes;
  if (was != nullptr) *was = std::move(*at);
  held.erase(name);
  return true;
}

}  // namespace restante
