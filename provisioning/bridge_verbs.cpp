// restante bridge status, retry, sync: what external services have of the profiles, and having them sent
// again.
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <vector>

#include "arguments.h"
#include "listing.h"
#include "progress_bar.h"
#include "verbs.h"

namespace restante {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

struct bridge_arguments {
  std::string account, target;
  bool refused = false, all = false, no_wait = false;
  std::int64_t limit = 100;
};

constexpr std::string_view targets_query =
    "select t.name as target, count(s.account_id) filter (where s.state = 'waiting') as waiting,"
    " count(s.account_id) filter (where s.state = 'synced') as synced,"
    " count(s.account_id) filter (where s.state = 'parked') as parked,"
    " count(s.account_id) filter (where s.state = 'gone') as gone,"
    " count(s.account_id) filter (where s.claimed_until > now()) as claimed,"
    " coalesce(greatest(0, floor(extract(epoch from now() - min(s.waiting_since)))), 0)::bigint"
    "   as oldest_waiting_seconds,"
    " (select bool_or(b.available) from restante.bridge_target b where b.target = t.name) as available "
    "from restante.sync_target t left join restante.profile_sync s on s.target = t.name "
    "group by t.name order by t.name";

constexpr std::string_view bridges_query =
    "select name as bridge, version, mqtt_connected, started_at, reported_at as last_seen,"
    " floor(extract(epoch from now() - reported_at))::bigint as seen_seconds_ago "
    "from restante.bridge order by name";

constexpr std::string_view refused_query =
    "select s.target, a.name as account, s.state, s.error, s.updated_at as since "
    "from restante.profile_sync s join restante.account a on a.id = s.account_id "
    "where s.state in ('parked', 'gone') and ($1 = '' or s.target = $1) order by s.target, a.name limit $2";

outcome status(connection& from, const output& out, const bridge_arguments& given, bool as_json) {
  if (given.refused) {
    auto refusals = read_list(from, refused_query, {given.target, given.limit});
    if (!refusals) return failed(refusals.error());
    out.list(*refusals);
    return done();
  }
  auto targets = read_list(from, targets_query);
  if (!targets) return failed(targets.error());
  auto bridges = read_list(from, bridges_query);
  if (!bridges) return failed(bridges.error());
  if (as_json) {
    out.record(json{{"targets", std::move(*targets)}, {"bridges", std::move(*bridges)}});
    return done();
  }
  if (targets->empty()) out.remark("no bridge has synced to any service yet");
  if (!targets->empty()) out.list(*targets);
  if (!bridges->empty()) {
    out.remark("");
    out.list(*bridges);
  }
  return done();
}

outcome retry(connection& from, const output& out, const bridge_arguments& given) {
  // Deleted accounts too: their deletion may have been refused.
  auto account = read_record(from, "select id from restante.account where name = $1", {given.account});
  if (!account) return failed(account.error());
  if (account->is_null()) return refused("there is no account " + given.account);
  auto states = read_list(from, "select target, state from restante.retry_profile($1)",
                          {account->at("id").get<std::int64_t>()});
  if (!states) return failed(states.error());
  if (states->empty()) return refused("no bridge has synced to any service yet; start restante-bridge first");
  out.list(*states);
  return done();
}

// Of one target: how many accounts are due now.
result<std::int64_t> make_all_due(connection& on, const std::string& target, progress_bar& shown) {
  constexpr std::int64_t at_once = 10'000;  // each piece is a transaction, so that nobody waits long for it
  std::int64_t after = 0;
  for (;;) {
    const auto reached =
        on.execute("select restante.sync_again($1, $2, $3::integer)", {target, after, at_once});
    if (!reached) return reached.error();
    const auto last = (*reached)[0].optional_int64(0);
    if (!last) break;
    after = *last;
    shown.note("making accounts due");
  }
  const auto waiting = on.execute("select waiting from restante.sync_backlog($1)", {target});
  if (!waiting) return waiting.error();
  return (*waiting)[0].int64(0);
}

// Until nothing waits at the targets.
outcome wait_until_synced(connection& on, const std::vector<std::string>& targets, progress_bar& shown) {
  constexpr std::string_view served =
      "select exists (select from restante.bridge b join restante.bridge_target t on t.bridge = b.name"
      " where t.target = $1 and b.reported_at > now() - interval '1 minute')";
  for (;;) {
    std::int64_t waiting = 0;
    for (const std::string& each : targets) {
      const auto counted = on.execute("select waiting from restante.sync_backlog($1)", {each});
      if (!counted) return failed(counted.error());
      const std::int64_t of_this = (*counted)[0].int64(0);
      waiting += of_this;
      if (of_this == 0) continue;
      const auto alive = on.execute(served, {each});
      if (!alive) return failed(alive.error());
      if (!(*alive)[0].boolean(0)) {
        return refused(std::to_string(of_this) + " accounts wait, and no bridge has reported on " + each +
                       " for a minute; start restante-bridge, it will go on by itself");
      }
    }
    shown.left(waiting);
    if (waiting == 0) return done();
    ::poll(nullptr, 0, 500);
  }
}

outcome sync(connection& on, const output& out, const bridge_arguments& given) {
  auto known = read_list(on, "select name from restante.sync_target where $1 = '' or name = $1 order by name",
                         {given.target});
  if (!known) return failed(known.error());
  if (known->empty()) {
    return refused(given.target.empty()
                       ? "no bridge has synced to any service yet; start restante-bridge first"
                       : "there is no target " + given.target);
  }
  std::vector<std::string> targets;
  for (const json& each : *known) targets.push_back(each.at("name").get<std::string>());
  std::int64_t due = 0;
  {
    progress_bar shown;
    for (const std::string& each : targets) {
      auto made = make_all_due(on, each, shown);
      if (!made) return failed(made.error());
      due += *made;
    }
    shown.begin(due);
    if (!given.no_wait) {
      outcome how = wait_until_synced(on, targets, shown);
      if (how.code != exit_code::done) return how;
    }
  }
  auto refusals = read_record(on,
                              "select count(*) filter (where state = 'parked') as parked,"
                              " count(*) filter (where state = 'gone') as gone "
                              "from restante.profile_sync where state in ('parked', 'gone')"
                              " and ($1 = '' or target = $1)",
                              {given.target});
  if (!refusals) return failed(refusals.error());
  const std::string parked = refusals->at("parked").dump(), gone = refusals->at("gone").dump();
  json said{{"due", due}, {"waited", !given.no_wait}};
  said.update(*refusals);
  out.done(given.no_wait ? std::to_string(due) + " accounts are due"
                         : "all is synced, but for " + parked + " parked and " + gone +
                               " gone; see `restante bridge status --refused`",
           said);
  return done();
}

}  // namespace

void add_bridge_verbs(CLI::App& to, command& given_command) {
  command* given = &given_command;
  const auto arguments = std::make_shared<bridge_arguments>();
  CLI::App* bridge = to.add_subcommand("bridge", "What external services have of the profiles");
  bridge->require_subcommand(1);

  CLI::App* state = bridge->add_subcommand("status", "How targets and bridges are");
  state->add_flag("--refused", arguments->refused, "Instead: the accounts that are parked or gone, and why");
  state->add_option("--target", arguments->target, "Of this target only, with --refused");
  state->add_option("--limit", arguments->limit, "How many at most, with --refused (100)")
      ->check(CLI::Range(1, 100'000));
  state->callback([given, arguments] {
    given->run = [given, arguments](connection& from, const output& out) {
      return status(from, out, *arguments, given->as_json);
    };
  });

  CLI::App* again = bridge->add_subcommand("retry", "Send an account again, to every target");
  again->add_option("NAME", arguments->account, "The account")->required()->check(name_argument());
  again->callback([given, arguments] {
    given->run = [arguments](connection& from, const output& out) { return retry(from, out, *arguments); };
  });

  CLI::App* all = bridge->add_subcommand("sync", "Send every account again, and wait until that is done");
  all->add_flag("--all", arguments->all, "Every account")->required();
  all->add_option("--target", arguments->target, "To this target only");
  all->add_flag("--no-wait", arguments->no_wait, "Do not wait");
  all->callback([given, arguments] {
    given->run = [arguments](connection& from, const output& out) { return sync(from, out, *arguments); };
  });
}

}  // namespace restante
