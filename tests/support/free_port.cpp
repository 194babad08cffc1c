#include "support/free_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <string>

#include "support/failure.h"

namespace restante::support {
namespace {

constexpr int first_port = 18'000;
constexpr int port_count = 10'000;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int claim(int port) {
  const std::string name = "restante-test-port-" + std::to_string(port);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) throw failure("cannot make a socket");
  if (bind(descriptor, reinterpret_cast<const sockaddr*>(&address), length) == 0) return descriptor;
  close(descriptor);
  return -1;
}

bool can_listen(int port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) throw failure("cannot make a socket");
  const int yes = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes,
             sizeof yes);  // as servers do: not stopped by TIME_WAIT
  const sockaddr_in address = loopback(port);
  const bool free = bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                    listen(descriptor, 1) == 0;
  close(descriptor);
  return free;
}

}  // namespace

free_port::free_port() {
  const int start = static_cast<int>(getpid()) * 7 % port_count;
  for (int step = 0; step < port_count; ++step) {
    const int candidate = first_port + (start + step) % port_count;
    claim_ = claim(candidate);
    if (claim_ < 0) continue;
    if (can_listen(candidate)) {
      number_ = candidate;
      return;
    }
    close(claim_);
  }
  throw failure("no free port");
}

free_port::~free_port() { close(claim_); }

}  // namespace restante::support
