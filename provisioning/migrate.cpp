// restante migrate: brings the schema up to what this program knows.
#include <string>

#include "schema_state.h"
#include "verbs.h"

namespace restante {
namespace {

constexpr int oldest_server_version = 130'000;

outcome lock(connection& to) {
  if (auto set = to.execute_script("set lock_timeout = '60s'"); !set) return failed(set.error());
  // Held by the session, over all the migrations' transactions.
  auto locked = to.execute("select pg_advisory_lock(hashtextextended('restante migrate', 0))");
  if (locked) return done();
  if (locked.error().sqlstate == "55P03") {
    return refused(
        "another `restante migrate` has been at work on this database for a minute; wait for it to end");
  }
  return failed(locked.error());
}

result<void> apply(connection& to, const migration& next) {
  auto changes = transaction::begin(to);
  if (!changes) return changes.error();
  if (auto applied = to.execute_script(next.sql); !applied) return applied.error();
  // The first migration has just made the schema that this table stands in.
  if (auto made = to.execute_script("create table if not exists restante.migration ("
                                    "version integer primary key, name text not null, checksum text not null,"
                                    "applied_at timestamptz not null default now())");
      !made) {
    return made.error();
  }
  auto noted = to.execute("insert into restante.migration (version, name, checksum) values ($1, $2, $3)",
                          {next.version, next.name, checksum_of(next)});
  if (!noted) return noted.error();
  return changes->commit();
}

outcome migrate(connection& to, const output& out) {
  if (to.server_version() < oldest_server_version) {
    return refused("PostgreSQL 13 or newer is needed; this server is version " +
                   std::to_string(to.server_version() / 10'000));
  }
  if (outcome locked = lock(to); locked.code != exit_code::done) return locked;
  auto state = read_schema_state(to);
  if (!state) return failed(state.error());
  if (!state->problem.empty()) return refused(state->problem);
  json applied = json::array();
  for (const migration& next : state->missing) {
    if (auto done = apply(to, next); !done) {
      outcome how = failed(done.error());
      how.error = "migration " + std::string(next.name) + " was not applied: " + how.error;
      return how;
    }
    applied.push_back(next.name);
    out.remark("applied " + std::string(next.name));
  }
  const migration& newest = embedded_migrations().back();
  out.done("the database is at " + std::string(newest.name),
           {{"applied", std::move(applied)}, {"version", newest.version}});
  return done();
}

}  // namespace

void add_migrate(CLI::App& to, command& given) {
  CLI::App* verb = to.add_subcommand("migrate", "Bring the database's schema up to date; safe to repeat");
  verb->callback([&given] {
    given.statement_timeout = std::chrono::hours(1);
    given.run = migrate;
  });
}

}  // namespace restante
