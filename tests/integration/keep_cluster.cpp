// Makes the PostgreSQL cluster that every test starts on a copy of. CTest runs it first.
#include <exception>
#include <iostream>

#include "support/post_office_fixture.h"
#include "support/postgres_server.h"

int main() {
  using namespace restante::support;
  try {
    keep_cluster({&migrated(), &furnished()});
    return 0;
  } catch (const std::exception& problem) {
    std::cerr << problem.what() << "\n";
    return 1;
  }
}
