#include "bridge/mqtt/paho_session.h"

#include <algorithm>

namespace restante {
namespace {

using namespace std::chrono_literals;

constexpr int first_refusal = 0x80;  // from here on, reason codes are refusals
constexpr auto slice = 20ms;
constexpr auto keep_alive = 20s;
constexpr auto disconnect_time = 300ms;

// The names that Paho knows the transports by.
std::string paho_uri(const std::string& uri) {
  if (uri.starts_with("mqtts://")) return "ssl" + uri.substr(5);
  if (uri.starts_with("mqtt://")) return "tcp" + uri.substr(4);
  return uri;
}

bool is_tls(const std::string& uri) { return uri.starts_with("mqtts://") || uri.starts_with("wss://"); }

mqtt::connect_options options_of(const service_client_settings& how) {
  mqtt::connect_options made;
  made.set_mqtt_version(MQTTVERSION_5);
  made.set_clean_start(how.session_expiry.count() == 0);
  made.set_keep_alive_interval(keep_alive);
  made.set_connect_timeout(10s);
  made.set_user_name(how.account);
  if (!how.password.empty()) made.set_password(how.password);
  if (how.session_expiry.count() > 0) {
    mqtt::properties properties;
    properties.add({mqtt::property::SESSION_EXPIRY_INTERVAL, static_cast<std::int32_t>(std::min<std::int64_t>(
                                                                 how.session_expiry.count(), INT32_MAX))});
    made.set_properties(properties);
  }
  if (is_tls(how.uri)) {
    mqtt::ssl_options tls;
    tls.set_verify(true);
    tls.set_enable_server_cert_auth(true);
    if (!how.ca_file.empty()) tls.set_trust_store(how.ca_file);
    if (!how.certificate_file.empty()) {
      tls.set_key_store(how.certificate_file);
      tls.set_private_key(how.key_file);
    }
    made.set_ssl(tls);
  }
  return made;
}

std::string why(const mqtt::exception& refusal) {
  const int reason = refusal.get_reason_code();
  if (reason == 0x86 || reason == 0x87) return "the broker refuses it: not authorized";
  if (reason >= first_refusal) return "the broker refuses it, reason " + std::to_string(reason);
  return refusal.what();
}

}  // namespace

paho_session::paho_session(const service_client_settings& how, events to)
    : to_(std::move(to)),
      client_(paho_uri(how.uri), how.client_id, mqtt::create_options(MQTTVERSION_5), nullptr),
      options_(options_of(how)) {
  client_.set_message_callback([this](const mqtt::const_message_ptr& message) {
    if (message) to_.arrived(message->get_topic(), message->get_payload_str());
  });
  client_.set_connection_lost_handler([this](const std::string&) { to_.lost(); });
  client_.set_disconnected_handler([this](const mqtt::properties&, mqtt::ReasonCode) { to_.lost(); });
}

paho_session::~paho_session() { disconnect(); }

bool paho_session::wait(const mqtt::token_ptr& token, std::chrono::milliseconds longest) const {
  const auto end = std::chrono::steady_clock::now() + longest;
  while (!token->wait_for(slice)) {
    if (to_.is_stopping() || std::chrono::steady_clock::now() >= end) return false;
  }
  return true;
}

std::string paho_session::connect(std::chrono::milliseconds longest) {
  try {
    const mqtt::token_ptr token = client_.connect(options_);
    return wait(token, longest) ? "" : "no answer in time";
  } catch (const mqtt::exception& refusal) {
    was_refused_ = refusal.get_reason_code() >= first_refusal;
    return why(refusal);
  }
}

std::string paho_session::subscribe(const std::string& filter, std::chrono::milliseconds longest) {
  try {
    const mqtt::token_ptr token = client_.subscribe(filter, 1);
    if (!wait(token, longest)) return filter + ": no answer in time";
    const auto codes = token->get_subscribe_response().get_reason_codes();
    if (codes.empty() || codes[0] < first_refusal) return "";
    return filter + ": the broker refuses it";
  } catch (const mqtt::exception& refusal) {
    return filter + ": " + why(refusal);
  }
}

bool paho_session::publish(const std::string& topic, const std::string& payload, std::uint64_t number) {
  try {
    client_.publish(mqtt::make_message(topic, payload, 1, false), reinterpret_cast<void*>(number), *this);
    return true;
  } catch (const mqtt::exception&) {
    return false;
  }
}

void paho_session::on_success(const mqtt::token& of) {
  const auto number = reinterpret_cast<std::uint64_t>(of.get_user_context());
  const int reason = static_cast<int>(of.get_reason_code());
  if (number != 0) to_.taken(number, reason < first_refusal, reason);
}

void paho_session::on_failure(const mqtt::token& of) {
  const auto number = reinterpret_cast<std::uint64_t>(of.get_user_context());
  if (number != 0) to_.taken(number, false, static_cast<int>(of.get_reason_code()));
}

void paho_session::disconnect() {
  try {
    if (client_.is_connected()) client_.disconnect()->wait_for(disconnect_time);
  } catch (const mqtt::exception&) {
    // It is gone already.
  }
}

}  // namespace restante
