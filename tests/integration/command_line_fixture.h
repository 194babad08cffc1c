// Runs the built `restante` against a migrated database of the test's own.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/failure.h"
#include "support/postgres_server.h"
#include "support/process.h"

namespace restante {

using support::finished;
using json = nlohmann::ordered_json;

constexpr int done = 0, refused = 1, usage = 2, unreachable = 3;

inline std::vector<std::string> with_program(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), RESTANTE_PROGRAM);
  return arguments;
}

inline finished restante(const std::string& database, std::vector<std::string> arguments,
                         const std::string& input = "") {
  return support::run(
      {.arguments = with_program(std::move(arguments)), .environment = {{"RESTANTE_DATABASE", database}}},
      input);
}

class command_line : public testing::Test {
 protected:
  finished restante(std::vector<std::string> arguments, const std::string& input = "") {
    return restante::restante(database_.owner, std::move(arguments), input);
  }

  // What must succeed.
  std::string must(std::vector<std::string> arguments, const std::string& input = "") {
    const finished ended = restante(std::move(arguments), input);
    if (ended.exit_code != done) throw support::failure(ended.output);
    return ended.output;
  }

  json must_json(std::vector<std::string> arguments) {
    arguments.emplace_back("--json");
    return json::parse(must(std::move(arguments)));
  }

  void expect(int exit_code, const std::string& words, std::vector<std::string> arguments,
              const std::string& input = "") {
    std::string shown;
    for (const std::string& each : arguments) shown += " " + each;
    const finished ended = restante(std::move(arguments), input);
    EXPECT_EQ(ended.exit_code, exit_code) << shown << "\n" << ended.output;
    EXPECT_THAT(ended.output, testing::HasSubstr(words)) << shown;
    EXPECT_EQ(std::ranges::count(ended.output, '\n'), 1) << "not one line: " << ended.output;
  }

  std::string sql(const std::string& text) { return support::query(database_.owner, text); }

  support::database database_ = support::shared_postgres().create_database(support::migrated());
};

}  // namespace restante
