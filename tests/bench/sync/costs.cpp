// What it costs PostgreSQL to add a target, and a bridge to claim and settle each row of it, by the store
// that the bridge uses. Usage: sync_costs [ACCOUNTS [BATCH]]
#include <chrono>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <string>
#include <vector>

#include "bridge/store/postgres_sync_store.h"
#include "support/failure.h"
#include "support/postgres_server.h"

namespace restante {
namespace {

using steady = std::chrono::steady_clock;

class no_log : public bridge_log {
 public:
  void write(bridge_log_level, std::string_view, std::span<const field>) override {}
};

double since_s(steady::time_point began) {
  return std::chrono::duration<double>(steady::now() - began).count();
}

void say(const std::string& what, double value, const std::string& unit) {
  std::cout << std::left << std::setw(44) << what << std::right << std::setw(10) << std::fixed
            << std::setprecision(1) << value << ' ' << unit << std::endl;
}

void measure(const std::string& accounts, std::size_t batch) {
  // As it is in service: each commit is synced to disk.
  support::postgres_server server(
      {"fsync = on", "full_page_writes = on", "shared_buffers = 128MB", "max_wal_size = 1GB"});
  const auto database = server.create_database(support::migrated());
  support::query(database.owner,
                 "insert into restante.account (name) select 'a' || g from generate_series(1, " + accounts +
                     ") g; update restante.profile set display_name = 'Account ' || account_id,"
                     " image_url = 'https://example.org/' || account_id, custom = '{\"level\": 17}'");
  support::query(server.superuser(database.name), "vacuum analyze");
  auto began = steady::now();
  support::query(database.owner, "select restante.add_sync_target('stream')");
  say("adding a target of " + accounts + " accounts", since_s(began), "s");

  no_log log;
  postgres_sync_store store({database.bridge, "stream", "bench", std::chrono::seconds(120)}, log);
  double claim_s = 0, settle_s = 0;
  std::size_t rows = 0;
  for (;;) {
    began = steady::now();
    const auto jobs = store.claim(batch);
    claim_s += since_s(began);
    if (!jobs) throw support::failure("no claim");
    if (jobs->empty()) break;
    std::vector<sync_outcome> outcomes;
    for (const sync_job& each : *jobs) {
      outcomes.push_back({.account_id = each.account_id,
                          .version = each.version,
                          .how = sync_result::synced,
                          .remote = remote_state::active,
                          .hash = std::string(32, 'h')});
    }
    began = steady::now();
    if (!store.settle(outcomes)) throw support::failure("no settling");
    settle_s += since_s(began);
    rows += jobs->size();
  }
  const std::string of = ", in batches of " + std::to_string(batch);
  say("claiming a row" + of, claim_s * 1e6 / static_cast<double>(rows), "us");
  say("settling a row" + of, settle_s * 1e6 / static_cast<double>(rows), "us");
  began = steady::now();
  for (int i = 0; i < 100; ++i) static_cast<void>(store.claim(batch));
  say("claiming nothing", since_s(began) * 1e4, "us");
  began = steady::now();
  support::query(database.owner, "update restante.profile set display_name = display_name || '!'");
  say("a statement that changes " + accounts + " profiles", since_s(began), "s");
}

}  // namespace
}  // namespace restante

int main(int argc, char** argv) try {
  restante::measure(argc > 1 ? argv[1] : "100000", argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 100);
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
