// Serves requests over MQTT 5: subscribes service/{name}/#, publishes answer/{to}/{name}/{id}, and, once the
// broker has taken the answer, acknowledges the request by topic ack/{account}.
//
// A request is lost at no point: until it is acknowledged, the broker hands it over again at the next
// connection, and what answers has to be idempotent. MQTT's own acknowledgements mean nothing here; Paho
// sends them when a message arrives.
//
// Connects for ever, with a jittered pause that grows to 30 s. Threads: its own; Paho's; any for the methods.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bridge/core/ports.h"
#include "bridge/mqtt/request_queue.h"

namespace restante {

struct service_client_settings {
  std::string uri;  // mqtt, mqtts, ws or wss
  std::string account, password;
  std::string client_id;
  std::string ca_file = {}, certificate_file = {}, key_file = {};
  std::string topic_prefix = {};
  std::vector<std::string> services = {};
  std::chrono::seconds session_expiry{30 * 86'400};  // 0: none, and a new session
  std::size_t longest_queue = 1'000;
};

class service_client {
 public:
  // The payload of the answer; none: it cannot be given just now, and is asked for again. Called on the
  // client's thread; must not wait for long, and must not throw.
  using answer_function = std::function<std::optional<std::string>(const service_call&)>;

  // Begins to connect. `log` outlives the client.
  service_client(service_client_settings how, answer_function answer, bridge_log& log);
  ~service_client();  // what is not acknowledged comes again; waits for an answer_function() under way
  service_client(const service_client&) = delete;
  service_client& operator=(const service_client&) = delete;

  // Connected, and subscribed to everything.
  bool is_serving() const noexcept;

  // Tries login and subscriptions, in a session that is forgotten; the login again for three seconds, since
  // the broker may put it off without a word. Empty: all is well; else what is wrong.
  static std::string try_once(service_client_settings how, std::chrono::seconds longest);

 private:
  class implementation;
  std::unique_ptr<implementation> how_;
};

}  // namespace restante
