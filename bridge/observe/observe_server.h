// GET /metrics for Prometheus, and GET /healthz: 200 or 503, with JSON that says what is wrong.
//
//   {"status":"bad","problems":[{"part":"database","problem":"cannot be reached"}]}
//
// Anybody who reaches the address may read both; nothing else is served. Threads: its own; both functions are
// called on them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace restante {

struct health_problem {
  std::string part, problem;
};

class observe_server {
 public:
  using metrics_function = std::function<std::string()>;
  using health_function = std::function<std::vector<health_problem>()>;

  // `address`: host:port; port 0: any free one. Throws std::runtime_error when nobody can listen there.
  observe_server(const std::string& address, metrics_function metrics, health_function health);
  ~observe_server();
  observe_server(const observe_server&) = delete;
  observe_server& operator=(const observe_server&) = delete;

  int port() const noexcept;

 private:
  class implementation;
  std::unique_ptr<implementation> how_;
};

}  // namespace restante
