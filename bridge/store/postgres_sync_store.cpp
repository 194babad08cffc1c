#include "bridge/store/postgres_sync_store.h"

#include <utility>

#include "bridge/store/profile_rows.h"

namespace restante {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

// A million accounts take some ten seconds.
constexpr auto adding_timeout = 10min;
constexpr auto statement_timeout = 10s;
// Until the transactions that ran beside the adding have ended.
constexpr auto adding_pause = 10s;

constexpr statement add_statement{"add_target", "select restante.add_sync_target($1)"};
constexpr statement claim_statement{
    "claim",
    "select account_id, account, status, display_name, image_url, language, role, teams, custom, version,"
    " remote, in_doubt, synced_hash, attempts "
    "from restante.claim_profiles($1, $2, $3 * interval '1 millisecond', $4::integer)"};
constexpr statement settle_statement{"settle",
                                     "select restante.settle_profiles($1, $2, $3, $4, $5, $6, $7, $8, $9)"};
constexpr statement next_due_statement{"next_due", "select restante.next_profile_due_ms($1)"};

}  // namespace

postgres_sync_store::postgres_sync_store(settings how, bridge_log& log)
    : settings_(std::move(how)),
      link_(settings_.database, "target " + settings_.target + (settings_.adds_target ? "" : " ahead"), log,
            statement_timeout),
      is_complete_(!settings_.adds_target) {}

bool postgres_sync_store::add_target(connection& on) {
  look_at_ = steady::now() + adding_pause;
  if (auto set = on.set_statement_timeout(adding_timeout); !set) {
    link_.failed(set.error());
    return false;
  }
  const auto added = on.execute(add_statement, {settings_.target});
  if (!added) {
    link_.failed(added.error());
    return false;
  }
  is_complete_ = (*added)[0].boolean(0);
  if (auto set = on.set_statement_timeout(statement_timeout); !set) {
    link_.failed(set.error());
    return false;
  }
  return true;
}

std::optional<std::vector<sync_job>> postgres_sync_store::claim(std::size_t limit) {
  connection* on = link_.get();
  if (!on) return std::nullopt;
  if (!is_complete_ && steady::now() >= look_at_ && !add_target(*on)) return std::nullopt;
  const auto claimed =
      on->execute(claim_statement, {settings_.target, settings_.claimer, settings_.lease.count(), limit});
  if (!claimed) {
    link_.failed(claimed.error());
    return std::nullopt;
  }
  std::vector<sync_job> jobs;
  jobs.reserve(claimed->size());
  for (const row each : *claimed) jobs.push_back(read_job(each));
  return jobs;
}

bool postgres_sync_store::settle(std::span<const sync_outcome> outcomes) {
  if (outcomes.empty()) return true;
  connection* on = link_.get();
  if (!on) return false;
  int64_array accounts, versions, delays_ms;
  text_array results, remotes, errors;
  bytea_array hashes;
  for (const sync_outcome& each : outcomes) {
    accounts.push(each.account_id);
    versions.push(each.version);
    results.push(to_text(each.how));
    remotes.push(to_text(each.remote));
    hashes.push(each.hash);
    errors.push(storable(each.error));
    delays_ms.push(std::int64_t{each.delay.count()});
  }
  const auto settled = on->execute(settle_statement, {settings_.target, settings_.claimer, accounts, versions,
                                                      results, remotes, hashes, errors, delays_ms});
  if (!settled) {
    link_.failed(settled.error());
    return false;
  }
  return true;
}

std::optional<std::chrono::milliseconds> postgres_sync_store::next_due() {
  connection* on = link_.get();
  if (!on) return std::nullopt;
  const auto found = on->execute(next_due_statement, {settings_.target});
  if (!found) {
    link_.failed(found.error());
    return std::nullopt;
  }
  const auto due_ms = (*found)[0].optional_int64(0);
  if (!due_ms) return std::nullopt;
  return std::chrono::milliseconds(*due_ms);
}

}  // namespace restante
