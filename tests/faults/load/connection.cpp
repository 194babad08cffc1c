#include "load/connection.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <utility>

#include "clock.h"

namespace restante::faults {
namespace {

constexpr std::int64_t first_pause_ns = 20 * bench::millisecond_ns;
constexpr std::int64_t longest_pause_ns = 1'000 * bench::millisecond_ns;
constexpr std::int64_t longest_login_ns = 10 * bench::second_ns;
constexpr std::uint16_t subscribe_id = 0xFFFF;

}  // namespace

connection::connection(connection_settings settings, connection_owner& owner, board& told, int events)
    : settings_(std::move(settings)),
      owner_(owner),
      told_(told),
      events_(events),
      random_(static_cast<std::uint32_t>(std::hash<std::string>{}(settings_.name))) {}

connection::~connection() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void connection::attend(std::int64_t now_ns) {
  if (state_ == state::away) {
    if (now_ns >= again_ns_) open(now_ns);
  } else if (state_ != state::ready && now_ns - opened_ns_ > longest_login_ns) {
    lose();
  }
}

void connection::open(std::int64_t now_ns) {
  opened_ns_ = now_ns;
  // Later each time, and not all at once.
  pause_ns_ = std::clamp(pause_ns_ * 2, first_pause_ns, longest_pause_ns);
  again_ns_ = now_ns + pause_ns_ / 2 + static_cast<std::int64_t>(random_()) % (pause_ns_ / 2);
  descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) return;
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in broker{};
  broker.sin_family = AF_INET;
  broker.sin_port = htons(told_.settings.port);
  broker.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  state_ = state::connecting;
  is_writable_ = false;
  if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&broker), sizeof broker) != 0 &&
      errno != EINPROGRESS) {
    return lose();
  }
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLET;
  event.data.ptr = this;
  ::epoll_ctl(events_, EPOLL_CTL_ADD, descriptor_, &event);
}

void connection::lose() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
  input_.clear();
  output_.clear();
  switch (std::exchange(state_, state::away)) {
    case state::ready:
      ++told_.connections_lost;
      again_ns_ = 0;
      pause_ns_ = 0;
      break;
    case state::logging_in:
    case state::subscribing:
      ++told_.logins_put_off;
      break;
    default:
      break;
  }
}

void connection::greet() {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) return lose();
  state_ = state::logging_in;
  bench::append_connect(output_, {.client_id = settings_.name,
                                  .username = settings_.name,
                                  .password = told_.settings.password,
                                  .version = settings_.version,
                                  .clean = false});
}

void connection::on_event(std::uint32_t events) {
  if (descriptor_ < 0) return;
  if (state_ == state::connecting) greet();
  if ((events & EPOLLOUT) != 0) is_writable_ = true;
  if (descriptor_ >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive();
}

void connection::flush() {
  while (descriptor_ >= 0 && is_writable_ && !output_.empty()) {
    const ssize_t sent = ::send(descriptor_, output_.data(), output_.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      output_.erase(0, static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      is_writable_ = false;
    } else if (errno != EINTR) {
      lose();
    }
  }
}

void connection::receive() {
  std::array<char, 65'536> buffer;
  while (descriptor_ >= 0) {
    const ssize_t count = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return lose();
    input_.append(buffer.data(), static_cast<std::size_t>(count));
    std::string_view left = input_;
    bench::packet_view packet;
    auto taken = bench::take_packet(left, packet);
    while (taken == bench::take_result::taken) {
      handle(packet);
      if (descriptor_ < 0) return;
      taken = bench::take_packet(left, packet);
    }
    if (taken == bench::take_result::malformed) {
      count_refusal();
      return lose();
    }
    input_.erase(0, input_.size() - left.size());
  }
}

void connection::handle(const bench::packet_view& what) {
  switch (what.type) {
    case bench::packet_type::connack: {
      const auto answer = bench::read_connack(what, settings_.version);
      if (!answer || answer->reason != 0) return lose();
      if (settings_.filters.empty()) return become_ready();
      state_ = state::subscribing;
      bench::append_subscribe(output_, settings_.version, subscribe_id, settings_.filters, settings_.qos);
      return;
    }
    case bench::packet_type::suback:
      if (!bench::is_granted(what, settings_.version)) {
        count_refusal();
        return lose();
      }
      return become_ready();
    case bench::packet_type::disconnect:
      return lose();
    default:
      // A resumed session is sent what it had before it subscribes again.
      owner_.on_packet(what);
  }
}

void connection::become_ready() {
  state_ = state::ready;
  owner_.on_ready();
}

}  // namespace restante::faults
