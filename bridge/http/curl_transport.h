// HTTP by libcurl: several requests at once, over connections that are kept and used again; HTTP/2 where TLS
// offers it.
//
// TLS is always verified. A proxy is taken from the environment (https_proxy, no_proxy, …). Redirects are not
// followed. An answer is read up to a bound. What is said of a failure names the host, never a query.
//
// Threads: the engine's, but for wake().
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "bridge/core/ports.h"

namespace restante {

struct curl_settings {
  std::string ca_file = {};  // PEM; empty: the system's
  std::string user_agent = "restante-bridge";
  std::chrono::milliseconds connect_timeout{10'000};
  std::size_t longest_answer_bytes = 8u << 20;
};

class curl_transport : public transport {
 public:
  struct answer {
    std::uint64_t number = 0;
    http_response response;
  };

  explicit curl_transport(curl_settings how);  // throws std::runtime_error when libcurl does not start
  ~curl_transport() override;                  // drops what is under way
  curl_transport(const curl_transport&) = delete;
  curl_transport& operator=(const curl_transport&) = delete;

  // Its answer comes from a later wait(), whatever happens. `timeout` of the request counts from here.
  void send(std::uint64_t number, http_request request) override;
  // Answers as soon as there are some; none after `longest`, or wake().
  std::vector<answer> wait(std::chrono::milliseconds longest);
  // Any thread: ends a wait(), the one under way or the next.
  void wake() noexcept;

  std::size_t under_way() const noexcept;

 private:
  class implementation;
  std::unique_ptr<implementation> how_;
};

}  // namespace restante
