#include "bridge/daemon/bridge_process.h"

#include <array>
#include <utility>

namespace restante {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr auto upkeep_pause = 5s;
constexpr auto prune_pause = 60s;
// Of the five seconds that a stop may take.
constexpr auto drain_time = 3'000ms, give_back_time = 4'000ms;
// A loop that has not gone round for so long hangs.
constexpr std::int64_t longest_turn_us = 60'000'000;

curl_settings http_of(const configuration& from) {
  return {.ca_file = from.sync_ca_file, .user_agent = "restante-bridge/" RESTANTE_VERSION};
}

sync_settings sync_of(const configuration& from) {
  sync_settings settings;
  settings.concurrent = static_cast<std::size_t>(from.sync_concurrent);
  settings.held = static_cast<std::size_t>(from.sync_held);
  settings.request_timeout = std::chrono::milliseconds(from.sync_request_timeout_ms);
  settings.lease = std::chrono::milliseconds(from.sync_lease_ms);
  settings.attempts = static_cast<int>(from.sync_attempts);
  return settings;
}

}  // namespace

bridge_process::bridge_process(const configuration& how, std::vector<named_target> targets, bridge_log& log)
    : settings_(how),
      log_(log),
      started_us_(clock_.steady_us()),
      targets_(std::move(targets)),
      metrics_(RESTANTE_VERSION),
      reports_(how.database, log) {
  const std::string claimer = how.name + "/" + random_suffix();
  for (const named_target& each : targets_) {
    const postgres_sync_store::settings store{.database = how.database,
                                              .target = each.name,
                                              .claimer = claimer,
                                              .lease = std::chrono::milliseconds(how.sync_lease_ms)};
    loops_.push_back(std::make_unique<target_loop>(each.name, *each.service, store, http_of(how),
                                                   sync_of(how), log, metrics_.observer(each.name)));
  }
  if (!loops_.empty()) {
    listener_ = std::make_unique<profile_listener>(
        how.database,
        [this] {
          for (const auto& each : loops_) each->wake();
        },
        log);
  }
  if (!how.mqtt_uri.empty() && !served_services(how).empty()) {
    desk_ = std::make_unique<service_desk>(how, clock_, metrics_, log);
    requests_ = std::make_unique<service_client>(
        service_client_of(how), [this](const service_call& call) { return desk_->answer(call); }, log);
  }
  if (!how.observe_listen.empty()) {
    server_ = std::make_unique<observe_server>(
        how.observe_listen, [this] { return metrics_.text(); }, [this] { return find_problems(); });
  }
  upkeep_ = std::thread([this] { keep_up(); });
  const std::array fields{bridge_log::field{"version", RESTANTE_VERSION}, bridge_log::field{"name", how.name},
                          bridge_log::field{"listen", server_ ? std::to_string(server_->port()) : "nowhere"}};
  log_.write(bridge_log_level::info, "started", fields);
}

bridge_process::~bridge_process() {
  const auto asked = steady::now();
  for (const auto& each : loops_) each->stop(asked + drain_time, asked + give_back_time);
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  reports_.interrupt();
  if (desk_) desk_->interrupt();
  // Those that look at the others first.
  server_.reset();
  upkeep_.join();
  listener_.reset();
  requests_.reset();
  // One that waits for the database does not look at the time.
  std::unique_lock lock(mutex_);
  for (const auto& each : loops_) {
    while (!each->has_ended() && steady::now() < asked + give_back_time) stopped_.wait_for(lock, 10ms);
  }
  lock.unlock();
  for (const auto& each : loops_) each->interrupt();
  loops_.clear();
  log_.write(bridge_log_level::info, "stopped", {});
}

void bridge_process::keep_up() {
  auto prune_at = steady::now();
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    count_and_report();
    if (steady::now() >= prune_at) {
      prune_at = steady::now() + prune_pause;
      static_cast<void>(reports_.prune_answers());
    }
    lock.lock();
    stopped_.wait_for(lock, upkeep_pause, [this] { return stopping_; });
  }
}

void bridge_process::count_and_report() {
  std::vector<target_report> states;
  for (const auto& each : loops_) {
    const bool is_available = metrics_.is_available(each->name());
    states.push_back({each->name(), is_available, is_available ? "" : "takes no requests; see the log"});
    if (const auto counted = reports_.backlog(each->name())) {
      metrics_.backlog(each->name(), counted->waiting, counted->oldest_waiting_seconds, counted->parked,
                       counted->gone);
    }
  }
  const bridge_report about{
      .name = settings_.name,
      .version = RESTANTE_VERSION,
      .mqtt_connected = requests_ ? std::optional(requests_->is_serving()) : std::nullopt,
      .running = std::chrono::milliseconds((clock_.steady_us() - started_us_) / 1'000)};
  static_cast<void>(reports_.report(about, states));
  metrics_.database_reachable(is_database_reachable());
  if (requests_) metrics_.mqtt_connected(requests_->is_serving());
}

bool bridge_process::is_database_reachable() const {
  if (!reports_.is_reachable()) return false;
  for (const auto& each : loops_) {
    if (!each->is_database_reachable()) return false;
  }
  return true;
}

std::vector<health_problem> bridge_process::find_problems() const {
  std::vector<health_problem> found;
  if (!is_database_reachable()) found.push_back({"database", "cannot be reached"});
  if (requests_ && !requests_->is_serving()) found.push_back({"mqtt", "is not served; see the log"});
  for (const auto& each : loops_) {
    if (!metrics_.is_available(each->name()))
      found.push_back({each->name(), "takes no requests; see the log"});
    if (clock_.steady_us() - each->last_turn().count() > longest_turn_us) {
      found.push_back({each->name(), "its loop hangs"});
    }
  }
  return found;
}

}  // namespace restante
