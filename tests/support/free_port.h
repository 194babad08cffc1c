// A TCP port of a test's own.
#pragma once

namespace restante::support {

// A loopback port that nobody listens on, and that no other test program takes while this object lives (a
// server may be stopped and started on it again). Below the ports that the kernel gives to outgoing
// connections.
class free_port {
 public:
  free_port();
  ~free_port();
  free_port(const free_port&) = delete;
  free_port& operator=(const free_port&) = delete;

  int number() const { return number_; }

 private:
  int number_ = 0;
  int claim_ = -1;  // a socket whose abstract name is the claim; the kernel frees it with the process
};

}  // namespace restante::support
