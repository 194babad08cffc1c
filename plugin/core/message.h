// One durable message as the core knows it, and what becomes of it at the store.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace restante {

// Microseconds since 1970 at which the broker accepted a message; strictly growing, so it is also its name.
using message_number = std::int64_t;

// What its sender calls a message: (`sender`, `id`). Acknowledgements name it so.
struct message_key {
  std::string sender;
  std::string id;
  friend auto operator<=>(const message_key&, const message_key&) = default;
};

// Immutable once accepted; shared between the queue, sessions and the store thread.
struct message {
  message_number number = 0;
  std::string topic;    // as in the table of topics, without the operator's prefix
  std::string payload;  // opaque, may be empty
  std::string
      properties;  // MQTT 5 properties, encoded as on the wire (MQTT 5, section 2.2.2), without length
  message_key key;
  std::uint8_t qos = 1;            // 1 or 2
  std::int64_t expires_at_us = 0;  // microseconds since 1970; 0: with the retention
};
// What must be used once: a message's name is its sender's and its id; an answer's is its whole topic, a
// receipt's its whole topic and state.
std::string identity_of(const message& what);
using shared_message = std::shared_ptr<const message>;

// A message and whom it is for.
struct envelope {
  shared_message what;
  std::vector<std::string> recipients;  // accounts, as written in the topic or on the group's roster
  // Not empty and no recipients: the group whose members are looked up when it is stored; or, by the topic,
  // the service whose account is. Who is granted a service is looked up then in any case.
  std::string group;
  std::int64_t dead_letter = 0;  // not 0: this `expired` receipt settles that dead letter
};

}  // namespace restante
