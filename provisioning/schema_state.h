// How a database stands to the migrations of this program.
#pragma once

#include <string>
#include <vector>

#include "migrations.h"
#include "postgres/connection.h"

namespace restante {

struct schema_state {
  std::vector<migration> missing;  // to be applied, in order
  int version = 0;                 // of the last one applied
  std::string problem;             // not empty: this program must not touch this database, and why
};

result<schema_state> read_schema_state(connection& from);

// 0001_accounts's checksum is that of its text.
std::string checksum_of(const migration& which);

}  // namespace restante
