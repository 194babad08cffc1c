// What one run of the generator is to do. Times in ns.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "clock.h"
#include "packet.h"

namespace restante::bench {

enum class acknowledge_by : std::uint8_t {
  lines,    // topic ack/{me}, many in a publish
  receipt,  // topic receipt/{from}/{me}/{id}, one each, QoS 0
  nothing,  // the PUBACK alone
};

struct settings {
  std::uint16_t port = 1883;  // on loopback
  pid_t broker = 0;           // whose processor time is reported; 0: none
  std::string password;       // of all accounts; empty: no login
  mqtt_version version = mqtt_version::v311;
  std::string run = "0000000000";  // ten characters, in all message ids

  std::size_t first_account = 0;  // the accounts are named user-00000 and so on
  std::size_t senders = 50, recipients = 50;
  std::string group = "everybody";
  std::size_t connect_parallel = 50;

  std::uint8_t qos = 1;
  std::size_t payload_bytes = 64;
  std::uint64_t per_recipient = 0;  // messages for each; 0: as many as there is time for
  std::uint64_t inflight = 20;      // publishes of a client without PUBACK
  std::uint64_t underway = 100;     // messages of a sender that their recipients do not have yet
  double rate = 0;                  // messages a second in all; 0: as many as the broker takes
  acknowledge_by acknowledge = acknowledge_by::lines;
  std::size_t lines = 20;  // most in one publish
  std::uint8_t acknowledge_qos = 1;
  std::int64_t acknowledge_after_ns = 10 * millisecond_ns;  // no line waits longer for others

  std::int64_t tick_ns = 2 * millisecond_ns;
  std::int64_t warm_up_ns = second_ns;
  std::int64_t time_ns = 5 * second_ns;
  std::int64_t patience_ns = 120 * second_ns;  // for logins, and for the last message to arrive
};

}  // namespace restante::bench
