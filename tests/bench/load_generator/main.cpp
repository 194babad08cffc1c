// load_generator SCENARIO [OPTIONS]: puts load on a broker and prints one JSON object. See --help and
// ../README.md.
#include <CLI/CLI.hpp>

#include <exception>
#include <iostream>
#include <map>
#include <string>

#include "clock.h"
#include "heartbeat.h"
#include "scenarios.h"

namespace {

using namespace restante::bench;

void add_options(CLI::App& program, settings& how) {
  program.add_option("--port", how.port, "the broker's, on loopback");
  program.add_option("--broker", how.broker, "its process id, to report its processor time");
  program.add_option("--password", how.password, "of all accounts; none: no login");
  program.add_option("--mqtt", how.version, "4: MQTT 3.1.1, 5")
      ->transform(CLI::Transformer(
          std::map<std::string, mqtt_version>{{"4", mqtt_version::v311}, {"5", mqtt_version::v5}}));
  program.add_option("--run", how.run, "ten characters that begin all message ids");
  program.add_option("--first-account", how.first_account,
                     "accounts are user-00000 and so on, from this one");
  program.add_option("--senders", how.senders)->check(CLI::PositiveNumber);
  program.add_option("--recipients", how.recipients)->check(CLI::PositiveNumber);
  program.add_option("--group", how.group);
  program.add_option("--connect-parallel", how.connect_parallel)->check(CLI::PositiveNumber);
  program.add_option("--qos", how.qos)->check(CLI::Range(0, 1));
  program.add_option("--payload-bytes", how.payload_bytes);
  program.add_option("--per-recipient", how.per_recipient, "messages for each; 0: for --seconds");
  program.add_option("--inflight", how.inflight, "publishes of a client without PUBACK")
      ->check(CLI::Range(1, 1000));
  program.add_option("--underway", how.underway, "messages of a sender that were not delivered yet");
  program.add_option("--rate", how.rate, "messages a second in all; 0: as many as possible");
  program.add_option("--acknowledge", how.acknowledge)
      ->transform(
          CLI::Transformer(std::map<std::string, acknowledge_by>{{"lines", acknowledge_by::lines},
                                                                 {"receipt", acknowledge_by::receipt},
                                                                 {"nothing", acknowledge_by::nothing}}));
  program.add_option("--lines", how.lines, "most in one acknowledging publish")->check(CLI::Range(1, 500));
  program.add_option("--acknowledge-qos", how.acknowledge_qos)->check(CLI::Range(0, 1));
}

// Options in seconds and milliseconds.
struct times {
  double seconds = 5, warm_up_seconds = 1, patience_seconds = 120, acknowledge_after_ms = 10, tick_ms = 2,
         every_ms = 5;

  void add_to(CLI::App& program) {
    program.add_option("--seconds", seconds, "how long it is measured");
    program.add_option("--warm-up", warm_up_seconds, "seconds before that");
    program.add_option("--patience", patience_seconds, "seconds that logins and the last message may take");
    program.add_option("--acknowledge-after-ms", acknowledge_after_ms, "no line waits longer for others");
    program.add_option("--tick-ms", tick_ms, "time between two rounds; 0: none");
    program.add_option("--every-ms", every_ms, "time between two heartbeats");
  }
  static std::int64_t ns(double value, std::int64_t unit_ns) {
    return static_cast<std::int64_t>(value * static_cast<double>(unit_ns));
  }
  void write(settings& how) const {
    how.time_ns = ns(seconds, second_ns);
    how.warm_up_ns = ns(warm_up_seconds, second_ns);
    how.patience_ns = ns(patience_seconds, second_ns);
    how.acknowledge_after_ns = ns(acknowledge_after_ms, millisecond_ns);
    how.tick_ns = ns(tick_ms, millisecond_ns);
  }
};

}  // namespace

int main(int argc, char** argv) try {
  settings how;
  times given;
  CLI::App program("Puts load on an MQTT broker and prints what came of it as one JSON object.");
  add_options(program, how);
  given.add_to(program);
  program.require_subcommand(1);
  program.fallthrough();
  const auto* ring = program.add_subcommand("ring", "each of --senders sends to the next");
  const auto* offline = program.add_subcommand("offline", "to accounts that are away");
  const auto* drain = program.add_subcommand("drain", "which then come back");
  const auto* group = program.add_subcommand("group", "one member to all others");
  const auto* heartbeat = program.add_subcommand("heartbeat", "pings, beside any other load");
  CLI11_PARSE(program, argc, argv);
  given.write(how);
  const auto began_ns = now_ns();

  nlohmann::json report;
  if (ring->parsed()) report = run_ring(how);
  if (offline->parsed()) report = run_offline(how);
  if (drain->parsed()) report = run_drain(how);
  if (group->parsed()) report = run_group(how);
  if (heartbeat->parsed()) report = run_heartbeat(how, times::ns(given.every_ms, millisecond_ns));
  report["took_seconds"] = static_cast<double>(now_ns() - began_ns) / static_cast<double>(second_ns);
  std::cout << report.dump() << '\n';
  return 0;
} catch (const std::exception& error) {
  std::cerr << "load_generator: " << error.what() << '\n';
  return 1;
}
