// A PostgreSQL of the tests' own, on a Unix socket, as an unprivileged user when the tests run as root.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "support/process.h"
#include "support/temporary_directory.h"

namespace restante::support {

// Where a program of PostgreSQL is: initdb, postgres, psql, pg_isready.
std::filesystem::path postgres_program(const std::string& name);

// How to reach a database, as libpq's connection strings.
struct database {
  std::string name;
  std::string
      owner;  // owns the database and may make roles, but is no superuser: what `restante migrate` needs
  std::string broker;  // the plugin's login: has the role restante_broker (once migrated) and nothing else
  std::string bridge;  // the bridge's login: likewise, with restante_bridge
};

// What a fresh database begins with. Done once for a server, on a template that each new database then
// copies.
struct recipe {
  std::string name;  // of the template
  std::function<void(const database&)> prepare;
};

// The schema, by the built `restante migrate`.
const recipe& migrated();

// Keeps a stopped cluster in the build folder, with the databases of these recipes. Until the programs that
// made it change, postgres_server starts on a copy of it, which takes a fifth of the time that making one
// does.
void keep_cluster(const std::vector<const recipe*>& recipes);

// A cluster that lives as long as this object. Not thread-safe. Every step that does not happen throws
// failure.
class postgres_server {
 public:
  // `settings`: further lines of postgresql.conf. Nothing is synced to disk unless they say so.
  explicit postgres_server(const std::vector<std::string>& settings = {});
  ~postgres_server();

  database create_database();                   // empty
  database create_database(const recipe& how);  // a copy of what `how` prepares

  void stop();    // as an operator does: sessions are closed, then it ends
  void kill();    // as a crash does: every process of it at once
  void start();   // again, after stop() or kill(); returns when it takes connections
  void freeze();  // it holds its connections and answers nothing
  void thaw();

  std::string superuser(const std::string& database_name = "postgres") const;
  std::string log_text() const;

 private:
  friend void keep_cluster(const std::vector<const recipe*>& recipes);
  void make_cluster();
  bool copy_kept_cluster();
  void keep() const;
  void make_template(const recipe& how);
  std::filesystem::path data() const { return directory_.path() / "data"; }
  std::vector<pid_t> processes() const;
  database describe(const std::string& name) const;

  std::string user_;
  temporary_directory directory_;
  std::unique_ptr<process> server_;
  std::set<std::string> templates_;
  int created_ = 0;
};

// One for the whole test executable, started when it is first wanted. Tests that stop or freeze the server
// use one of their own instead.
postgres_server& shared_postgres();

// Runs SQL by psql and returns its rows, one a line, columns separated by |. Throws failure with psql's
// message.
std::string query(const std::string& conninfo, const std::string& sql);

}  // namespace restante::support
