#include "bridge/observe/observe_server.h"

#include <httplib.h>

#include <atomic>
#include <charconv>
#include <csignal>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>
#include <utility>

namespace restante {
namespace {

constexpr std::size_t answering_threads = 2;
constexpr int longest_read_s = 2;  // a stop waits for those who have not said what they want

}  // namespace

class observe_server::implementation {
 public:
  implementation(const std::string& address, metrics_function metrics, health_function health) {
    const std::size_t colon = address.rfind(':');
    std::string host = address.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    std::from_chars(address.data() + colon + 1, address.data() + address.size(), port_);

    server_.new_task_queue = [] { return new httplib::ThreadPool(answering_threads); };
    server_.set_read_timeout(longest_read_s, 0);
    server_.set_write_timeout(longest_read_s, 0);
    // By default two programs could listen on one port, each getting some of the connections.
    server_.set_socket_options([](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    server_.set_keep_alive_max_count(1);
    server_.set_payload_max_length(1'024);
    server_.Get("/metrics",
                [metrics = std::move(metrics)](const httplib::Request&, httplib::Response& answer) {
                  answer.set_content(metrics(), "text/plain; version=0.0.4; charset=utf-8");
                });
    server_.Get("/healthz", [health = std::move(health)](const httplib::Request&, httplib::Response& answer) {
      nlohmann::ordered_json problems = nlohmann::ordered_json::array();
      for (const health_problem& each : health()) {
        problems.push_back({{"part", each.part}, {"problem", each.problem}});
      }
      answer.status = problems.empty() ? 200 : 503;
      const nlohmann::ordered_json said{{"status", problems.empty() ? "good" : "bad"},
                                        {"problems", std::move(problems)}};
      answer.set_content(said.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n",
                         "application/json");
    });
    if (port_ == 0) {
      port_ = server_.bind_to_any_port(host);
    } else if (!server_.bind_to_port(host, port_)) {
      port_ = -1;
    }
    if (port_ < 0) {
      throw std::runtime_error("cannot listen on " + address +
                               ": is another program there? change observe.listen");
    }
    thread_ = std::thread([this] {
      // Signals are the main thread's.
      sigset_t all;
      sigfillset(&all);
      pthread_sigmask(SIG_SETMASK, &all, nullptr);
      server_.listen_after_bind();
      ended_ = true;
    });
  }

  ~implementation() {
    // Stopping it before it runs would be lost.
    while (!server_.is_running() && !ended_) std::this_thread::yield();
    server_.stop();
    thread_.join();
  }
  implementation(const implementation&) = delete;
  implementation& operator=(const implementation&) = delete;

  int port() const noexcept { return port_; }

 private:
  httplib::Server server_;
  int port_ = -1;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

observe_server::observe_server(const std::string& address, metrics_function metrics, health_function health)
    : how_(std::make_unique<implementation>(address, std::move(metrics), std::move(health))) {}
observe_server::~observe_server() = default;
int observe_server::port() const noexcept { return how_->port(); }

}  // namespace restante
