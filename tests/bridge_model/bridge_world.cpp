#include "bridge_world.h"

#include <algorithm>

#include "bridge/targets/stream_id.h"

namespace restante::bridge_model {

namespace {

using nlohmann::json;

stream_settings settings_of(stream_settings::writing mode) {
  stream_settings made;
  made.api_key = "key";
  made.api_secret = "secret";
  made.base_url = "http://stream.test";
  made.mode = mode;
  if (mode == stream_settings::writing::patch) made.owned = {"name", "custom.level"};
  return made;
}

// Ids of those that a request writes.
std::vector<std::string> ids_of(const http_request& request) {
  std::vector<std::string> ids;
  if (request.method == "GET") return ids;
  const auto body = json::parse(request.body);
  if (body.contains("user_ids")) {
    for (const auto& each : body["user_ids"]) ids.push_back(each);
  } else {
    for (const auto& [key, each] : body.at("users").items()) ids.push_back(each.at("id"));
  }
  return ids;
}

}  // namespace

struct bridge_world::net final : transport {
  net(bridge_world& in, int number) : in_(in), number_(number) {}
  void send(std::uint64_t number, http_request request) override { in_.send(number_, number, request); }
  bridge_world& in_;
  const int number_;
};

bridge_world::bridge_world(world_settings settings)
    : service(settings.seed, settings.kind, settings.limit),
      chance(settings.seed),
      settings_(settings),
      random_(settings.seed) {}

bridge_world::~bridge_world() = default;

std::int64_t bridge_world::add(const std::string& name, const std::string& shown) {
  profile wanted;
  wanted.name = shown;
  return database.add(name, wanted);
}

void bridge_world::add_many(int count) {
  for (int i = 0; i < count; ++i) add("account." + std::to_string(i), "shown " + std::to_string(i));
}

int bridge_world::start_bridge() {
  const int number = ++last_bridge_;
  auto made = std::make_unique<bridge>();
  made->target = std::make_unique<stream_target>(settings_of(settings_.mode));
  made->door =
      std::make_unique<store_door>(database, number, std::chrono::microseconds(settings_.sync.lease).count());
  made->out = std::make_unique<net>(*this, number);
  made->engine = std::make_unique<sync_engine>(settings_.sync, *made->target, *made->door, *made->out, clock,
                                               chance, log, observer);
  made->next_us = clock.steady;
  bridges_[number] = std::move(made);
  return number;
}

void bridge_world::kill_bridge(int number) { bridges_.erase(number); }

void bridge_world::stop_bridge(int number, std::int64_t patience_us) {
  auto& one = *bridges_.at(number);
  one.engine->stop();
  step(one);
  run(patience_us, [&] { return one.engine->is_idle(); });
  one.engine->abandon();
  step(one);
  if (!one.engine->is_idle() && !one.door->is_shut && !one.door->answers_are_lost)
    broken = "a stopped bridge holds something";
  kill_bridge(number);
}

void bridge_world::wake_all() {
  for (auto& [number, each] : bridges_) {
    each->engine->wake();
    each->next_us = clock.steady;
  }
}

void bridge_world::watch(const http_request& request, bool begins) {
  for (const auto& id : ids_of(request)) {
    if (begins) {
      if (on_the_way_.contains(id) && broken.empty()) broken = id + " is in two requests at once";
      on_the_way_.insert(id);
    } else {
      on_the_way_.erase(on_the_way_.find(id));
    }
  }
}

void bridge_world::send(int from, std::uint64_t number, const http_request& request) {
  const auto travel = [&] {
    return std::uniform_int_distribution(settings_.shortest_us, settings_.longest_us)(random_);
  };
  const auto draw = std::uniform_real_distribution<double>(0, 1)(random_);
  const bool never_arrives = draw < lost;
  const bool no_answer = !never_arrives && draw < lost + timed_out;
  const auto come_back = [this, from, number](const http_response& response) {
    const auto found = bridges_.find(from);
    if (found == bridges_.end()) return;
    found->second->engine->answered(number, response);
    step(*found->second);
  };
  watch(request, true);
  http_response failed;
  failed.failure = no_answer ? http_failure::timeout : http_failure::unreachable;
  failed.error = "stream.test: nothing came back";
  if (never_arrives) {
    events_.emplace(clock.steady + travel(), [=, this] {
      watch(request, false);
      come_back(failed);
    });
    return;
  }
  if (no_answer) {
    const std::int64_t timeout_us = std::chrono::microseconds(request.timeout).count();
    events_.emplace(clock.steady + timeout_us, [=] { come_back(failed); });
  }
  events_.emplace(clock.steady + travel(), [=, this] {
    auto response = service.answer(request, clock.now_us() + settings_.service_skew_us);
    watch(request, false);
    if (!no_answer) {
      const auto back_us =
          clock.steady + std::uniform_int_distribution(settings_.shortest_us, settings_.longest_us)(random_);
      events_.emplace(back_us, [=] { come_back(response); });
    }
  });
}

void bridge_world::step(bridge& one) {
  one.next_us = one.engine->step();
  most_held = std::max(most_held, one.engine->accounts_held());
}

void bridge_world::run(std::int64_t time_us, const std::function<bool()>& until) {
  const std::int64_t end_us = clock.steady + time_us;
  std::size_t idle = 0;
  while (!until || !until()) {
    std::int64_t next_us = events_.empty() ? pacer::never : events_.begin()->first;
    bridge* first = nullptr;
    for (auto& [number, each] : bridges_) {
      if (each->next_us < next_us) {
        next_us = each->next_us;
        first = each.get();
      }
    }
    if (next_us > end_us) break;
    idle = next_us > clock.steady ? 0 : idle + 1;
    if (idle > 100'000) {
      broken = "time stands still";
      return;
    }
    clock.steady = std::max(clock.steady, next_us);
    if (first != nullptr) {
      step(*first);
      continue;
    }
    const auto what = std::move(events_.begin()->second);
    events_.erase(events_.begin());
    what();
  }
  if (!until || !until()) clock.steady = std::max(clock.steady, end_us);
}

bool bridge_world::is_settled() const {
  if (database.due() > 0) return false;
  for (const auto& [number, each] : bridges_) {
    if (!each->engine->is_idle()) return false;
  }
  return events_.empty();
}

bool bridge_world::settle(std::int64_t time_us) {
  run(time_us, [this] { return is_settled() || !broken.empty(); });
  return is_settled();
}

std::string bridge_world::verdict() const {
  if (!broken.empty()) return broken;
  for (const auto& [id, row] : database.rows()) {
    const auto key = stream_id(row.name);
    const auto found = service.users().find(key);
    const bool is_there = found != service.users().end();
    const auto is = is_there ? found->second.is : fake_stream::state::deleted;
    if (row.last == sync_result::parked) {
      if (service.poisoned.contains(key) || service.troublesome.contains(key)) continue;
      return row.name + " is parked for nothing: " + row.error;
    }
    if (row.last == sync_result::gone) {
      if (is_there && is == fake_stream::state::deleted) continue;
      return row.name + " is given up, and not deleted there";
    }
    if (row.synced_version != row.version) {
      return row.name + " has version " + std::to_string(row.synced_version) + " of " +
             std::to_string(row.version);
    }
    switch (row.status) {
      case account_status::active:
        if (!is_there || is != fake_stream::state::active) return row.name + " is not active there";
        if (found->second.shown.value("name", "") != row.wanted.name.value_or(""))
          return row.name + " shows something old";
        break;
      case account_status::blocked:
        if (is_there && is == fake_stream::state::active) return row.name + " is blocked, and active there";
        break;
      case account_status::deleted:
        if (is_there && is != fake_stream::state::deleted) return row.name + " is deleted, and there";
        break;
    }
  }
  return {};
}

}  // namespace restante::bridge_model
