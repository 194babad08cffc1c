#include "support/mosquitto_broker.h"

#include <unistd.h>

#include <cstdlib>
#include <regex>
#include <sstream>

#include "support/eventually.h"
#include "support/failure.h"

namespace restante::support {
namespace {

std::string mosquitto_program() {
  const char* chosen = std::getenv("MOSQUITTO");
  return chosen != nullptr ? chosen : "/usr/sbin/mosquitto";
}

// Whether a sanitizer's report of leaks at the end has one with the plugin in its stack, which is unloaded by
// then.
bool plugin_leaks(const std::string& log) {
  for (std::size_t at = log.find(" leak of "); at != std::string::npos;) {
    const std::size_t next = log.find(" leak of ", at + 1);
    const std::string one = log.substr(at, next == std::string::npos ? next : next - at);
    if (one.find("<unknown module>") != std::string::npos || one.find("restante") != std::string::npos)
      return true;
    at = next;
  }
  return false;
}

}  // namespace

mosquitto_broker::mosquitto_broker(const broker_settings& settings, unstarted) { configure(settings); }

mosquitto_broker::mosquitto_broker(const broker_settings& settings)
    : mosquitto_broker(settings, unstarted{}) {
  start();
}

int mosquitto_broker::start_and_end(const broker_settings& settings, std::string& log) {
  mosquitto_broker broker(settings, unstarted{});
  broker.launch();
  const std::optional<int> exit_code = broker.server_->wait(patience);
  log = broker.log_text();
  if (!exit_code) throw failure("Mosquitto started after all: " + log);
  return *exit_code;
}

void mosquitto_broker::configure(const broker_settings& settings) {
  std::ostringstream text;
  text << "log_dest stderr\nlog_type all\nlog_timestamp_format %H:%M:%S\n";
  if (geteuid() == 0) text << "user root\n";  // else it becomes a user who may not read what root has built
  if (settings.persistence) {
    text << "persistence true\npersistence_location " << directory_.path().string() << "/\n";
  }
  for (const std::string& line : settings.lines) text << line << "\n";
  const std::string listener = "listener " + std::to_string(port()) + " 127.0.0.1\n";
  if (settings.per_listener_settings) text << "per_listener_settings true\n" << listener;
  if (settings.plugin) {
    text << "allow_anonymous false\nplugin " << RESTANTE_PLUGIN << "\n";
    if (!settings.options.contains("journal")) text << "plugin_opt_journal " << journal().string() << "\n";
    for (const auto& [name, value] : settings.options) text << "plugin_opt_" << name << " " << value << "\n";
  } else {
    text << "allow_anonymous true\n";
  }
  if (!settings.per_listener_settings) text << listener;
  if (settings.websocket) text << "listener " << websocket_port() << " 127.0.0.1\nprotocol websockets\n";
  write_file(directory_.path() / "mosquitto.conf", text.str());
  preload_ = settings.preload;
}

void mosquitto_broker::launch() {
  program what{.arguments = {mosquitto_program(), "-c", directory_.path() / "mosquitto.conf"},
               .output = directory_.path() / "log"};
  if (!preload_.empty()) what.environment["LD_PRELOAD"] = preload_;
  if (const std::string preload = RESTANTE_MOSQUITTO_PRELOAD; !preload.empty()) {
    what.environment["LD_PRELOAD"] = preload + " " + preload_;
    // Errors end it at once. Leaks do not make it fail, since it has some of its own: see plugin_leaks(), for
    // which stacks must be true, and as long as they are below libpq. Longer ones are slow: with the ten
    // thousands of allocations for the certificates of a WebSocket listener, seconds. Little is kept from
    // reuse, so that its memory still tells something.
    what.environment["ASAN_OPTIONS"] =
        "abort_on_error=1:fast_unwind_on_malloc=0:malloc_context_size=10:quarantine_size_mb=2";
    what.environment["LSAN_OPTIONS"] = "exitcode=0";
  }
  server_ = std::make_unique<process>(what);
}

void mosquitto_broker::start() {
  const std::size_t before = log_text().size();
  launch();
  const std::regex running_line("mosquitto version [^ ]+ running");  // after all listeners are open
  const bool ready = eventually(
      [&] { return !server_->running() || std::regex_search(log_text().substr(before), running_line); });
  if (!ready || !server_->running()) throw failure("Mosquitto does not start: " + log_text());
}

void mosquitto_broker::stop() {
  if (!server_) throw failure("Mosquitto was stopped already");
  server_->signal(SIGTERM);
  const std::optional<int> exit_code = server_->wait(patience);
  server_.reset();
  if (!exit_code) throw failure("Mosquitto does not stop: " + log_text());
  if (*exit_code != 0) {
    throw failure("Mosquitto ended with " + std::to_string(*exit_code) + ": " + log_text());
  }
  if (plugin_leaks(log_text())) throw failure("the plugin leaks: " + log_text());
}

void mosquitto_broker::kill() { server_.reset(); }

void mosquitto_broker::restart() {
  stop();
  start();
}

bool mosquitto_broker::started() const { return server_ != nullptr; }

bool mosquitto_broker::running() { return server_ && server_->running(); }

pid_t mosquitto_broker::pid() const {
  if (!server_) throw failure("Mosquitto does not run");
  return server_->pid();
}

std::size_t mosquitto_broker::resident_memory_bytes() const {
  std::istringstream statm(read_file("/proc/" + std::to_string(pid()) + "/statm"));
  std::size_t total_pages = 0;
  std::size_t resident_pages = 0;
  if (!(statm >> total_pages >> resident_pages)) throw failure("Mosquitto is gone: " + log_text());
  return resident_pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

std::string mosquitto_broker::log_text() const { return read_file(directory_.path() / "log"); }

void mosquitto_broker::wait_for_log(const std::string& text, std::size_t from) const {
  if (eventually([&] { return log_text().find(text, from) != std::string::npos; })) return;
  throw failure("Mosquitto's log never says \"" + text + "\": " + log_text());
}

}  // namespace restante::support
