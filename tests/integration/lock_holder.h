// Another session that stands in the way: its transaction stays open until it is let go.
#pragma once

#include <string>

#include "postgres/connection.h"
#include "support/failure.h"

namespace restante {

class lock_holder {
 public:
  lock_holder(const std::string& database, const std::string& statement)
      : connection_(connection::open({.database = database}).value()) {
    if (!connection_.execute_script("begin; " + statement).ok()) throw support::failure("no lock to be had");
  }
  void let_go() { static_cast<void>(connection_.execute_script("rollback")); }
  void commit() {
    if (!connection_.execute_script("commit").ok()) throw support::failure("it was not committed");
  }

 private:
  connection connection_;
};

}  // namespace restante
