#include "outcome.h"

namespace restante {

outcome failed(const database_error& error) {
  switch (error.kind) {
    case database_failure::unreachable:
      return {exit_code::unreachable,
              "cannot reach the database: " + error.message +
                  "; name it by --database, RESTANTE_DATABASE or libpq's own variables"};
    case database_failure::refused_login:
      return {exit_code::unreachable, "the database refuses the connection: " + error.message +
                                          "; check the user, the password and the database's name"};
    case database_failure::conflict:
      return refused("the database is busy: " + error.message + "; try again");
    case database_failure::data:
      return refused("the database refuses a value: " + error.message);
    case database_failure::other:
      break;
  }
  const std::string_view state = error.sqlstate;
  // A missing schema, table, function or column.
  if (state == "3F000" || state == "42P01" || state == "42883" || state == "42703") {
    return refused("the database has no current Restante schema (" + error.message +
                   "); run `restante migrate`");
  }
  if (state == "42501") {
    return refused("the database login lacks a right: " + error.message +
                   "; use the login that runs `restante migrate`");
  }
  return refused("the database says: " + error.message +
                 (state.empty() ? "" : " (SQLSTATE " + error.sqlstate + ")"));
}

}  // namespace restante
