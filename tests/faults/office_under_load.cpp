#include "office_under_load.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <new>

#include "clock.h"
#include "support/eventually.h"
#include "support/failure.h"

namespace restante::faults {
namespace {

constexpr std::uint32_t accounts_of_each = 64;
constexpr char password[] = "faults";
// Mosquitto's own form with one round, so that logins cost no hashing worth speaking of.
constexpr char password_hash[] =
    "$7$1$ZmF1bHQtc2FsdC0w$lNYpYNettD633tsKH1yZJE4mJg1DjKiwBp+1ebQ5GBYRPmfwcyVDV8X05IbeQnsURt0z0xCdRDIoeKgc8/"
    "Em+A==";
constexpr std::chrono::seconds longest_standstill{60};
constexpr std::uint64_t rate_wanted = 5'000;

const support::recipe& populated() {
  static const support::recipe how{.name = "populated", .prepare = [](const support::database& fresh) {
                                     support::migrated().prepare(fresh);
                                     support::query(fresh.owner,
                                                    "insert into restante.account (name, password_hash)"
                                                    " select role || lpad(i::text, 3, '0'), '" +
                                                        std::string(password_hash) +
                                                        "'"
                                                        " from generate_series(0, " +
                                                        std::to_string(accounts_of_each - 1) +
                                                        ") i,"
                                                        " unnest(array['sender-', 'recipient-']) role");
                                   }};
  return how;
}

std::uint32_t chosen_seed() {
  const char* chosen = std::getenv("RESTANTE_SEED");
  return chosen != nullptr ? static_cast<std::uint32_t>(std::strtoul(chosen, nullptr, 10))
                           : std::random_device{}();
}

fault_control* map_control(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const bool sized = descriptor >= 0 && ::ftruncate(descriptor, sizeof(fault_control)) == 0;
  void* mapped = ::mmap(nullptr, sizeof(fault_control), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  ::close(descriptor);
  if (!sized || mapped == MAP_FAILED) throw support::failure("cannot map " + file.string());
  return new (mapped) fault_control;
}

}  // namespace

bool is_long() { return std::getenv("RESTANTE_LONG") != nullptr; }

office_under_load::office_under_load()
    : mail_(postgres_.create_database(populated())), faults_(map_control(folder_.path() / "faults")) {
  const std::uint32_t seed = chosen_seed();
  std::cout << "RESTANTE_SEED=" << seed << '\n';
  chance_.seed(seed);
  ::setenv("RESTANTE_FAULT_CONTROL", (folder_.path() / "faults").c_str(), 1);
}

office_under_load::~office_under_load() { ::munmap(faults_, sizeof(fault_control)); }

void office_under_load::open(const load_settings& how, support::broker_settings settings) {
  settings.options.try_emplace("database", mail_.broker);
  // A line for each packet would be hundreds of megabytes.
  for (const char* type : {"none", "error", "warning", "notice", "information"}) {
    settings.lines.push_back(std::string("log_type ") + type);
  }
  // Beyond 20 under way, Mosquitto's own queue lets later messages overtake at a subscriber at QoS 2.
  settings.lines.push_back("max_inflight_messages 1000");
  settings.preload = RESTANTE_FAULT_SHIM;
  settings_ = settings;
  broker_ = std::make_unique<support::mosquitto_broker>(settings);
  const std::string journal =
      settings.options.contains("journal") ? settings.options.at("journal") : broker_->journal().string();
  journal.copy(faults_->directory, sizeof faults_->directory - 1);
  broker_->wait_for_log("the database is reached");
  board_ = std::make_unique<shared_board>(folder_.path() / "board", true);
  load().settings = how;
  load().settings.port = static_cast<std::uint16_t>(broker_->port());
  std::memcpy(load().settings.password, password, sizeof password);
  start_load();
}

void office_under_load::start_load() {
  load_ = std::make_unique<support::process>(support::program{
      .arguments = {RESTANTE_FAULT_LOAD, folder_.path() / "board"}, .output = folder_.path() / "load.log"});
  wait_while_it_goes_on("all clients of the load connect", [&] {
    return load().publishers_connected == load().settings.publishers &&
           load().recipients_connected == load().settings.recipients / 2;
  });
}

void office_under_load::note_fault() { faults_ns_.push_back(bench::now_ns()); }

std::uint64_t office_under_load::progress() {
  return load().accepted + load().handed_over + load().acknowledged + load().publishers_connected +
         load().recipients_connected;
}

void office_under_load::wait_while_it_goes_on(const std::string& what,
                                              const std::function<bool()>& condition) {
  for (;;) {
    const std::uint64_t before = progress();
    const bool held =
        support::eventually([&] { return !load_->running() || condition(); }, longest_standstill);
    if (held && load_->running()) return;
    if (load_->running() && progress() != before) continue;
    throw support::failure(
        "did not happen: " + what + "; published " + std::to_string(load().published) + ", accepted " +
        std::to_string(load().accepted) + ", handed over " + std::to_string(load().handed_over) +
        ", acknowledged " + std::to_string(load().acknowledged) + ", connected " +
        std::to_string(load().publishers_connected) + " and " + std::to_string(load().recipients_connected) +
        ", refused " + std::to_string(load().refused) +
        (load_->running() ? "" : "; the load ended: " + support::read_file(folder_.path() / "load.log")) +
        "; broker: " + broker_->log_text());
  }
}

void office_under_load::publish(std::uint64_t more) {
  const std::uint64_t before = load().accepted;
  wait_while_it_goes_on("publishing begins", [&] { return load().accepted > before; });
  const auto from_ns = bench::now_ns();
  wait_while_it_goes_on("publishing goes on", [&] { return load().accepted >= before + more; });
  published_up_ += load().accepted - before;
  up_ns_ += bench::now_ns() - from_ns;
}

void office_under_load::publish_some() {
  publish(std::uniform_int_distribution<std::uint64_t>(1, is_long() ? 20'000 : 4'000)(chance_));
}

void office_under_load::crash_broker() {
  note_fault();
  broker_->kill();
  broker_->start();
}

std::uint64_t office_under_load::waiting() const {
  return std::stoull(support::query(mail_.owner, "select count(*) from restante.waiting"));
}

void office_under_load::finish(const std::string& scenario) {
  load().wanted = load_phase::drain;
  const auto from_ns = bench::now_ns();
  wait_while_it_goes_on("all that was published is accepted, and acknowledged by its recipient", [&] {
    return load().accepted == load().published && load().acknowledged == load().accepted;
  });
  const bool drained = support::eventually([&] { return waiting() == 0; });
  const auto drained_ms = (bench::now_ns() - from_ns) / bench::millisecond_ns;
  load().wanted = load_phase::end;
  ASSERT_EQ(load_->wait(support::patience), 0) << support::read_file(folder_.path() / "load.log");
  broker_->stop();
  if (const char* kept = std::getenv("RESTANTE_LEDGERS"); kept != nullptr) {
    for (const char* file : {"accepted", "received"}) {
      std::filesystem::copy_file(folder_.path() / file, std::filesystem::path(kept) / file,
                                 std::filesystem::copy_options::overwrite_existing);
    }
    support::write_file(std::filesystem::path(kept) / "broker.log", broker_->log_text());
  }

  const auto found =
      judge(read_ledger(folder_.path() / "accepted"), read_ledger(folder_.path() / "received"), faults_ns_);
  const std::uint64_t rate =
      published_up_ * bench::second_ns / static_cast<std::uint64_t>(std::max<std::int64_t>(up_ns_, 1));
  std::cout << scenario << ": " << faults_ns_.size() << " faults, " << describe(found) << "; " << rate
            << "/s while all was up, " << load().connections_lost << " connections lost; drained in "
            << drained_ms << " ms\n";
  for (const auto& each : found.examples) std::cout << "  " << each << '\n';
  EXPECT_TRUE(drained) << waiting() << " wait in PostgreSQL";
  EXPECT_EQ(found.accepted, load().published);
  EXPECT_EQ(found.lost, 0U);
  EXPECT_EQ(found.duplicated, 0U);
  EXPECT_EQ(found.out_of_order, 0U);
  EXPECT_EQ(load().refused, 0U) << broker_->log_text();
  if (is_long()) {
    EXPECT_GE(rate, rate_wanted);
  }
}

}  // namespace restante::faults
