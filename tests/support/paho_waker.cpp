#include "support/paho_waker.h"

#include <arpa/inet.h>
#include <mqtt/async_client.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "support/eventually.h"
#include "support/failure.h"

namespace restante::support {
namespace {

using namespace std::string_view_literals;
constexpr std::string_view connack = "\x20\x02\x00\x00"sv;
constexpr std::string_view pingresp = "\xd0\x00"sv;
constexpr int interval_ms = 2;

int listen_on_loopback(int& port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (descriptor < 0 || bind(descriptor, generic, length) != 0 || listen(descriptor, 1) != 0 ||
      getsockname(descriptor, generic, &length) != 0) {
    throw failure("cannot listen on loopback");
  }
  port = ntohs(address.sin_port);
  return descriptor;
}

// Whether a thread of Paho's is left: it says that they have stopped before they have.
bool paho_runs() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::any_of(begin(tasks), end(tasks), [](const auto& task) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    return name.starts_with("MQTTAsync_");
  });
}

bool send_all(int descriptor, std::string_view bytes) {
  return send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

}  // namespace

class paho_waker::implementation {
 public:
  implementation()
      : listener_(listen_on_loopback(port_)),
        server_([this] { serve(); }),
        client_("tcp://127.0.0.1:" + std::to_string(port_), "waker") {
    if (!client_.connect()->wait_for(patience)) throw failure("Paho does not connect to its waker");
  }
  ~implementation() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    server_.join();
    close(listener_);
  }
  implementation(const implementation&) = delete;
  implementation& operator=(const implementation&) = delete;

  void add_holders(int count) {
    const std::lock_guard lock(mutex_);
    holders_ += count;
    changed_.notify_all();
  }

 private:
  void serve() {
    const int connection = accept(listener_, nullptr, nullptr);
    char request[256];
    bool open = recv(connection, request, sizeof request, 0) > 0 && send_all(connection, connack);
    while (open && wait_until_held()) {
      open = send_all(connection, pingresp);
      ::poll(nullptr, 0, interval_ms);
    }
    close(connection);
  }
  bool wait_until_held() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || holders_ > 0; });
    return !stopping_;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  int holders_ = 0;
  bool stopping_ = false;
  int port_ = 0;
  int listener_;
  std::thread server_;
  mqtt::async_client client_;
};

paho_waker::paho_waker() : how_(std::make_unique<implementation>()) {}

// The process ends next, and what OpenSSL keeps for a thread that is still there would be taken for a leak.
paho_waker::~paho_waker() {
  how_.reset();
  eventually([] { return !paho_runs(); });
}

paho_waker& paho_waker::instance() {
  static paho_waker only;
  return only;
}

paho_waker::hold::hold() { instance().how_->add_holders(1); }
paho_waker::hold::~hold() { instance().how_->add_holders(-1); }

}  // namespace restante::support
