#include "postgres/describe_error.h"

namespace restante {

std::string describe(const database_error& error) {
  std::string line = error.message;
  if (error.sqlstate == "42P01" || error.sqlstate == "42883" || error.sqlstate == "3F000") {
    line += ": the database lacks what this version needs, run `restante migrate`";
  } else if (error.sqlstate == "42501") {
    line += ": grant the role restante_broker to the broker's login";
  } else if (error.sqlstate == "25006") {
    line += ": this is a standby, which takes no mail";
  }
  return line;
}

}  // namespace restante
