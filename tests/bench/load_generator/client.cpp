#include "client.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

namespace restante::bench {
namespace {

constexpr std::uint16_t first_acknowledgement_id = 0x8000;
constexpr std::uint16_t ids_of_a_kind = 0x7FFF;
constexpr std::uint16_t subscribe_id = 1;

std::uint16_t id_of(std::uint16_t first, std::uint64_t count) {
  return static_cast<std::uint16_t>(first + count % ids_of_a_kind);
}

bool is_put_off(std::uint8_t reason) { return reason == 3 || reason == 0x88 || reason == 0x89; }

}  // namespace

client::client(client_settings settings, client_events& events, std::vector<client*>& written)
    : settings_(std::move(settings)), events_(events), written_(written) {}

client::~client() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void client::open(const sockaddr_in& broker) {
  descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  state_ = state::connecting;
  if (descriptor_ < 0) return lose("no socket");
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const int result = ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&broker), sizeof broker);
  if (result != 0 && errno != EINPROGRESS) lose("cannot connect");
}

void client::on_connected() {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
    return lose("cannot connect");
  state_ = state::logging_in;
  const bool named = !settings_.password.empty();
  append_connect(output(), {.client_id = settings_.name,
                            .username = named ? std::string_view(settings_.name) : std::string_view(),
                            .password = settings_.password,
                            .version = settings_.version,
                            .clean = settings_.clean});
}

void client::close() {
  if (state_ == state::ready) {
    append_disconnect(output_);
    flush();
  }
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
  state_ = state::closed;
  input_.clear();
  output_.clear();
}

void client::lose(const char* why) {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
  input_.clear();
  output_.clear();
  if (std::exchange(state_, state_ == state::ready ? state::broken : state::put_off) == state::ready) {
    events_.on_broken(why);
  }
}

std::string& client::output() {
  if (!std::exchange(is_written_, true)) written_.push_back(this);
  return output_;
}

bool client::flush() {
  is_written_ = false;
  if (descriptor_ < 0 || output_.empty()) return true;
  const ssize_t written = ::send(descriptor_, output_.data(), output_.size(), MSG_NOSIGNAL);
  if (written < 0 && errno != EAGAIN && errno != EINTR) {
    lose("the broker closed the connection");
    return true;
  }
  output_.erase(0, written < 0 ? 0 : static_cast<std::size_t>(written));
  return output_.empty();
}

void client::receive(std::vector<char>& scratch) {
  std::memcpy(scratch.data(), input_.data(), input_.size());
  const ssize_t count =
      ::recv(descriptor_, scratch.data() + input_.size(), scratch.size() - input_.size(), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) return lose("the broker closed the connection");
  std::string_view received(scratch.data(), input_.size() + static_cast<std::size_t>(count));
  packet_view packet;
  for (;;) {
    switch (take_packet(received, packet)) {
      case take_result::malformed:
        return lose("a malformed packet");
      case take_result::incomplete:
        if (received.size() > scratch.size() / 2) return lose("a packet that is too large");
        input_.assign(received);
        return;
      case take_result::taken:
        handle(packet);
        if (descriptor_ < 0) return;
    }
  }
}

void client::handle(const packet_view& packet) {
  switch (packet.type) {
    case packet_type::publish: {
      const auto mail = read_publish(packet, settings_.version);
      if (!mail || mail->qos > 1) return lose("a malformed PUBLISH, or one at QoS 2");
      if (mail->qos == 1) append_puback(output(), mail->packet_id);
      return events_.on_mail(*mail);
    }
    case packet_type::puback:
      return handle_puback(packet);
    case packet_type::connack:
      return handle_connack(packet);
    case packet_type::suback:
      if (!is_granted(packet, settings_.version)) {
        lose("");
        state_ = state::refused;
        return;
      }
      state_ = state::ready;
      return;
    case packet_type::pingresp:
      return;
    case packet_type::disconnect:
      return lose("the broker sent DISCONNECT");
    default:
      return lose("a packet that no broker sends");
  }
}

void client::handle_connack(const packet_view& packet) {
  const auto answer = read_connack(packet, settings_.version);
  if (!answer) return lose("a malformed CONNACK");
  if (answer->reason != 0) {
    lose("");
    if (!is_put_off(answer->reason)) state_ = state::refused;
    return;
  }
  receive_maximum_ = answer->receive_maximum;
  mail_ = acknowledgements_ = {};
  if (settings_.filters.empty()) {
    state_ = state::ready;
    return;
  }
  state_ = state::subscribing;
  append_subscribe(output(), settings_.version, subscribe_id, settings_.filters, settings_.filter_qos);
}

// MQTT confirms publishes at QoS 1 in their order.
void client::handle_puback(const packet_view& packet) {
  const auto answer = read_puback(packet);
  if (!answer) return lose("a malformed PUBACK");
  const bool is_mail = answer->packet_id < first_acknowledgement_id;
  auto& kind = is_mail ? mail_ : acknowledgements_;
  const auto expected = id_of(is_mail ? 1 : first_acknowledgement_id, kind.confirmed);
  if (kind.underway() == 0 || answer->packet_id != expected) return lose("a PUBACK out of order");
  ++kind.confirmed;
  if (is_mail) events_.on_confirmed();
  if (answer->reason >= 0x80) events_.on_refused();
}

void client::publish(counters& kind, std::uint16_t first_id, std::string_view topic, std::string_view payload,
                     std::uint8_t qos) {
  append_publish(output(), settings_.version,
                 {.topic = topic,
                  .payload = payload,
                  .packet_id = qos > 0 ? id_of(first_id, kind.sent) : std::uint16_t{0},
                  .qos = qos});
  if (qos > 0) ++kind.sent;
}

void client::publish_mail(std::string_view topic, std::string_view payload, std::uint8_t qos) {
  publish(mail_, 1, topic, payload, qos);
}

void client::publish_acknowledgement(std::string_view topic, std::string_view payload, std::uint8_t qos) {
  publish(acknowledgements_, first_acknowledgement_id, topic, payload, qos);
}

}  // namespace restante::bench
