#include "broker/events.h"

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

#include <algorithm>
#include <utility>

#include "broker/property_list.h"

namespace restante {
namespace {

// Any code that Mosquitto gives no meaning here makes it close the connection, which is what a client that
// must try again needs to see.
constexpr int close_connection = MOSQ_ERR_UNKNOWN;

session_handle handle_of(const mosquitto* client) noexcept {
  return reinterpret_cast<session_handle>(client);
}

std::string_view text_of(const char* text) noexcept { return text == nullptr ? std::string_view() : text; }

std::string name_of(const mosquitto* client) {
  const char* id = mosquitto_client_id(client);
  return id == nullptr ? "a client without an id" : id;
}

bool may_persist(const mosquitto* client) noexcept {
  // An MQTT 5 session may have an expiry, which plugins are not shown.
  return mosquitto_client_protocol_version(client) == 5 || !mosquitto_client_clean_session(client);
}

}  // namespace

int broker_events::basic_auth(const mosquitto_evt_basic_auth& event) {
  routing_is_over();
  const login_attempt attempt{handle_of(event.client),
                              text_of(mosquitto_client_id(event.client)),
                              event.username,
                              event.password,
                              mosquitto_client_clean_session(event.client),
                              may_persist(event.client),
                              mosquitto_client_protocol_version(event.client) == 5};
  switch (desk_.answer(attempt)) {
    case login_answer::refused:
      return MOSQ_ERR_AUTH;
    case login_answer::unavailable:
      return close_connection;
    case login_answer::granted:
      break;
  }
  away_.erase(attempt.handle);
  connecting_ = attempt.handle;
  if (office_.needs_count(attempt.handle)) to_be_counted_.push_back(attempt.handle);
  return MOSQ_ERR_SUCCESS;
}

int broker_events::acl_check(const mosquitto_evt_acl_check& event) {
  switch (event.access) {
    case MOSQ_ACL_READ:
      return check_read(event);
    case MOSQ_ACL_WRITE:
      // Not the end of a login: the will of the connection that it takes over comes in between.
      routing_is_over();
      return check_write(event);
    case MOSQ_ACL_SUBSCRIBE:
      connecting_ = 0;
      routing_is_over();
      return check_subscribe(event);
    case MOSQ_ACL_UNSUBSCRIBE:
      routing_is_over();
      office_.unsubscribe(handle_of(event.client), text_of(event.topic));
      return MOSQ_ERR_SUCCESS;
    default:
      return MOSQ_ERR_ACL_DENIED;
  }
}

int broker_events::check_write(const mosquitto_evt_acl_check& event) {
  const session* from = office_.session_of(handle_of(event.client));
  if (from == nullptr) return check_will(event);
  const policy& rights = *from->account->rights;
  const auto topic = text_of(event.topic);
  const auto judged = rights.may_publish(from->client_id, topic, office_.expect_publish(topic));
  if (judged) return MOSQ_ERR_SUCCESS;
  lines_.write(log_level::info,
               "publish of " + rights.name() + " to " + event.topic + " refused: " + describe(judged));
  return MOSQ_ERR_ACL_DENIED;
}

int broker_events::check_will(const mosquitto_evt_acl_check& event) {
  const auto refuse = [&](const std::string& why) {
    lines_.write(log_level::info,
                 "will of " + name_of(event.client) + " on " + event.topic + " refused: " + why);
    return MOSQ_ERR_ACL_DENIED;
  };
  if (handle_of(event.client) != leaving_.handle) return refuse("its connection ended long ago");
  if (is_durable(text_of(event.topic))) return refuse("durable topics take no wills");
  const auto judged = leaving_.rights->may_publish(leaving_.client_id, text_of(event.topic));
  return judged ? MOSQ_ERR_SUCCESS : refuse(describe(judged));
}

int broker_events::check_subscribe(const mosquitto_evt_acl_check& event) {
  const auto handle = handle_of(event.client);
  const auto* known = office_.rights_of(handle);
  if (known == nullptr) return MOSQ_ERR_ACL_DENIED;
  const policy* rights = known->get();
  const auto judged = rights->may_subscribe(office_.client_id_of(handle), text_of(event.topic));
  if (!judged) {
    lines_.write(log_level::info, "subscription of " + rights->name() + " to " + event.topic +
                                      " refused: " + describe(judged));
    return MOSQ_ERR_ACL_DENIED;
  }
  if (!office_.subscribe(handle, event.topic, event.qos)) {
    lines_.write(log_level::info, "subscription of " + rights->name() + " to " + event.topic +
                                      " refused: the session has too many filters already");
    return MOSQ_ERR_ACL_DENIED;
  }
  if (office_.needs_count(handle)) to_be_counted_.push_back(handle);
  return MOSQ_ERR_SUCCESS;
}

int broker_events::check_read(const mosquitto_evt_acl_check& event) {
  const int verdict = judge_read(event);
  // What is queued for a session and denied when that is resumed still counts as in flight, so that soon
  // nothing would be sent at all. It is counted anew when the client comes back once more.
  if (verdict != MOSQ_ERR_SUCCESS && handle_of(event.client) == connecting_) miscounted_.insert(connecting_);
  return verdict;
}

int broker_events::judge_read(const mosquitto_evt_acl_check& event) {
  const auto handle = handle_of(event.client);
  const auto topic = text_of(event.topic);
  if (event.topic == routed_.topic && event.payload == routed_.payload && topic == routed_.text) {
    return office_.hear_routed(handle) ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ACL_DENIED;
  }
  if (!is_durable(topic)) {
    const auto* known = office_.rights_of(handle);
    if (known == nullptr) {
      // What the broker queues for a session that is away is judged again when it comes back.
      return is_away(event.client) ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ACL_DENIED;
    }
    return (*known)->may_hear(office_.client_id_of(handle), topic) ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ACL_DENIED;
  }
  if (handle == connecting_ && office_.hear_resent(handle, topic, event.payloadlen)) return MOSQ_ERR_SUCCESS;
  // A will, a publish at QoS 2 on its PUBREL (the post office hands it over itself), another plugin's doing.
  lines_.write(log_level::debug, std::string(topic) + " is not routed to " + name_of(event.client));
  return MOSQ_ERR_ACL_DENIED;
}

int broker_events::message(mosquitto_evt_message& event) {
  connecting_ = 0;
  routing_is_over();
  const auto topic = text_of(event.topic);
  if (std::holds_alternative<ordinary_topic>(office_.expect_publish(topic))) return MOSQ_ERR_SUCCESS;

  publication what;
  std::string properties;
  what.from = handle_of(event.client);
  what.topic = topic;
  what.payload = {static_cast<const char*>(event.payload), event.payload == nullptr ? 0 : event.payloadlen};
  what.qos = event.qos;
  if (event.properties != nullptr) {
    const auto read = read_property_list(event.properties);
    if (read.claims_acceptance) {
      lines_.write(log_level::info,
                   "publish of " + name_of(event.client) + " refused: it sets accepted-at itself");
      return MOSQ_ERR_ACL_DENIED;
    }
    properties = encode_properties(read.kept);
    what.properties = properties;
  }
  if (mosquitto_client_protocol_version(event.client) == 5) {
    if (const auto expiry_s = expiries_.read(event.client, topic, what.payload, what.qos)) {
      what.expires_in_us = std::max<std::int64_t>(std::int64_t{*expiry_s} * 1'000'000, 1);
    }
  }
  const auto result = office_.publish_expected(what);
  switch (result.what) {
    case acceptance::ordinary:
      return MOSQ_ERR_SUCCESS;
    case acceptance::refused:
      lines_.write(log_level::info, "publish of " + name_of(event.client) + " to " + std::string(topic) +
                                        " refused: " + result.why);
      return MOSQ_ERR_ACL_DENIED;
    case acceptance::busy:
      lines_.write(log_level::warning, "publish of " + name_of(event.client) + " to " + std::string(topic) +
                                           " put off, connection closed: " + result.why);
      return close_connection;
    case acceptance::accepted:
      break;
  }
  event.retain = false;
  // Without it MQTT 5 recipients of this copy miss a property; the message itself is accepted.
  if (result.number != 0 && office_.routes_properties()) add_accepted_at(&event.properties, result.number);
  routed_.topic = event.topic;
  routed_.payload = event.payload;
  routed_.text = topic;
  return MOSQ_ERR_SUCCESS;
}

void broker_events::disconnect(const mosquitto_evt_disconnect& event) {
  const auto handle = handle_of(event.client);
  const auto* rights = office_.rights_of(handle);
  const bool was_here = rights != nullptr;
  leaving_ = {was_here ? handle : 0, was_here ? *rights : nullptr, std::string(office_.client_id_of(handle))};
  if (was_here && may_persist(event.client)) {
    away_.insert(handle);
  } else {
    away_.erase(handle);  // it is told again when its session is taken up, and then freed
  }
  if (handle == connecting_) connecting_ = 0;
  miscounted_.erase(handle);
  office_.disconnect(handle);
}

void broker_events::tick() {
  connecting_ = 0;
  leaving_ = {};
  routing_is_over();
  for (const auto handle : std::exchange(to_be_counted_, {})) {
    if (!office_.needs_count(handle)) continue;  // gone, perhaps: then the pointer must not be looked at
    const int count = mosquitto_client_sub_count(reinterpret_cast<const mosquitto*>(handle));
    office_.told_subscription_count(handle, static_cast<std::size_t>(count < 0 ? 0 : count));
  }
  for (const auto handle : std::exchange(miscounted_, {})) {
    const std::string client(office_.client_id_of(handle));  // empty: gone, and an empty id would mean all
    if (client.empty()) continue;
    lines_.write(log_level::info,
                 client + " is disconnected, to come back: its session held what is not for it");
    mosquitto_kick_client_by_clientid(client.c_str(), true);
  }
}

void broker_events::routing_is_over() {
  if (routed_.topic == nullptr) return;
  routed_.topic = nullptr;
  office_.end_routing();
}

bool broker_events::is_durable(std::string_view topic_or_filter) const noexcept {
  const auto [rest, inside] = prefix_.strip(topic_or_filter);
  return inside && is_durable_root(first_level(rest));
}

bool broker_events::is_away(const mosquitto* client) const {
  // Sessions that the broker read from its own persistence have had no connection yet, and so no address.
  return away_.contains(handle_of(client)) || mosquitto_client_address(client) == nullptr;
}

}  // namespace restante
