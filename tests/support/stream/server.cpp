#include "support/stream/server.h"

#include <httplib.h>

#include <chrono>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include "support/stream/sockets.h"

namespace restante::stream_stand_in {
namespace {

using nlohmann::json;

// One listening port and the thread that accepts on it.
class listener {
 public:
  listener(int port, const std::function<void(httplib::Server&)>& furnish) {
    furnish(http_);
    http_.new_task_queue = [] { return new httplib::ThreadPool(concurrency_limit); };
    http_.set_tcp_nodelay(true);
    http_.set_keep_alive_max_count(1'000'000'000);
    http_.set_keep_alive_timeout(60);
    http_.set_read_timeout(60);
    http_.set_write_timeout(60);
    // Its own choice, SO_REUSEPORT, would let two servers share a port without a word.
    http_.set_socket_options([](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    port_ = port;
    if (port == 0) {
      port_ = http_.bind_to_any_port("127.0.0.1");
    } else if (!http_.bind_to_port("127.0.0.1", port)) {
      port_ = -1;
    }
    if (port_ < 0) throw std::runtime_error("cannot listen on 127.0.0.1:" + std::to_string(port));
    thread_ = std::thread([this] { http_.listen_after_bind(); });
    while (!http_.is_running()) std::this_thread::yield();
  }
  ~listener() {
    http_.stop();
    hang_up(port_, 0);
    thread_.join();
  }
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;
  int port() const { return port_; }

 private:
  httplib::Server http_;
  int port_ = 0;
  std::thread thread_;
};

request read(const httplib::Request& from) {
  request to{from.method, from.path, {}, {}, from.body};
  for (const auto& [name, value] : from.params) to.query.emplace(name, value);
  for (const auto& [name, value] : from.headers) {
    std::string lower = name;
    for (char& c : lower) c = (c >= 'A' && c <= 'Z') ? static_cast<char>(c + 32) : c;
    to.headers.emplace(std::move(lower), value);
  }
  return to;
}

// The library compresses `application/json`, by brotli at its slowest: the stand-in would be the slowest of
// all.
constexpr const char* uncompressed_json = "application/json; charset=utf-8";

void write(const answer& from, httplib::Response& to) {
  to.status = from.status;
  std::string type = "text/plain";
  for (const auto& [name, value] : from.headers) {
    if (name == "Content-Type") {
      type = value;
    } else {
      to.set_header(name, value);
    }
  }
  if (type == "application/json") type = uncompressed_json;
  if (!from.body.empty()) to.set_content(from.body, type);
}

std::string loopback(int port) { return "http://127.0.0.1:" + std::to_string(port); }

}  // namespace

class server::implementation {
 public:
  implementation(service& what, int port, int control_port)
      : what_(what), control_(control_port, [this](httplib::Server& http) { furnish_control(http); }) {
    port_ = port;
    come_back();
  }

  void come_back() {
    const std::scoped_lock lock(mutex_);
    if (listener_) return;
    listener_ = std::make_unique<listener>(port_, [this](httplib::Server& http) { furnish(http); });
    port_ = listener_->port();
  }
  void go_down() {
    const std::scoped_lock lock(mutex_);
    listener_.reset();
  }

  int port() const { return port_; }
  int control_port() const { return control_.port(); }

 private:
  void furnish(httplib::Server& http) {
    const auto handler = [this](const httplib::Request& from, httplib::Response& to) {
      const service::outcome outcome = what_.handle(read(from));
      if (outcome.cut) hang_up(port_, from.remote_port);
      write(outcome.what, to);
    };
    http.Get(".*", handler).Post(".*", handler).Patch(".*", handler).Put(".*", handler).Delete(".*", handler);
  }

  using steering = std::function<void(const json& body)>;
  // Runs `what` with the body as JSON.
  static httplib::Server::Handler steer(steering what) {
    return [what = std::move(what)](const httplib::Request& from, httplib::Response& to) {
      try {
        what(from.body.empty() ? json::object() : json::parse(from.body));
        to.set_content("{}", "application/json");
      } catch (const std::exception& error) {
        to.status = 400;
        to.set_content(std::string(error.what()) + '\n', "text/plain");
      }
    };
  }

  void furnish_control(httplib::Server& http) {
    http.Get("/stand-in/users", [this](const httplib::Request&, httplib::Response& to) {
      to.set_content(what_.users(), uncompressed_json);
    });
    http.Delete("/stand-in/users", steer([this](const json&) { what_.clear_users(); }));
    http.Get("/stand-in/counts", [this](const httplib::Request&, httplib::Response& to) {
      to.set_content(what_.counts().dump(), uncompressed_json);
    });
    http.Delete("/stand-in/counts", steer([this](const json&) { what_.clear_counts(); }));
    http.Put("/stand-in/faults", steer([this](const json& body) {
               std::vector<fault> all;
               for (const json& each : body.at("faults")) all.push_back(parse_fault(each));
               what_.set_faults(std::move(all), body.value("seed", std::uint64_t{0}));
             }));
    http.Delete("/stand-in/faults", steer([this](const json&) { what_.set_faults({}); }));
    http.Put("/stand-in/down", steer([this](const json&) { go_down(); }));
    http.Delete("/stand-in/down", steer([this](const json&) { come_back(); }));
    http.Put("/stand-in/clock", steer([this](const json& body) {
               if (body.contains("now_us")) {
                 what_.set_clock([now_us = body["now_us"].get<std::int64_t>()] { return now_us; });
               } else {
                 what_.set_clock([offset_us = body.at("offset_us").get<std::int64_t>(),
                                  real = system_clock()] { return real() + offset_us; });
               }
             }));
    http.Delete("/stand-in/clock", steer([this](const json&) { what_.set_clock(system_clock()); }));
    http.Put("/stand-in/settings", steer([this](const json& body) { what_.set_settings(body); }));
  }

  service& what_;
  std::mutex mutex_;
  int port_ = 0;
  std::unique_ptr<listener> listener_;
  listener control_;  // ends first
};

server::server(service& what, int port, int control_port)
    : how_(std::make_unique<implementation>(what, port, control_port)) {}
server::~server() = default;
std::string server::url() const { return loopback(how_->port()); }
std::string server::control_url() const { return loopback(how_->control_port()); }
void server::go_down() { how_->go_down(); }
void server::come_back() { how_->come_back(); }

clock system_clock() {
  return [] {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  };
}

}  // namespace restante::stream_stand_in
