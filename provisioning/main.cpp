// restante: the operator's command line.
#include <cstdlib>
#include <exception>
#include <iostream>

#include "verbs.h"

namespace restante {
namespace {

int say(const outcome& how) {
  if (!how.error.empty()) std::cerr << "restante: " << printable(how.error) << '\n';
  return static_cast<int>(how.code);
}

outcome run(const command& given) {
  const output to(given.as_json);
  auto opened = connection::open({.database = given.database,
                                  .application_name = "restante",
                                  .statement_timeout = given.statement_timeout});
  if (!opened) {
    return given.run_unconnected ? given.run_unconnected(opened.error(), to) : failed(opened.error());
  }
  outcome how = given.run(*opened, to);
  std::cout.flush();
  if (!std::cout && how.code == exit_code::done) return refused("cannot write to standard output");
  return how;
}

int main_of(int argc, char** argv) {
  CLI::App app("Restante keeps MQTT messages until they are acknowledged. This is its operator's tool.",
               "restante");
  command given;
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", RESTANTE_VERSION);
  app.add_option("--database", given.database,
                 "libpq's conninfo or URI; otherwise RESTANTE_DATABASE, otherwise libpq's own variables")
      ->envname("RESTANTE_DATABASE");
  app.add_flag("--json", given.as_json, "Print JSON");
  app.footer("Exit codes: 0 done, 1 refused, 2 wrong usage, 3 database unreachable.");
  add_migrate(app, given);
  add_doctor(app, given);
  add_mail_verbs(app, given);
  add_user_verbs(app, given);
  add_group_verbs(app, given);
  add_rule_verbs(app, given);
  add_service_verbs(app, given);
  add_bridge_verbs(app, given);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return say({exit_code::usage, std::string(error.what()) + "; see `restante --help`"});
  }
  return say(run(given));
}

}  // namespace
}  // namespace restante

int main(int argc, char** argv) try {
  return restante::main_of(argc, argv);
} catch (const std::exception& error) {
  std::cerr << "restante: " << error.what() << '\n';
  return 1;
}
