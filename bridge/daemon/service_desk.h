// Answers the requests that come over MQTT: `profile` and `stream-token`.
//
// Threads: the MQTT client's, but for interrupt() and is_database_reachable().
#pragma once

#include <optional>
#include <string>

#include "bridge/configuration/configuration.h"
#include "bridge/core/ports.h"
#include "bridge/mqtt/service_client.h"
#include "bridge/observe/bridge_metrics.h"
#include "bridge/store/profile_store.h"
#include "bridge/targets/stream_token.h"

namespace restante {

class service_desk {
 public:
  // All references are to outlive it.
  service_desk(const configuration& how, const bridge_clock& clock, bridge_metrics& metrics, bridge_log& log);

  // The payload of the answer; none: the database cannot be reached just now.
  std::optional<std::string> answer(const service_call& call);

  void interrupt() { store_.interrupt(); }
  bool is_database_reachable() const noexcept { return store_.is_reachable(); }

 private:
  std::optional<std::string> change_profile(const service_call& call);
  std::optional<std::string> give_token(const service_call& call);
  std::string refuse(const service_call& call, std::string field, std::string reason);

  const bridge_clock& clock_;
  bridge_metrics& metrics_;
  profile_store store_;
  const stream_token_settings token_;
};

// The services that can be answered: all that the configuration names, but tokens only with a key for them.
std::vector<std::string> served_services(const configuration& how);
service_client_settings service_client_of(const configuration& how);

}  // namespace restante
