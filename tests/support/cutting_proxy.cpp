#include "support/cutting_proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string_view>

#include "support/failure.h"

namespace restante::support {
namespace {

sockaddr_un address_in(const std::string& directory) {
  sockaddr_un made{};
  made.sun_family = AF_UNIX;
  const std::string path = directory + "/.s.PGSQL.5432";
  if (path.size() >= sizeof made.sun_path) throw failure("too long a path: " + path);
  std::memcpy(made.sun_path, path.c_str(), path.size() + 1);
  return made;
}

int make_socket() {
  const int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made < 0) throw failure("no socket to be had");
  return made;
}

// False when either side has ended.
bool pass_on(int from, int to, std::string_view& passed) {
  static thread_local std::array<char, 65'536> buffer;
  const ssize_t size = recv(from, buffer.data(), buffer.size(), 0);
  if (size <= 0) return false;
  passed = {buffer.data(), static_cast<std::size_t>(size)};
  for (std::string_view left = passed; !left.empty();) {
    const ssize_t sent = send(to, left.data(), left.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    left.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

cutting_proxy::cutting_proxy(std::string server) : server_(std::move(server)), listener_(make_socket()) {
  const sockaddr_un here = address_in(directory_.path().string());
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 ||
      listen(listener_, 8) != 0) {
    throw failure("the proxy cannot listen");
  }
  thread_ = std::thread([this] { serve(); });
}

cutting_proxy::~cutting_proxy() {
  ends_ = true;
  thread_.join();
  close(listener_);
}

void cutting_proxy::serve() {
  while (!ends_) {
    pollfd watched{listener_, POLLIN, 0};
    if (poll(&watched, 1, 20) <= 0) continue;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    relays_.emplace_back([this, client] {
      const int server = make_socket();
      const sockaddr_un there = address_in(server_);
      if (connect(server, reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0) {
        relay(client, server);
      }
      close(client);
      close(server);
    });
  }
  for (auto& each : relays_) each.join();
}

void cutting_proxy::relay(int client, int server) {
  // The statement that a batch ends with, and the message after which it is committed.
  constexpr std::string_view mark = "mark_stored_through", sync("S\0\0\0\4", 5);
  bool is_marked = false, loses_answer = false;
  while (!ends_) {
    pollfd watched[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    if (poll(watched, 2, 20) <= 0) continue;
    std::string_view passed;
    if (watched[0].revents != 0) {
      if (!pass_on(client, server, passed)) return;
      is_marked = is_marked || passed.find(mark) != std::string_view::npos;
      if (!passed.ends_with(sync)) continue;
      loses_answer = cuts_ && is_marked;
      is_marked = false;
    }
    if (watched[1].revents == 0) continue;
    if (loses_answer) {
      cuts_ = false;
      ++done_;
      return;
    }
    if (!pass_on(server, client, passed)) return;
  }
}

}  // namespace restante::support
