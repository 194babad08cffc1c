// One MQTT client: its socket, its login and subscriptions, its publishes that wait for a PUBACK.
//
// It never blocks and never waits. Input is parsed in place; output gathers until flush(), which the loop
// calls once a round, so that a round costs each client at most one read and one write. Publishes at QoS 1
// are answered with a PUBACK by itself.
//
// Packet ids tell what a PUBACK confirms: ids from 0x8000 on are for acknowledgements, those below for mail.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "packet.h"

namespace restante::bench {

class client;

// What happens to a client, told while its input is parsed. None may close or destroy it.
class client_events {
 public:
  virtual ~client_events() = default;
  virtual void on_mail(const publish_view& mail) = 0;
  virtual void on_confirmed() = 0;              // the oldest mail that was underway; not acknowledgements
  virtual void on_refused() = 0;                // a PUBACK with a reason from 0x80 on
  virtual void on_broken(const char* why) = 0;  // the connection or the broker's answers, once it was ready
};

struct client_settings {
  std::string name;      // user name and client id
  std::string password;  // empty: no login
  mqtt_version version = mqtt_version::v311;
  bool clean = true;
  std::vector<std::string> filters;
  std::uint8_t filter_qos = 1;
};

class client {
 public:
  enum class state : std::uint8_t {
    closed,      // never opened, or closed by close()
    put_off,     // the broker had no time for the login: open() again
    refused,     // the broker does not want it, for good
    connecting,  // TCP
    logging_in,
    subscribing,
    ready,
    broken,  // was ready, and is gone
  };

  // `written`: clients with output; this one adds itself. Both outlive it.
  client(client_settings settings, client_events& events, std::vector<client*>& written);
  ~client();
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  void open(const sockaddr_in& broker);
  void close();  // with DISCONNECT when it is connected
  state now() const { return state_; }
  bool is_ready() const { return state_ == state::ready; }
  int descriptor() const { return descriptor_; }
  const client_settings& settings() const { return settings_; }

  // False: give it another try when the socket takes more.
  bool flush();
  // One read into `scratch`, which is large and shared, and everything that follows from it.
  void receive(std::vector<char>& scratch);
  void on_connected();                 // the socket is writable for the first time
  bool is_watched_for_output = false;  // the loop's note

  // Publishes; at QoS 0 nothing confirms it. Only when ready.
  void publish_mail(std::string_view topic, std::string_view payload, std::uint8_t qos);
  void publish_acknowledgement(std::string_view topic, std::string_view payload, std::uint8_t qos);

  struct counters {
    std::uint64_t sent = 0, confirmed = 0;  // at QoS 1
    std::uint64_t underway() const { return sent - confirmed; }
  };
  const counters& mail() const { return mail_; }
  const counters& acknowledgements() const { return acknowledgements_; }
  // Publishes at QoS 1 that the broker lets be without PUBACK.
  std::uint64_t receive_maximum() const { return receive_maximum_; }

 private:
  void handle(const packet_view& packet);
  void handle_connack(const packet_view& packet);
  void handle_puback(const packet_view& packet);
  void publish(counters& kind, std::uint16_t first_id, std::string_view topic, std::string_view payload,
               std::uint8_t qos);
  void lose(const char* why);
  std::string& output();

  client_settings settings_;
  client_events& events_;
  std::vector<client*>& written_;
  state state_ = state::closed;
  bool is_written_ = false;
  int descriptor_ = -1;
  std::string input_;  // the beginning of a packet
  std::string output_;
  counters mail_, acknowledgements_;
  std::uint64_t receive_maximum_ = 65'535;
};

}  // namespace restante::bench
