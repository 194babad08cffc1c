// restante doctor: what is well, what is not, and what to do about it.
#include <chrono>
#include <cmath>

#include "listing.h"
#include "schema_state.h"
#include "verbs.h"

namespace restante {
namespace {

constexpr double tolerable_clock_difference_s = 5, refused_clock_difference_s = 3600;
constexpr std::int64_t tolerable_report_age_s = 120, fewest_days_ahead = 2;

// `warn` is worth knowing; `fail` needs somebody to act.
class findings {
 public:
  void ok(const char* check, std::string found) { add(check, "ok", std::move(found), ""); }
  void warn(const char* check, std::string found, std::string remedy) {
    add(check, "warn", std::move(found), std::move(remedy));
  }
  void fail(const char* check, std::string found, std::string remedy) {
    add(check, "fail", std::move(found), std::move(remedy));
    failed_ = true;
  }

  bool any_failed() const { return failed_; }
  const json& rows() const { return rows_; }

 private:
  void add(const char* check, const char* state, std::string found, std::string remedy) {
    rows_.push_back({{"state", state},
                     {"check", check},
                     {"found", std::move(found)},
                     {"remedy", remedy.empty() ? json() : json(std::move(remedy))}});
  }

  bool failed_ = false;
  json rows_ = json::array();
};

std::string count(std::int64_t number, const std::string& noun) {
  return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

void check_server(connection& from, findings& found) {
  const int version = from.server_version();
  const std::string text =
      "PostgreSQL " + std::to_string(version / 10'000) + "." + std::to_string(version % 10'000);
  if (version >= 130'000) {
    found.ok("database", text);
  } else {
    found.fail("database", text, "move to PostgreSQL 13 or newer");
  }
}

// Whether there is a schema that the other checks can look into.
result<bool> check_schema(connection& from, findings& found) {
  auto state = read_schema_state(from);
  if (!state) return state.error();
  if (!state->problem.empty()) {
    found.fail("migrations", state->problem, "use the matching program");
  } else if (!state->missing.empty()) {
    found.fail("migrations",
               count(static_cast<std::int64_t>(state->missing.size()), "migration") + " to apply",
               "run `restante migrate`");
  } else {
    found.ok("migrations", "at " + std::string(embedded_migrations().back().name));
  }
  return state->problem.empty() && state->missing.empty();
}

result<void> check_roles(connection& from, findings& found) {
  auto missing = from.execute(
      "select wanted from unnest(array['restante_broker', 'restante_bridge']) wanted"
      " where not exists (select from pg_roles where rolname = wanted)");
  if (!missing) return missing.error();
  if (missing->empty()) found.ok("roles", "restante_broker, restante_bridge");
  for (const row each : *missing) {
    const std::string role(each.text(0));
    found.fail("roles", role + " is missing",
               "create role " + role + " nologin, and grant it again what migrations grant");
  }
  return {};
}

result<void> check_partitions(connection& from, findings& found) {
  // Days without a gap, from today on, for which both tables have their partition.
  auto answer = from.execute(
      "select count(*) filter (where whole) from ("
      "  select bool_and(to_regclass('restante.message_' || to_char(day, 'YYYYMMDD')) is not null"
      "              and to_regclass('restante.delivery_' || to_char(day, 'YYYYMMDD')) is not null)"
      "         over (order by day) as whole"
      "  from generate_series(current_date, current_date + 30, interval '1 day') day) days");
  if (!answer) return answer.error();
  const std::int64_t days = (*answer)[0].int64(0);
  const char* remedy = "start the broker, which makes them hourly, or run `select restante.restante_roll()`";
  if (days == 0) {
    found.fail("partitions", "none for today: nothing can be stored", remedy);
  } else if (days <= fewest_days_ahead) {
    found.fail("partitions", "today and " + count(days - 1, "day") + " ahead", remedy);
  } else {
    found.ok("partitions", "today and " + count(days - 1, "day") + " ahead");
  }
  return {};
}

result<void> check_clock(connection& from, findings& found) {
  using std::chrono::system_clock;
  const auto before = system_clock::now();
  auto answer = from.execute("select extract(epoch from clock_timestamp())::double precision");
  if (!answer) return answer.error();
  const auto middle = before + (system_clock::now() - before) / 2;
  const double difference_s =
      (*answer)[0].number(0) - std::chrono::duration<double>(middle.time_since_epoch()).count();
  const std::string text =
      std::to_string(std::llround(std::abs(difference_s))) + " s between here and PostgreSQL";
  if (std::abs(difference_s) >= refused_clock_difference_s) {
    found.fail("clock", text + ": durable publishes are refused beyond an hour", "set the clocks by NTP");
  } else if (std::abs(difference_s) >= tolerable_clock_difference_s) {
    found.warn("clock", text, "set the clocks by NTP");
  } else {
    found.ok("clock", text);
  }
  return {};
}

result<void> check_broker(connection& from, findings& found) {
  // A bigint key of an advisory lock shows in two halves.
  auto answer = from.execute(
      "select floor(extract(epoch from clock_timestamp() - reported_at))::bigint, version,"
      " exists (select from pg_locks where locktype = 'advisory' and granted and objsubid = 1"
      "   and database = (select oid from pg_database where datname = current_database())"
      "   and (classid::bigint << 32 | objid::bigint) = hashtextextended('restante broker', 0)) "
      "from restante.broker");
  if (!answer) return answer.error();
  if (answer->empty()) {
    found.fail("broker", "restante.broker has lost its row",
               "run `insert into restante.broker default values`");
    return {};
  }
  const row only = (*answer)[0];
  const auto age_s = only.optional_int64(0);
  const bool connected = only.boolean(2);
  const std::string reported = age_s ? "last report " + count(*age_s, "second") + " ago" : "no report yet";
  if (!connected && !age_s) {
    found.warn("broker", "none has ever used this database", "start Mosquitto with the plugin");
  } else if (!connected) {
    found.fail("broker", "none is connected, " + reported, "start Mosquitto; its log says why it stopped");
  } else if (!age_s || *age_s > tolerable_report_age_s) {
    found.warn("broker", "connected, " + reported, "its log says what it waits for");
  } else {
    found.ok("broker", "connected, " + reported);
  }
  return {};
}

result<void> check_acknowledgements(connection& from, findings& found) {
  auto answer = from.execute("select unnest(never_acknowledged) from restante.broker");
  if (!answer) return answer.error();
  if (answer->empty()) found.ok("acknowledgements", "every full session has acknowledged before");
  for (const row each : *answer) {
    const std::string name(each.text(0));
    std::string remedy = "let its client publish to ack/" + name;
    remedy += ", or run `restante user set " + name;
    remedy += " --acknowledge handoff` (then nothing is kept once it was handed over)";
    found.fail("acknowledgements", name + " holds a full window and has never acknowledged", remedy);
  }
  return {};
}

result<void> check_leftovers(connection& from, findings& found) {
  auto answer = from.execute(
      "select (select count(*) from restante.expired_day),"
      " (select count(*) from restante.expired_day where created_at < now() - interval '1 day'),"
      " (select count(*) from restante.dead_letter),"
      " (select count(*) from restante.dead_letter where reason = 'refused')");
  if (!answer) return answer.error();
  const row only = (*answer)[0];
  if (only.int64(1) > 0) {
    found.fail("expired days",
               count(only.int64(1), "day") + " detached more than a day ago and still not emptied",
               "start the broker, which empties them, or run `select restante.restante_expire()` until it "
               "returns 0");
  } else {
    found.ok("expired days", count(only.int64(0), "day") + " being emptied");
  }
  if (only.int64(3) > 0) {
    found.warn("dead letters",
               count(only.int64(3), "message") + " of " + std::to_string(only.int64(2)) +
                   " that PostgreSQL would not store",
               "see `restante dead`");
  } else {
    found.ok("dead letters", count(only.int64(2), "message"));
  }
  return {};
}

outcome doctor(connection& from, const output& out) {
  findings found;
  check_server(from, found);
  auto current = check_schema(from, found);
  if (!current) return failed(current.error());
  if (*current) {
    for (auto* check : {check_roles, check_partitions, check_clock, check_broker, check_acknowledgements,
                        check_leftovers}) {
      if (auto checked = check(from, found); !checked) return failed(checked.error());
    }
  }
  out.list(found.rows());
  return {found.any_failed() ? exit_code::refused : exit_code::done, ""};
}

outcome doctor_unconnected(const database_error& error, const output& out) {
  outcome how = failed(error);
  findings found;
  found.fail("database", error.message, "start PostgreSQL, or mend --database");
  out.list(found.rows());
  return how;
}

}  // namespace

void add_doctor(CLI::App& to, command& given) {
  to.add_subcommand("doctor", "What is well, what is not, and what to do")->callback([&given] {
    given.run = doctor;
    given.run_unconnected = doctor_unconnected;
  });
}

}  // namespace restante
