// How a verb ended, and the exit codes that scripts rely on.
#pragma once

#include <string>

#include "postgres/result.h"

namespace restante {

enum class exit_code : int {
  done = 0,
  refused = 1,      // understood, and not done
  usage = 2,        // the command line itself is wrong
  unreachable = 3,  // no connection to the database
};

struct [[nodiscard]] outcome {
  exit_code code = exit_code::done;
  std::string error;  // one line for the operator: what is wrong, and what to do
};

inline outcome done() { return {}; }
inline outcome refused(std::string error) { return {exit_code::refused, std::move(error)}; }

// What a failure of the database means to an operator.
outcome failed(const database_error& error);

}  // namespace restante
