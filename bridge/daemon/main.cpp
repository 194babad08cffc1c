// restante-bridge: see --help.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <csignal>
#include <exception>
#include <iostream>

#include "bridge/daemon/bridge_process.h"
#include "bridge/daemon/check.h"
#include "bridge/daemon/exit_code.h"

namespace restante {
namespace {

constexpr auto footer =
    "Options come from FILE and from the environment, which prevails: bridge/restante-bridge.toml names them "
    "all.\n"
    "Secrets: STREAM_API_SECRET, RESTANTE_MQTT_PASSWORD, RESTANTE_WEBHOOK_SECRET, or files.\n"
    "SIGTERM and SIGINT stop it within 5 seconds.\n"
    "Exit codes: 0 stopped, or all is well with --check; 1 refused: the configuration, or what --check "
    "tried;\n"
    "2 wrong usage; 3 with --check: the database cannot be reached.";

int say(const std::string& problem, bridge_exit code) {
  std::cerr << "restante-bridge: " << problem << '\n';
  return static_cast<int>(code);
}

std::string host_name() {
  char name[65] = {};
  if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "bridge";
  return name;
}

int run(const configuration& settings, std::vector<named_target> targets, const sigset_t& ends) {
  structured_log log(parse_log_level(settings.observe_log_level),
                     settings.observe_log_format == "json" ? log_format::json : log_format::logfmt,
                     {settings.stream_api_secret, settings.mqtt_password, settings.webhook_secret});
  const bridge_process running(settings, std::move(targets), log);
  int signal = 0;
  sigwait(&ends, &signal);
  const std::array fields{bridge_log::field{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}};
  log.write(bridge_log_level::info, "stopping", fields);
  return static_cast<int>(bridge_exit::done);
}

int main_of(int argc, char** argv) {
  CLI::App app("Keeps users' profiles in Stream and other services equal with those of Restante.",
               "restante-bridge");
  std::string file;
  bool checks = false;
  app.add_option("--config", file, "The configuration, in TOML")->type_name("FILE");
  app.add_flag("--check", checks, "Try everything, say what came of it, and change nothing");
  app.set_version_flag("--version", RESTANTE_VERSION);
  app.footer(footer);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return say(std::string(error.what()) + "; see `restante-bridge --help`", bridge_exit::usage);
  }

  // Before any thread begins, so that they all leave these to us.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  auto read = read_configuration(file, own_environment());
  if (const auto* wrong = std::get_if<configuration_error>(&read))
    return say(wrong->line, bridge_exit::refused);
  auto& settings = std::get<configuration>(read);
  if (settings.name.empty()) settings.name = host_name();
  const real_clock clock;
  auto made = make_targets(settings, clock);
  if (const auto* wrong = std::get_if<std::string>(&made)) return say(*wrong, bridge_exit::refused);
  auto& targets = std::get<std::vector<named_target>>(made);
  if (checks) {
    std::cout << "configuration: good\n";
    return static_cast<int>(check(settings, targets, std::cout));
  }
  return run(settings, std::move(targets), ends);
}

}  // namespace
}  // namespace restante

int main(int argc, char** argv) try {
  return restante::main_of(argc, argv);
} catch (const std::exception& error) {
  std::cerr << "restante-bridge: " << error.what() << '\n';
  return 1;
}
