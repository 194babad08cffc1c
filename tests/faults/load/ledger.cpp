#include "load/ledger.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

namespace restante::faults {
namespace {

constexpr std::size_t most_at_once_bytes = 1U << 20;

bool write_all(int file, const char* from, std::size_t count) {
  while (count > 0) {
    const ssize_t written = ::write(file, from, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    from += written;
    count -= static_cast<std::size_t>(written);
  }
  return true;
}

// The other process. Its answers are totals, so that one that does not fit is told by the next.
[[noreturn]] void keep_ledger(int socket, const char* name) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int file = ::open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) ::_exit(1);
  static std::array<char, most_at_once_bytes> buffer;
  std::uint64_t total_bytes = 0;
  for (;;) {
    const ssize_t count = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) ::_exit(count == 0 ? 0 : 1);
    if (!write_all(file, buffer.data(), static_cast<std::size_t>(count)) || ::fdatasync(file) != 0)
      ::_exit(1);
    total_bytes += static_cast<std::size_t>(count);
    if (::send(socket, &total_bytes, sizeof total_bytes, MSG_NOSIGNAL) != sizeof total_bytes) ::_exit(1);
  }
}

}  // namespace

ledger::ledger(const std::filesystem::path& file) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw std::runtime_error("no socket pair");
  writer_ = ::fork();
  if (writer_ < 0) throw std::runtime_error("cannot fork");
  if (writer_ == 0) {
    ::close(ends[0]);
    keep_ledger(ends[1], file.c_str());
  }
  ::close(ends[1]);
  socket_ = ends[0];
}

ledger::~ledger() {
  ::close(socket_);
  ::kill(writer_, SIGKILL);
  ::waitpid(writer_, nullptr, 0);
}

void ledger::add(const ledger_entry& entry) {
  output_.append(reinterpret_cast<const char*>(&entry), sizeof entry);
  ++added_;
}

bool ledger::receive(int flags) {
  std::uint64_t total_bytes = 0;
  const ssize_t count = ::recv(socket_, &total_bytes, sizeof total_bytes, flags);
  if (count == sizeof total_bytes) {
    synced_ = total_bytes / sizeof(ledger_entry);
    return true;
  }
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  throw std::runtime_error("the ledger's process has ended");
}

void ledger::exchange() {
  while (receive(MSG_DONTWAIT)) {
  }
  if (output_.empty()) return;
  const ssize_t sent = ::send(socket_, output_.data(), output_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && errno != EAGAIN && errno != EINTR)
    throw std::runtime_error("the ledger's process has ended");
  if (sent > 0) output_.erase(0, static_cast<std::size_t>(sent));
}

void ledger::finish() {
  while (!output_.empty()) {
    exchange();
    if (!output_.empty()) receive(0);
  }
  while (synced_ < added_) receive(0);
}

std::vector<ledger_entry> read_ledger(const std::filesystem::path& file) {
  std::vector<ledger_entry> entries(std::filesystem::file_size(file) / sizeof(ledger_entry));
  std::ifstream stream(file, std::ios::binary);
  const auto bytes = static_cast<std::streamsize>(entries.size() * sizeof(ledger_entry));
  if (!stream.read(reinterpret_cast<char*>(entries.data()), bytes)) {
    throw std::runtime_error("cannot read " + file.string());
  }
  return entries;
}

}  // namespace restante::faults
