#include "bridge/system/bridge_program.h"

#include <unistd.h>

#include <csignal>
#include <sstream>

#include "support/failure.h"

namespace restante::bridge_system {

bridge_program::bridge_program(const stream_stand_in::stand_in_process& stream, const support::database& mail,
                               const std::string& name, const variables& more)
    : environment_{{"RESTANTE_NAME", name},
                   {"RESTANTE_DATABASE", mail.bridge},
                   {"RESTANTE_MQTT_URI", ""},
                   {"RESTANTE_OBSERVE_LISTEN", "127.0.0.1:" + std::to_string(port_.number())},
                   {"RESTANTE_SYNC_LEASE", "10s"},
                   {"RESTANTE_SYNC_REQUEST_TIMEOUT", "4s"},
                   {"STREAM_API_KEY", stream.settings().api_key},
                   {"STREAM_API_SECRET", stream.settings().api_secret},
                   {"STREAM_BASE_URL", stream.url()}} {
  for (const auto& [variable, value] : more) environment_[variable] = value;
}

void bridge_program::start() {
  running_ = std::make_unique<support::process>(
      support::program{.arguments = {RESTANTE_BRIDGE_PROGRAM},
                       .environment = environment_,
                       .output = directory_.path() / ("log" + std::to_string(++starts_))});
}

void bridge_program::kill() { running_.reset(); }

int bridge_program::stop() {
  running_->signal(SIGTERM);
  const std::optional<int> code = running_->wait(std::chrono::seconds{5});
  if (!code) throw support::failure("restante-bridge did not end within 5 s: " + log());
  return *code;
}

std::string bridge_program::log() const {
  std::string all;
  for (int i = 1; i <= starts_; ++i)
    all += support::read_file(directory_.path() / ("log" + std::to_string(i)));
  return all;
}

std::size_t bridge_program::resident_memory_bytes() const {
  std::istringstream statm(support::read_file("/proc/" + std::to_string(pid()) + "/statm"));
  std::size_t total_pages = 0, resident_pages = 0;
  if (!(statm >> total_pages >> resident_pages)) throw support::failure("restante-bridge is gone: " + log());
  return resident_pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace restante::bridge_system
