#include "support/stream/sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <filesystem>
#include <string>

namespace restante::stream_stand_in {

void hang_up(int own_port, int client_port) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int descriptor = std::stoi(entry.path().filename().string());
    sockaddr_in own{}, client{};
    socklen_t own_size = sizeof own, client_size = sizeof client;
    if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&own), &own_size) != 0 ||
        own.sin_family != AF_INET || ntohs(own.sin_port) != own_port ||
        getpeername(descriptor, reinterpret_cast<sockaddr*>(&client), &client_size) != 0) {
      continue;
    }
    if (client_port == 0 || ntohs(client.sin_port) == client_port) shutdown(descriptor, SHUT_RDWR);
  }
}

}  // namespace restante::stream_stand_in
