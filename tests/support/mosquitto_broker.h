// A Mosquitto of a test's own, on a free loopback port.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/free_port.h"
#include "support/process.h"
#include "support/temporary_directory.h"

namespace restante::support {

struct broker_settings {
  bool plugin = true;  // load mosquitto_restante.so; without it, anybody may do anything
  std::map<std::string, std::string> options{};  // plugin_opt_NAME VALUE
  bool persistence = false;
  bool websocket = false;              // a second listener, for MQTT over WebSocket
  bool per_listener_settings = false;  // the plugin belongs to the first listener alone
  std::vector<std::string> lines{};    // further lines of mosquitto.conf, before the listeners
  std::string preload{};               // a library that is loaded before all others
};

// The program is $MOSQUITTO, else /usr/sbin/mosquitto. Its log has every type of line. Not thread-safe.
class mosquitto_broker {
 public:
  explicit mosquitto_broker(const broker_settings& settings);  // starts it

  // Starts it, on the same port and persistence directory as ever, and waits until it says that it runs.
  // Throws failure with its log when it ends instead.
  void start();
  void stop();                                      // SIGTERM: it saves its sessions, if persistent
  void kill();                                      // SIGKILL
  void restart();                                   // stop and start
  void configure(const broker_settings& settings);  // for the next start

  // Starts what should refuse to start, waits until it has ended, and returns its exit code.
  static int start_and_end(const broker_settings& settings, std::string& log);

  int port() const { return port_.number(); }
  int websocket_port() const { return websocket_port_.number(); }
  bool started() const;  // and neither stopped nor killed since, by us
  bool running();
  pid_t pid() const;
  std::size_t resident_memory_bytes() const;

  std::filesystem::path journal() const {
    return directory_.path() / "journal";
  }  // unless an option says else

  std::string log_text() const;  // of all starts
  // Waits until the log has `text`, beyond the first `from` bytes of it; throws failure if it does not come.
  void wait_for_log(const std::string& text, std::size_t from = 0) const;

 private:
  struct unstarted {};
  mosquitto_broker(const broker_settings& settings, unstarted);
  void launch();

  temporary_directory directory_;
  free_port port_;
  free_port websocket_port_;
  std::string preload_;
  std::unique_ptr<process> server_;
};

}  // namespace restante::support
