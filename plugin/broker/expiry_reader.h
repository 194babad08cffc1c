// The expiry that a publisher of MQTT 5 gives a message. Mosquitto takes it off the properties before it
// shows them to plugins, but keeps the packet that it came in until the publish is dealt with: it is read
// there.
//
// Where a client's packet is held is not told to plugins and differs between versions. So it is searched for
// at the first publish, by the pointer to bytes that begin with the very topic, properties and payload of the
// event, and what is read there later must begin so again. Memory is read by a system call that fails where
// reading would fault. Where that call is not allowed, or the packet is not found, messages have no expiry of
// their own, and the log says so once.
//
// Threads: the broker's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/ports.h"

struct mosquitto;

namespace restante {

class expiry_reader {
 public:
  explicit expiry_reader(log& lines) : lines_(lines) {}

  // Of the publish that a MESSAGE event shows just now: seconds, if it has one.
  std::optional<std::uint32_t> read(const mosquitto* client, std::string_view topic, std::string_view payload,
                                    int qos);

 private:
  struct seen_publish {
    std::string_view topic, payload;
    int qos;
  };
  struct reading {
    bool matches = false;
    std::optional<std::uint32_t> expiry_s;
  };

  reading read_packet(std::uintptr_t at, const seen_publish& what, bool needs_topic);
  bool search(const mosquitto* client, const seen_publish& what);
  void give_up(const std::string& why);

  log& lines_;
  std::string buffer_;
  std::optional<std::size_t> offset_;  // in Mosquitto's client, of the pointer to its packet
  int misses_ = 0;
  bool gave_up_ = false;
};

}  // namespace restante
