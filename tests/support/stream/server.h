// The stand-in on two loopback ports: Stream's, and one to steer it by.
#pragma once

#include <memory>
#include <string>

#include "support/stream/service.h"

namespace restante::stream_stand_in {

// Steering, all in JSON; what cannot be read is answered with 400 and one line:
//   GET            /stand-in/users     see service::users()
//   DELETE         /stand-in/users     forgets them
//   GET, DELETE    /stand-in/counts    see tally.h
//   PUT, DELETE    /stand-in/faults    {"faults": [see faults.h], "seed": N}, in place of those before
//   PUT, DELETE    /stand-in/down      refuses connections from now on, and cuts those that it has
//   PUT, DELETE    /stand-in/clock     {"now_us": N}: stands still there; {"offset_us": N}: runs, so far off
//   PUT            /stand-in/settings  see service::set_settings()
//
// Answers are given on threads of its own, `concurrency_limit` connections at once; more wait.
constexpr std::size_t concurrency_limit = 64;

class server {
 public:
  // Ports that are 0 are chosen. Throws std::runtime_error when one cannot be had.
  server(service& what, int port, int control_port);
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  std::string url() const;          // http://127.0.0.1:PORT
  std::string control_url() const;  // the same for the other
  void go_down();
  void come_back();

 private:
  class implementation;
  std::unique_ptr<implementation> how_;
};

// The real time.
clock system_clock();

}  // namespace restante::stream_stand_in
