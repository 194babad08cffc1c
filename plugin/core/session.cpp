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

held_message& session::hold(message_name name, message_number number, std::size_t bytes,
                            const std::shared_ptr<const std::string>& group, waiting_place place) {
  const auto [at, is_new] = held.find_or_add(name);
  if (!is_new) {
    if (at.number == 0) --held_without_number;
    held_bytes -= at.bytes;
    at.repeated = true;
    at.key.reset();
  }
  if (number == 0) ++held_without_number;
  held_bytes += bytes;
  at.number = number;
  at.place = place;
  at.bytes = static_cast<std::uint32_t>(bytes);  // MQTT's largest packet has 2^28
  at.group = group;
  return at;
}

bool session::release(message_name name, held_message& was) {
  if (!held.take(name, was)) return false;
  if (was.number == 0) --held_without_number;
  held_bytes -= was.bytes;
  return true;
}

bool session::release(message_name name) {
  held_message was;
  return release(name, was);
}

}  // namespace restante
