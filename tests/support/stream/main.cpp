// stream_stand_in: see --help.
#include <pthread.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "support/stream/server.h"

namespace {

using namespace restante::stream_stand_in;

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string first_line(const std::string& text) { return text.substr(0, text.find_first_of("\r\n")); }

}  // namespace

int main(int argc, char** argv) try {
  CLI::App options(
      "A stand-in for Stream's server-side user API, in memory, on loopback. Prints the address that it "
      "listens on,\n"
      "then the address that it is steered by, and ends on SIGTERM.");
  int port = 0, control_port = 0;
  std::string api_key, secret_file, rate_limits = "default";
  options.add_option("--port", port, "Port; 0: any that is free");
  options.add_option("--control-port", control_port, "Port to steer it by; 0: any that is free");
  options.add_option("--api-key", api_key, "The key that requests must have")->required();
  options.add_option("--api-secret-file", secret_file, "File with the secret that signs tokens")->required();
  options.add_option("--rate-limits", rate_limits,
                     "off, default, or a JSON file {\"UpdateUsers\": requests a minute, ...}");
  CLI11_PARSE(options, argc, argv);

  // Before any thread begins, so that none of them is ended by it.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  service stream({api_key, first_line(read_file(secret_file))}, system_clock());
  const bool is_word = rate_limits == "off" || rate_limits == "default";
  stream.set_settings({{"rate_limits", is_word ? nlohmann::json(rate_limits)
                                               : nlohmann::json::parse(read_file(rate_limits))}});
  const server listening(stream, port, control_port);
  std::cout << listening.url() << '\n' << listening.control_url() << std::endl;
  int signal = 0;
  sigwait(&ends, &signal);
  stream.stop();
  return 0;
} catch (const std::exception& error) {
  std::cerr << "stream_stand_in: " << error.what() << '\n';
  return 1;
}
