// One client's connection: opened again and again, ever later, until it holds; logged in and subscribed.
//
// What its owner appends to output() is sent by flush(), once a round. Nothing here waits.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "load/board.h"
#include "packet.h"

namespace restante::faults {

class connection_owner {
 public:
  virtual ~connection_owner() = default;
  virtual void on_ready() = 0;                                 // logged in, and subscribed
  virtual void on_packet(const bench::packet_view& what) = 0;  // any but CONNACK, SUBACK
};

struct connection_settings {
  std::string name;  // account and client id
  bench::mqtt_version version = bench::mqtt_version::v311;
  std::vector<std::string> filters;
  std::uint8_t qos = 1;  // of the filters
};

class connection {
 public:
  // Sessions outlive connections. `events` is an epoll; `told` hears of failures.
  connection(connection_settings settings, connection_owner& owner, board& told, int events);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  bool is_ready() const { return state_ == state::ready; }
  bench::mqtt_version version() const { return settings_.version; }
  void attend(std::int64_t now_ns);  // once a round: opens it when it is time to
  void on_event(std::uint32_t events);
  void flush();
  std::string& output() { return output_; }  // when ready
  void count_refusal() { ++told_.refused; }

 private:
  enum class state : std::uint8_t { away, connecting, logging_in, subscribing, ready };

  void open(std::int64_t now_ns);
  void greet();
  void receive();
  void handle(const bench::packet_view& what);
  void become_ready();
  void lose();

  connection_settings settings_;
  connection_owner& owner_;
  board& told_;
  int events_;
  state state_ = state::away;
  int descriptor_ = -1;
  bool is_writable_ = false;
  std::int64_t opened_ns_ = 0, again_ns_ = 0, pause_ns_ = 0;
  std::minstd_rand random_;
  std::string input_, output_;
};

}  // namespace restante::faults
