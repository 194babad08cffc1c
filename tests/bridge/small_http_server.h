// An HTTP server of the test's own that says exactly what it is told, well-formed or not.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace restante {

class small_http_server {
 public:
  struct reply {
    std::string bytes;       // as sent, status line and all
    bool hangs_up = false;   // afterwards; else the connection is kept
    bool is_silent = false;  // says nothing for as long as the client stays
  };
  // Called with each whole request, on a thread of its connection.
  using handler = std::function<reply(const std::string& request)>;

  explicit small_http_server(handler how);
  ~small_http_server();
  small_http_server(const small_http_server&) = delete;
  small_http_server& operator=(const small_http_server&) = delete;

  int port() const { return port_; }
  std::string url(const std::string& path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  int connections() const { return connections_; }
  std::vector<std::string> requests() const;

  static reply ok(const std::string& body, const std::string& headers = "");

 private:
  void accept_all();
  void serve(int connection);

  const handler how_;
  int listener_ = -1, port_ = 0;
  std::atomic<int> connections_ = 0;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<int> open_;
  std::vector<std::thread> serving_;
  std::thread accepting_;
};

}  // namespace restante
