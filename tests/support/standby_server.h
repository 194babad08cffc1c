// A synchronous standby of a postgres_server, which can take over.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "support/postgres_server.h"
#include "support/process.h"
#include "support/temporary_directory.h"

namespace restante::support {

// Follows a primary as its synchronous standby, until it is promoted. Every step that does not happen throws
// failure.
class standby_server {
 public:
  // Returns when the primary waits for it with each commit.
  explicit standby_server(postgres_server& primary);

  void freeze();
  void thaw();
  void promote();  // returns when it takes writes

  std::string host() const { return directory_.path().string(); }

 private:
  std::filesystem::path data() const { return directory_.path() / "data"; }
  void for_each_child(int signal);

  const std::string user_;
  temporary_directory directory_;
  std::unique_ptr<process> server_;
};

}  // namespace restante::support
