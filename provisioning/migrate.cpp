// restante migrate: brings the schema up to what this program knows.
#include <memory>
#include <string>

#include "schema_state.h"
#include "verbs.h"

namespace restante {
namespace {

constexpr int oldest_server_version = 130'000;

outcome lock(connection& to, std::int64_t wait_s) {
  auto set = to.execute("select set_config('lock_timeout', $1, false)", {std::to_string(wait_s) + "s"});
  if (!set) return failed(set.error());
  // Held by the session, over all the migrations' transactions.
  auto locked = to.execute("select pg_advisory_lock(hashtextextended('restante migrate', 0))");
  if (locked) return done();
  if (locked.error().sqlstate == "55P03") {
    return refused("another `restante migrate` is still at work on this database after " +
                   std::to_string(wait_s) + " s; try again when it has ended");
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

outcome migrate(connection& to, const output& out, std::int64_t wait_s) {
  if (to.server_version() < oldest_server_version) {
    return refused("PostgreSQL 13 or newer is needed; this server is version " +
                   std::to_string(to.server_version() / 10'000));
  }
  if (outcome locked = lock(to, wait_s); locked.code != exit_code::done) return locked;
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
  const auto wait_s = std::make_shared<std::int64_t>(60);
  verb->add_option("--wait", *wait_s, "Seconds to wait for another `restante migrate` to end (60)")
      ->check(CLI::Range(1, 3600));
  verb->callback([&given, wait_s] {
    given.statement_timeout = std::chrono::hours(2);
    given.run = [wait_s](connection& on, const output& out) { return migrate(on, out, *wait_s); };
  });
}

}  // namespace restante
