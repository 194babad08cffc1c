#include "support/raw_mqtt.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "support/eventually.h"
#include "support/failure.h"

namespace restante::support {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

raw_mqtt::raw_mqtt(int port) : port_(port) { open(); }

void raw_mqtt::open() {
  socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (socket_ < 0 || ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    drop();
    throw failure("nobody listens on port " + std::to_string(port_));
  }
  const int yes = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  closed_ = false;
  received_.clear();
  packets_.clear();
}

raw_mqtt::~raw_mqtt() { drop(); }

raw_mqtt::raw_mqtt(raw_mqtt&& other) noexcept
    : port_(other.port_),
      socket_(std::exchange(other.socket_, -1)),
      version_(other.version_),
      last_packet_id_(other.last_packet_id_),
      received_(std::move(other.received_)),
      packets_(std::move(other.packets_)),
      closed_(std::exchange(other.closed_, true)) {}

void raw_mqtt::send_bytes(std::string_view bytes) {
  while (!bytes.empty()) {
    pollfd writable{.fd = socket_, .events = POLLOUT, .revents = 0};
    if (::poll(&writable, 1, static_cast<int>(patience.count())) != 1)
      throw failure("the broker does not read");
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (sent <= 0) throw failure("the broker hung up while it was sent something");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void raw_mqtt::send(const packet& what) { send_bytes(encode(what)); }

bool raw_mqtt::read_more(steady_clock::time_point end) {
  if (closed_) return false;
  const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
  pollfd readable{.fd = socket_, .events = POLLIN, .revents = 0};
  if (::poll(&readable, 1, std::max(0, static_cast<int>(left.count()))) != 1) return false;
  std::array<char, 65'536> buffer{};
  const ssize_t count = recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (count <= 0) {
    closed_ = true;
    return false;
  }
  received_.append(buffer.data(), static_cast<std::size_t>(count));
  while (std::optional<packet> whole = take_packet(received_)) packets_.push_back(std::move(*whole));
  return true;
}

std::optional<packet> raw_mqtt::next(milliseconds deadline) {
  const auto end = steady_clock::now() + deadline;
  while (packets_.empty()) {
    if (!read_more(end) && packets_.empty()) return std::nullopt;
  }
  packet result = std::move(packets_.front());
  packets_.pop_front();
  return result;
}

packet raw_mqtt::expect_that(const std::string& what, const std::function<bool(const packet&)>& wanted,
                             milliseconds deadline) {
  const auto end = steady_clock::now() + deadline;
  for (;;) {
    const auto found = std::ranges::find_if(packets_, wanted);
    if (found != packets_.end()) {
      packet result = std::move(*found);
      packets_.erase(found);
      return result;
    }
    if (!read_more(end) && std::ranges::none_of(packets_, wanted)) {
      std::string others;
      for (const packet& each : packets_) others += " " + name_of(each.type);
      throw failure((closed_ ? "the broker hung up instead of sending " : "the broker did not send ") + what +
                    (others.empty() ? "" : "; it sent" + others));
    }
  }
}

packet raw_mqtt::expect(packet_type type, milliseconds deadline) {
  return expect_that(
      name_of(type), [type](const packet& each) { return each.type == type; }, deadline);
}

packet raw_mqtt::expect_acknowledgement(packet_type type, std::uint16_t packet_id) {
  return expect_that(
      name_of(type) + " of " + std::to_string(packet_id),
      [=](const packet& each) {
        return each.type == type && parse_acknowledgement(each).packet_id == packet_id;
      },
      patience);
}

connection_answer raw_mqtt::connect(const connect_settings& settings) {
  version_ = settings.version;
  send(connect_packet(settings));
  return parse_connack(expect(packet_type::connack));
}

std::optional<connection_answer> raw_mqtt::try_connect(const connect_settings& settings) {
  try {
    return connect(settings);
  } catch (const failure&) {
    if (closed_) return std::nullopt;
    throw;
  }
}

void raw_mqtt::login(const connect_settings& settings) {
  std::optional<connection_answer> answer;
  const bool is_answered = eventually(
      [&] {
        answer = try_connect(settings);
        if (answer) return true;
        drop();
        open();
        return false;
      },
      patience, std::chrono::milliseconds(50));
  if (!is_answered || answer->reason != 0) {
    throw failure("the broker refused " + settings.user + " with reason " +
                  std::to_string(answer ? answer->reason : -1));
  }
}

std::uint16_t raw_mqtt::next_packet_id() {
  if (++last_packet_id_ == 0) ++last_packet_id_;
  return last_packet_id_;
}

std::vector<int> raw_mqtt::subscribe(const std::vector<std::string>& filters, int qos) {
  const std::uint16_t packet_id = next_packet_id();
  send(subscribe_packet(version_, packet_id, filters, qos));
  return parse_suback(expect_acknowledgement(packet_type::suback, packet_id), version_);
}

std::vector<int> raw_mqtt::unsubscribe(const std::vector<std::string>& filters) {
  const std::uint16_t packet_id = next_packet_id();
  send(unsubscribe_packet(version_, packet_id, filters));
  return parse_suback(expect_acknowledgement(packet_type::unsuback, packet_id), version_);
}

std::uint16_t raw_mqtt::send_publish(const mqtt_message& message) {
  const std::uint16_t packet_id = message.qos > 0 ? next_packet_id() : std::uint16_t{0};
  send_publish(message, packet_id);
  return packet_id;
}

void raw_mqtt::send_publish(const mqtt_message& message, std::uint16_t packet_id) {
  send(publish_packet(message, version_, packet_id));
}

int raw_mqtt::publish(const mqtt_message& message) {
  const std::uint16_t packet_id = send_publish(message);
  if (message.qos == 0) return 0;
  if (message.qos == 1) {
    return parse_acknowledgement(expect_acknowledgement(packet_type::puback, packet_id)).reason;
  }
  const int received = parse_acknowledgement(expect_acknowledgement(packet_type::pubrec, packet_id)).reason;
  if (received >= 0x80) return received;
  send(acknowledgement_packet(packet_type::pubrel, version_, packet_id));
  const int completed = parse_acknowledgement(expect_acknowledgement(packet_type::pubcomp, packet_id)).reason;
  return completed != 0 ? completed : received;
}

mqtt_message raw_mqtt::expect_publish(milliseconds deadline) {
  return parse_publish(expect(packet_type::publish, deadline), version_);
}

std::vector<mqtt_message> raw_mqtt::expect_publishes(std::size_t count) {
  std::vector<mqtt_message> result;
  while (result.size() < count) {
    try {
      result.push_back(expect_publish());
    } catch (const failure& why) {
      throw failure(std::string(why.what()) + " number " + std::to_string(result.size() + 1) + " of " +
                    std::to_string(count));
    }
  }
  return result;
}

void raw_mqtt::acknowledge(const mqtt_message& received, std::uint8_t reason) {
  if (received.qos == 1) {
    send(acknowledgement_packet(packet_type::puback, version_, received.packet_id, reason));
  } else if (received.qos == 2) {
    send(acknowledgement_packet(packet_type::pubrec, version_, received.packet_id, reason));
    if (reason >= 0x80) return;
    expect_acknowledgement(packet_type::pubrel, received.packet_id);
    send(acknowledgement_packet(packet_type::pubcomp, version_, received.packet_id));
  }
}

void raw_mqtt::ping() {
  send({.type = packet_type::pingreq, .body = {}});
  expect(packet_type::pingresp);
}

std::size_t raw_mqtt::waiting_publishes() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(packets_, [](const packet& each) { return each.type == packet_type::publish; }));
}

void raw_mqtt::disconnect(std::uint8_t reason) {
  send(disconnect_packet(version_, reason));
  closed_by_broker();
  drop();
}

void raw_mqtt::drop() {
  if (socket_ >= 0) close(socket_);
  socket_ = -1;
  closed_ = true;
}

bool raw_mqtt::closed_by_broker(milliseconds deadline) {
  const auto end = steady_clock::now() + deadline;
  while (read_more(end)) {
  }
  return closed_;
}

}  // namespace restante::support
