#include "support/paho_client.h"

#include <mqtt/async_client.h>

#include <condition_variable>
#include <mutex>

#include "support/failure.h"
#include "support/paho_waker.h"

namespace restante::support {
namespace {

constexpr int hung_up = -1;
constexpr int refused = 0x80;  // from here on, reason codes are refusals

std::string uri(int port, paho_client::transport over) {
  const std::string scheme = over == paho_client::transport::websocket ? "ws" : "tcp";
  return scheme + "://127.0.0.1:" + std::to_string(port);
}

mqtt::properties to_paho(const mqtt_properties& ours) {
  mqtt::properties result;
  const auto add = [&result](auto... arguments) { result.add(mqtt::property(arguments...)); };
  using code = mqtt::property::code;
  if (ours.payload_format) add(code::PAYLOAD_FORMAT_INDICATOR, *ours.payload_format);
  if (ours.expiry_s) add(code::MESSAGE_EXPIRY_INTERVAL, static_cast<std::int32_t>(*ours.expiry_s));
  if (ours.content_type) add(code::CONTENT_TYPE, *ours.content_type);
  if (ours.response_topic) add(code::RESPONSE_TOPIC, *ours.response_topic);
  if (ours.correlation_data) add(code::CORRELATION_DATA, *ours.correlation_data);
  for (const auto& [name, value] : ours.user) add(code::USER_PROPERTY, name, value);
  return result;
}

mqtt_properties from_paho(const mqtt::properties& theirs) {
  mqtt_properties result;
  using code = mqtt::property::code;
  const auto text = [&theirs](code which) -> std::optional<std::string> {
    if (!theirs.contains(which)) return std::nullopt;
    return mqtt::get<std::string>(theirs, which);
  };
  if (theirs.contains(code::PAYLOAD_FORMAT_INDICATOR)) {
    result.payload_format = mqtt::get<std::uint8_t>(theirs, code::PAYLOAD_FORMAT_INDICATOR);
  }
  if (theirs.contains(code::MESSAGE_EXPIRY_INTERVAL)) {
    result.expiry_s = mqtt::get<std::uint32_t>(theirs, code::MESSAGE_EXPIRY_INTERVAL);
  }
  result.content_type = text(code::CONTENT_TYPE);
  result.response_topic = text(code::RESPONSE_TOPIC);
  result.correlation_data = text(code::CORRELATION_DATA);
  for (std::size_t index = 0; index < theirs.count(code::USER_PROPERTY); ++index) {
    const auto [name, value] = mqtt::get<mqtt::string_pair>(theirs, code::USER_PROPERTY, index);
    result.user.emplace_back(name, value);
  }
  return result;
}

mqtt::message to_paho(const mqtt_message& ours, mqtt_version version) {
  if (version == mqtt_version::v3) return {ours.topic, ours.payload, ours.qos, ours.retain};
  return {ours.topic, ours.payload, ours.qos, ours.retain, to_paho(ours.properties)};
}

mqtt_message from_paho(const mqtt::message& theirs) {
  return {.topic = theirs.get_topic(),
          .payload = theirs.get_payload_str(),
          .qos = theirs.get_qos(),
          .retain = theirs.is_retained(),
          .duplicate = theirs.is_duplicate(),
          .properties = from_paho(theirs.get_properties())};
}

mqtt::connect_options to_paho(const connect_settings& ours) {
  mqtt::connect_options result;
  result.set_mqtt_version(static_cast<int>(ours.version));
  result.set_keep_alive_interval(ours.keep_alive_s);
  result.set_max_inflight(1'000);
  if (!ours.user.empty()) {
    result.set_user_name(ours.user);
    result.set_password(ours.password);
  }
  if (ours.will) result.set_will_message(to_paho(*ours.will, ours.version));
  if (ours.version == mqtt_version::v3) {
    result.set_clean_session(ours.clean);
    return result;
  }
  result.set_clean_start(ours.clean);
  mqtt::properties properties;
  if (ours.session_expiry_s != 0) {
    properties.add(
        {mqtt::property::SESSION_EXPIRY_INTERVAL, static_cast<std::int32_t>(ours.session_expiry_s)});
  }
  if (ours.receive_maximum != 0) properties.add({mqtt::property::RECEIVE_MAXIMUM, ours.receive_maximum});
  result.set_properties(properties);
  return result;
}

void wait_for(const mqtt::token_ptr& token, const std::string& what) {
  if (!token->wait_for(patience)) throw failure("no answer to " + what);
}

}  // namespace

class paho_client::implementation {
 public:
  implementation(int port, const connect_settings& settings, transport over)
      : settings(settings),
        client(uri(port, over), settings.client_id, mqtt::create_options(static_cast<int>(settings.version)),
               nullptr) {
    client.set_message_callback([this](const mqtt::const_message_ptr& message) {
      const std::lock_guard lock(mutex);
      received.push_back(from_paho(*message));
      arrived.notify_all();
    });
  }

  connect_settings settings;
  bool session_present = false;
  mutable std::mutex mutex;
  mutable std::condition_variable arrived;
  std::vector<mqtt_message> received;
  mqtt::async_client client;  // the last member: its thread ends before what it uses goes
};

paho_client::paho_client(int port, const connect_settings& settings, transport over)
    : how_(std::make_unique<implementation>(port, settings, over)) {}

paho_client::~paho_client() = default;
paho_client::paho_client(paho_client&&) noexcept = default;

int paho_client::try_connect() {
  const paho_waker::hold awake;
  try {
    const mqtt::token_ptr token = how_->client.connect(to_paho(how_->settings));
    wait_for(token, "CONNECT");
    how_->session_present = token->get_connect_response().is_session_present();
    return 0;
  } catch (const mqtt::exception& refusal) {
    const int reason = refusal.get_return_code();
    return reason > 0 ? reason : hung_up;
  }
}

void paho_client::connect() {
  if (const int reason = try_connect(); reason != 0) {
    throw failure("the broker refused " + how_->settings.user + " with reason " + std::to_string(reason));
  }
}

bool paho_client::session_present() const { return how_->session_present; }

bool paho_client::connected() const { return how_->client.is_connected(); }

void paho_client::disconnect() {
  try {
    wait_for(how_->client.disconnect(), "DISCONNECT");
  } catch (const mqtt::exception& problem) {
    throw failure(std::string("cannot disconnect: ") + problem.what());
  }
}

int paho_client::subscribe(const std::string& filter, int qos) {
  mqtt::token_ptr token;
  try {
    token = how_->client.subscribe(filter, qos);
    wait_for(token, "SUBSCRIBE");
    return token->get_subscribe_response().get_reason_codes().at(0);
  } catch (const mqtt::exception& refusal) {
    const int reason = refusal.get_reason_code();
    if (reason >= refused) return reason;
    if (how_->settings.version == mqtt_version::v3 && connected()) return refused;
    throw failure(std::string("cannot subscribe: ") + refusal.what());
  }
}

void paho_client::unsubscribe(const std::string& filter) {
  try {
    wait_for(how_->client.unsubscribe(filter), "UNSUBSCRIBE");
  } catch (const mqtt::exception& problem) {
    throw failure(std::string("cannot unsubscribe: ") + problem.what());
  }
}

int paho_client::publish(const mqtt_message& message) {
  mqtt::delivery_token_ptr token;
  try {
    token =
        how_->client.publish(std::make_shared<const mqtt::message>(to_paho(message, how_->settings.version)));
    wait_for(token, "PUBLISH");
    return how_->settings.version == mqtt_version::v5 ? int{token->get_reason_code()} : 0;
  } catch (const mqtt::exception& refusal) {
    const int reason = refusal.get_reason_code();
    if (reason >= refused) return reason;
    throw failure(std::string("cannot publish: ") + refusal.what());
  }
}

std::vector<mqtt_message> paho_client::messages() const {
  const std::lock_guard lock(how_->mutex);
  return how_->received;
}

bool paho_client::wait_for_messages(std::size_t count, std::chrono::milliseconds deadline) const {
  std::unique_lock lock(how_->mutex);
  return how_->arrived.wait_for(lock, deadline, [&] { return how_->received.size() >= count; });
}

std::vector<mqtt_message> paho_client::expect_messages(std::size_t count) const {
  const bool enough = wait_for_messages(count);
  std::vector<mqtt_message> all = messages();
  if (enough) return all;
  std::string topics;
  for (const mqtt_message& each : all) topics += " " + each.topic;
  throw failure(std::to_string(all.size()) + " of " + std::to_string(count) + " messages came:" + topics);
}

void paho_client::clear() {
  const std::lock_guard lock(how_->mutex);
  how_->received.clear();
}

}  // namespace restante::support
