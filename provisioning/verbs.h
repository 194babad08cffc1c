// The verbs: each file adds its own to the command line, and sets what is to be run when one was given.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>

#include "outcome.h"
#include "output.h"
#include "postgres/connection.h"

namespace restante {

struct command {
  std::string database;
  bool as_json = false;

  // Set by the verb that was given.
  std::function<outcome(connection&, const output&)> run;
  // What to do when there is no connection, for a verb with something to say about it.
  std::function<outcome(const database_error&, const output&)> run_unconnected;
  std::chrono::milliseconds statement_timeout = std::chrono::minutes(1);
};

// `to` and `given` must outlive the parsing and the running.
void add_migrate(CLI::App& to, command& given);
void add_doctor(CLI::App& to, command& given);
void add_user_verbs(CLI::App& to, command& given);
void add_group_verbs(CLI::App& to, command& given);
void add_rule_verbs(CLI::App& to, command& given);
void add_service_verbs(CLI::App& to, command& given);
void add_mail_verbs(CLI::App& to, command& given);  // queue, dead, stats
void add_bridge_verbs(CLI::App& to, command& given);

}  // namespace restante
