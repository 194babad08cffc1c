#include "heartbeat.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

#include "participant.h"
#include "processor_time.h"

namespace restante::bench {
namespace {

volatile std::sig_atomic_t is_stopped = 0;

// A blocking connection, of its own kind: nothing but the kernel stands between us and the broker.
class pulse {
 public:
  explicit pulse(const settings& how) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in broker{};
    broker.sin_family = AF_INET;
    broker.sin_port = htons(how.port);
    broker.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const auto name = account_name(how.first_account);
    std::string connect;
    append_connect(
        connect, {.client_id = name, .username = how.password.empty() ? "" : name, .password = how.password});
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&broker), sizeof broker) != 0 ||
        ask(connect, packet_type::connack).substr(1) != std::string_view("\0", 1)) {
      ::close(socket_);
      throw std::runtime_error("the heartbeat cannot log in");
    }
  }
  ~pulse() { ::close(socket_); }
  pulse(const pulse&) = delete;
  pulse& operator=(const pulse&) = delete;

  void ping() { ask({"\xC0\0", 2}, packet_type::pingresp); }

 private:
  // Sends and waits for the answer, whose body it returns.
  std::string ask(std::string_view question, packet_type answer) {
    std::string received;
    if (::send(socket_, question.data(), question.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(question.size())) {
      throw std::runtime_error("the heartbeat lost its connection");
    }
    for (;;) {
      char piece[64];
      const ssize_t count = ::recv(socket_, piece, sizeof piece, 0);
      if (count <= 0) throw std::runtime_error("the heartbeat lost its connection");
      received.append(piece, static_cast<std::size_t>(count));
      std::string_view rest = received;
      packet_view packet;
      if (take_packet(rest, packet) != take_result::taken) continue;
      if (packet.type != answer) throw std::runtime_error("the heartbeat got another answer");
      return std::string(packet.body);
    }
  }

  int socket_;
};

std::int64_t waiting_ns(pid_t broker) {
  return main_thread_time(broker).waiting_ns + main_thread_time(::getpid()).waiting_ns;
}

void pause_ns(std::int64_t time_ns) {
  const timespec pause{.tv_sec = 0, .tv_nsec = time_ns};
  if (time_ns > 0) ::ppoll(nullptr, 0, &pause, nullptr);
}

// A broker that has just started may not let anybody in yet.
std::unique_ptr<pulse> log_in(const settings& how) {
  const auto end_ns = now_ns() + how.patience_ns;
  for (;;) {
    try {
      return std::make_unique<pulse>(how);
    } catch (const std::runtime_error&) {
      if (now_ns() > end_ns) throw;
      pause_ns(20 * millisecond_ns);
    }
  }
}

}  // namespace

nlohmann::json run_heartbeat(const settings& how, std::int64_t every_ns) {
  const auto client = log_in(how);
  std::signal(SIGTERM, [](int) { is_stopped = 1; });
  std::signal(SIGINT, [](int) { is_stopped = 1; });
  std::cout << "ready" << std::endl;
  auto round_trips = nlohmann::json::array();
  const auto end_ns = now_ns() + how.time_ns;
  while (is_stopped == 0 && now_ns() < end_ns) {
    const auto waited_before_ns = waiting_ns(how.broker);
    const auto began_ns = now_ns();
    client->ping();
    const auto took_ns = now_ns() - began_ns;
    const auto starved_ns = waiting_ns(how.broker) - waited_before_ns;
    round_trips.push_back({began_ns, took_ns / microsecond_ns, starved_ns / microsecond_ns});
    pause_ns(began_ns + every_ns - now_ns());
  }
  return {{"round_trips", std::move(round_trips)}};
}

}  // namespace restante::bench
