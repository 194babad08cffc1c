#include "bridge/small_http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "support/failure.h"

namespace restante {

small_http_server::small_http_server(handler how) : how_(std::move(how)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (listener_ < 0 || bind(listener_, generic, length) != 0 || listen(listener_, 16) != 0 ||
      getsockname(listener_, generic, &length) != 0) {
    throw support::failure("cannot listen on loopback");
  }
  port_ = ntohs(address.sin_port);
  accepting_ = std::thread([this] { accept_all(); });
}

small_http_server::~small_http_server() {
  stopping_ = true;
  shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int each : open_) shutdown(each, SHUT_RDWR);
  }
  for (std::thread& each : serving_) each.join();
  for (const int each : open_) close(each);
  close(listener_);
}

void small_http_server::accept_all() {
  while (!stopping_) {
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    ++connections_;
    const std::lock_guard lock(mutex_);
    open_.push_back(connection);
    serving_.emplace_back([this, connection] { serve(connection); });
  }
}

void small_http_server::serve(int connection) {
  std::string got;
  char bytes[65'536];
  for (;;) {
    std::size_t end = 0;
    for (;;) {
      const std::size_t headers = got.find("\r\n\r\n");
      if (headers != std::string::npos) {
        const std::size_t length = got.find("Content-Length: ");
        end = headers + 4 + (length < headers ? std::strtoul(got.c_str() + length + 16, nullptr, 10) : 0);
        if (got.size() >= end) break;
      }
      const ssize_t count = recv(connection, bytes, sizeof bytes, 0);
      if (count <= 0) return;
      got.append(bytes, static_cast<std::size_t>(count));
    }
    const std::string request = got.substr(0, end);
    got.erase(0, end);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const reply answer = how_(request);
    if (answer.is_silent) {
      while (recv(connection, bytes, sizeof bytes, 0) > 0) continue;
      return;
    }
    for (std::size_t sent = 0; sent < answer.bytes.size();) {
      const ssize_t count =
          send(connection, answer.bytes.data() + sent, answer.bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return;
      sent += static_cast<std::size_t>(count);
    }
    if (answer.hangs_up) {
      shutdown(connection, SHUT_RDWR);
      return;
    }
  }
}

std::vector<std::string> small_http_server::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

small_http_server::reply small_http_server::ok(const std::string& body, const std::string& headers) {
  return {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers +
                   "\r\n" + body};
}

}  // namespace restante
