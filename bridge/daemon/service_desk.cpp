#include "bridge/daemon/service_desk.h"

#include <algorithm>
#include <utility>

namespace restante {

service_desk::service_desk(const configuration& how, const bridge_clock& clock, bridge_metrics& metrics,
                           bridge_log& log)
    : clock_(clock),
      metrics_(metrics),
      store_(how.database, log),
      token_{.api_key = how.stream_api_key,
             .api_secret = how.stream_api_secret,
             .usual_s = how.stream_token_lifetime_ms / 1'000,
             .longest_s = how.stream_token_longest_ms / 1'000} {}

std::optional<std::string> service_desk::answer(const service_call& call) {
  auto said = call.service == "profile" ? change_profile(call) : give_token(call);
  if (!said) metrics_.served(call.service, "put_off");
  return said;
}

std::string service_desk::refuse(const service_call& call, std::string field, std::string reason) {
  metrics_.served(call.service, "refused");
  return refusal_answer({std::move(field), std::move(reason)});
}

std::optional<std::string> service_desk::change_profile(const service_call& call) {
  const auto parsed = parse_profile_request(call.payload);
  if (const auto* why = std::get_if<request_refusal>(&parsed)) return refuse(call, why->field, why->reason);
  const auto changed = store_.change(call.from, call.id, std::get<profile_change>(parsed));
  if (!changed) return std::nullopt;
  if (changed->done) {
    metrics_.served(call.service, changed->done->repeated ? "repeated" : "answered");
    return profile_answer(changed->done->version);
  }
  switch (changed->refused) {
    case change_refusal::blocked:
      return refuse(call, "account", "is blocked");
    case change_refusal::value:
      return refuse(call, "payload", "is not accepted: " + changed->why);
    default:
      return refuse(call, "account", "does not exist");
  }
}

std::optional<std::string> service_desk::give_token(const service_call& call) {
  const auto found = store_.find(call.from);
  if (!found) return std::nullopt;
  const auto status = found->is_there ? std::optional(found->status) : std::nullopt;
  std::string said =
      answer_stream_token(token_, call.from, status, call.payload, clock_.now_us() / 1'000'000);
  metrics_.served(call.service, said.starts_with("{\"error\"") ? "refused" : "answered");
  return said;
}

std::vector<std::string> served_services(const configuration& how) {
  std::vector<std::string> served = how.mqtt_services;
  if (how.stream_api_key.empty()) std::erase(served, "stream-token");
  return served;
}

service_client_settings service_client_of(const configuration& how) {
  return {.uri = how.mqtt_uri,
          .account = how.mqtt_account,
          .password = how.mqtt_password,
          .client_id = "restante-bridge-" + how.name,
          .ca_file = how.mqtt_ca_file,
          .certificate_file = how.mqtt_certificate_file,
          .key_file = how.mqtt_key_file,
          .topic_prefix = how.mqtt_topic_prefix,
          .services = served_services(how),
          .session_expiry = std::chrono::seconds(how.mqtt_session_expiry_ms / 1'000),
          .longest_queue = static_cast<std::size_t>(how.mqtt_requests)};
}

}  // namespace restante
