// restante-bridge as a child process, with all that it needs in its environment.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "support/free_port.h"
#include "support/postgres_server.h"
#include "support/process.h"
#include "support/stream/stand_in_process.h"
#include "support/temporary_directory.h"

namespace restante::bridge_system {

// Killed with this object. Not thread-safe.
class bridge_program {
 public:
  using variables = std::map<std::string, std::string>;

  // `more` replaces or adds to the usual: the stand-in, that database, no MQTT, a short lease.
  bridge_program(const stream_stand_in::stand_in_process& stream, const support::database& mail,
                 const std::string& name, const variables& more = {});

  void start();  // again, after kill()
  void kill();   // SIGKILL
  int stop();    // SIGTERM; its exit code. Throws failure when it takes 5 s
  pid_t pid() const { return running_->pid(); }
  std::string log() const;  // of all starts
  std::size_t resident_memory_bytes() const;

 private:
  support::free_port port_;
  variables environment_;
  support::temporary_directory directory_;
  int starts_ = 0;
  std::unique_ptr<support::process> running_;
};

}  // namespace restante::bridge_system
