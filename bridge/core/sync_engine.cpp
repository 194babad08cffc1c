// What is done now: settle, claim, send. What answers do is in sync_engine_answers.cpp.
#include "bridge/core/sync_engine.h"

#include <algorithm>
#include <utility>

namespace restante {

namespace {

constexpr std::int64_t second_us = 1'000'000;
constexpr std::int64_t spare_us = 5 * second_us;  // between the end of a request and that of a lease
constexpr std::size_t settled_at_once = 500;
constexpr std::size_t fewest_waiting = 64;
constexpr int claims_at_once = 8;

std::int64_t to_us(std::chrono::milliseconds time) { return std::chrono::microseconds(time).count(); }

}  // namespace

sync_engine::sync_engine(sync_settings settings, target& service, sync_store& store, transport& out,
                         const bridge_clock& clock, randomness& chance, bridge_log& log,
                         sync_observer& observer)
    : settings_(settings),
      target_(service),
      store_(store),
      out_(out),
      clock_(clock),
      chance_(chance),
      log_(log),
      observer_(observer),
      waiting_(service.operations().size()),
      pacers_(service.operations().size() + 1) {}

std::int64_t sync_engine::step() {
  const std::int64_t now_us = clock_.steady_us();
  settle(now_us);
  give_back_lapsing(now_us);
  if (stopping_) {
    give_back_waiting();
  } else {
    send_all(now_us);
    give_back_crowded(now_us);
  }
  settle(now_us);
  return next_time(now_us);
}

void sync_engine::abandon() {
  for (auto& [number, each] : flights_) {
    in_doubt(each.what);
    for (auto& item : each.what.items) give_back(std::move(item));
  }
  flights_.clear();
}

void sync_engine::settle(std::int64_t now_us) {
  while (!outcomes_.empty() && (stopping_ || now_us >= next_settle_us_)) {
    const std::size_t count = std::min(outcomes_.size(), settled_at_once);
    if (!store_.settle(std::span(outcomes_).first(count))) {
      store_failures_ = std::min(store_failures_ + 1, 6);
      next_settle_us_ = now_us + (stopping_ ? second_us / 4 : store_pause_us());
      return;
    }
    store_failures_ = 0;
    for (std::size_t i = 0; i < count; ++i) held_.erase(outcomes_[i].account_id);
    outcomes_.erase(outcomes_.begin(), outcomes_.begin() + static_cast<std::ptrdiff_t>(count));
    next_claim_us_ = 0;  // what changed meanwhile is due at once
  }
}

std::int64_t sync_engine::store_pause_us() {
  return static_cast<std::int64_t>((0.5 + chance_.fraction()) *
                                   static_cast<double>((second_us / 8) << store_failures_));
}

std::int64_t sync_engine::sendable_until(const sync_item& item) const {
  return held_.at(item.job.account_id).lease_end_us - to_us(settings_.request_timeout) - spare_us;
}

// Takes out what could not be sent any more without outliving its lease.
std::vector<sync_item> sync_engine::take_lapsing(std::vector<sync_item>& items, std::int64_t now_us) {
  const auto first = std::stable_partition(
      items.begin(), items.end(), [&](const sync_item& each) { return now_us < sendable_until(each); });
  std::vector<sync_item> lapsing(std::make_move_iterator(first), std::make_move_iterator(items.end()));
  items.erase(first, items.end());
  return lapsing;
}

void sync_engine::give_back_lapsing(std::int64_t now_us) {
  if (now_us < next_lapse_us_) return;
  std::int64_t next_us = pacer::never;
  const auto sweep = [&](std::vector<sync_item>& items) {
    for (auto& each : take_lapsing(items, now_us)) give_back(std::move(each));
    for (const auto& each : items) next_us = std::min(next_us, sendable_until(each));
  };
  for (auto& queue : waiting_) {
    std::vector<sync_item> items(std::make_move_iterator(queue.begin()),
                                 std::make_move_iterator(queue.end()));
    sweep(items);
    queue.assign(std::make_move_iterator(items.begin()), std::make_move_iterator(items.end()));
  }
  for (auto& each : pieces_) sweep(each.items);
  for (auto& each : tasks_) sweep(each.items);
  std::erase_if(pieces_, [](const unit& each) { return each.items.empty(); });
  std::erase_if(tasks_, [](const unit& each) { return each.items.empty(); });
  next_lapse_us_ = next_us;
}

// Keeps one operation that has to wait from filling all the room.
void sync_engine::give_back_crowded(std::int64_t now_us) {
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    const std::size_t batch = target_.operations()[i].batch;
    if (waiting_[i].size() <= std::max(2 * batch, fewest_waiting)) continue;
    const std::int64_t at_us = pacers_[i].may_send_at(now_us);
    if (at_us == pacer::never || at_us - now_us < spare_us) continue;
    const auto delay = std::chrono::milliseconds((at_us - now_us) / 1000 +
                                                 static_cast<std::int64_t>(chance_.fraction() * 1000));
    while (waiting_[i].size() > batch) {
      give_back(std::move(waiting_[i].back()), {}, delay);
      waiting_[i].pop_back();
    }
  }
}

void sync_engine::give_back_waiting() {
  for (auto& queue : waiting_) {
    for (auto& each : queue) give_back(std::move(each));
    queue.clear();
  }
  for (auto* units : {&pieces_}) {
    for (auto& each : *units) {
      for (auto& item : each.items) give_back(std::move(item));
    }
    units->clear();
  }
  for (auto& each : tasks_) {
    for (auto& item : each.items) give_back(std::move(item));
  }
  tasks_.clear();
}

void sync_engine::send_all(std::int64_t now_us) {
  if (now_us < health_.try_at_us()) return;
  while (flights_.size() < health_.room(settings_.concurrent)) {
    auto next = next_unit(now_us);
    if (!next) return;
    send(*std::move(next), now_us);
  }
}

std::optional<sync_engine::unit> sync_engine::next_unit(std::int64_t now_us) {
  if (pacers_[task_pacer()].may_send_at(now_us) <= now_us) {
    for (auto at = tasks_.begin(); at != tasks_.end(); ++at) {
      if (at->due_us > now_us) continue;
      auto due = std::move(*at);
      tasks_.erase(at);
      return due;
    }
  }
  // While it is away it is tried with what it has not failed on.
  const bool is_away = health_.now() == target_health::state::away;
  if (auto piece = take_piece(now_us, is_away)) return piece;
  if (auto full = full_or_any(now_us, true)) return full;
  for (int i = 0; i < claims_at_once && claim(now_us); ++i) {
    if (auto full = full_or_any(now_us, true)) return full;
  }
  if (auto any = full_or_any(now_us, false)) return any;
  return is_away ? take_piece(now_us, false) : std::nullopt;
}

std::optional<sync_engine::unit> sync_engine::take_piece(std::int64_t now_us, bool untroubled_only) {
  for (auto at = pieces_.begin(); at != pieces_.end(); ++at) {
    if ((untroubled_only && at->troubles > 0) || pacers_[at->operation].may_send_at(now_us) > now_us)
      continue;
    auto piece = std::move(*at);
    pieces_.erase(at);
    return piece;
  }
  return std::nullopt;
}

std::optional<sync_engine::unit> sync_engine::full_or_any(std::int64_t now_us, bool full_only) {
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    if (waiting_[i].empty() || (full_only && waiting_[i].size() < target_.operations()[i].batch)) continue;
    if (pacers_[i].may_send_at(now_us) <= now_us) return take_batch(i);
  }
  return std::nullopt;
}

sync_engine::unit sync_engine::take_batch(std::size_t operation) {
  const auto& limits = target_.operations()[operation];
  auto& queue = waiting_[operation];
  unit batch;
  batch.operation = operation;
  std::size_t bytes = 0;
  while (!queue.empty() && batch.items.size() < limits.batch) {
    bytes += queue.front().step.content.size();
    if (!batch.items.empty() && bytes > limits.batch_bytes) break;
    batch.items.push_back(std::move(queue.front()));
    queue.pop_front();
  }
  return batch;
}

std::size_t sync_engine::waiting() const {
  std::size_t sum = 0;
  for (const auto& queue : waiting_) sum += queue.size();
  for (const auto& each : pieces_) sum += each.items.size();
  return sum;
}

// The first operation is what most accounts need: as long as it has to wait, no more is claimed, so that what
// is sent is the newest, and other bridges may take it.
bool sync_engine::may_claim(std::int64_t now_us) const {
  return !stopping_ && now_us >= next_claim_us_ && now_us >= next_settle_us_ &&
         held_.size() < settings_.held &&
         waiting() < std::max(2 * target_.operations()[0].batch, fewest_waiting) &&
         pacers_[0].may_send_at(now_us) <= now_us;
}

// Whether there was something.
bool sync_engine::claim(std::int64_t now_us) {
  settle(now_us);
  if (!may_claim(now_us)) return false;
  const std::size_t slots = health_.room(settings_.concurrent) - flights_.size();
  const std::size_t wanted = std::max(slots * target_.operations()[0].batch, fewest_waiting);
  const std::size_t limit = std::min(wanted, settings_.held - held_.size());
  auto jobs = store_.claim(limit);
  if (!jobs) {
    store_failures_ = std::min(store_failures_ + 1, 6);
    next_claim_us_ = now_us + store_pause_us();
    return false;
  }
  store_failures_ = 0;
  const std::int64_t lease_end_us = now_us + to_us(settings_.lease);
  for (auto& job : *jobs) {
    if (!held_.emplace(job.account_id, holding{lease_end_us, 0}).second) continue;  // its lease had ended
    plan({std::move(job), {}});
  }
  next_lapse_us_ = std::min(next_lapse_us_, lease_end_us - to_us(settings_.request_timeout) - spare_us);
  if (jobs->size() < limit) {
    std::int64_t wait_us = to_us(settings_.look);
    if (const auto due = store_.next_due()) wait_us = std::clamp<std::int64_t>(to_us(*due), 1'000, wait_us);
    next_claim_us_ = now_us + wait_us;
  }
  return !jobs->empty();
}

void sync_engine::send(unit what, std::int64_t now_us) {
  for (auto& each : take_lapsing(what.items, now_us)) give_back(std::move(each));
  if (what.items.empty()) return;
  auto request =
      what.task.empty() ? target_.request(what.operation, what.items) : target_.task_request(what.task);
  request.timeout = settings_.request_timeout;
  pacers_[what.task.empty() ? what.operation : task_pacer()].sent(now_us);
  const std::uint64_t number = ++last_number_;
  flights_.emplace(number, flight{std::move(what), now_us});
  out_.send(number, std::move(request));
}

std::int64_t sync_engine::next_time(std::int64_t now_us) const {
  std::int64_t at_us = now_us + to_us(settings_.look);
  if (!outcomes_.empty()) at_us = std::min(at_us, next_settle_us_);
  if (stopping_) return std::max(at_us, now_us);
  at_us = std::min(at_us, next_lapse_us_);
  if (flights_.size() < health_.room(settings_.concurrent)) {
    const std::int64_t from_us = std::max(now_us, health_.try_at_us());
    const auto consider = [&](std::size_t which, std::int64_t not_before_us) {
      const std::int64_t paced_us = pacers_[which].may_send_at(std::max(from_us, not_before_us));
      at_us = std::min(at_us, std::max({paced_us, from_us, not_before_us}));
    };
    for (const auto& each : tasks_) consider(task_pacer(), each.due_us);
    for (const auto& each : pieces_) consider(each.operation, 0);
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
      if (!waiting_[i].empty()) consider(i, 0);
    }
    if (held_.size() < settings_.held &&
        waiting() < std::max(2 * target_.operations()[0].batch, fewest_waiting)) {
      consider(0, std::max(next_claim_us_, next_settle_us_));
    }
  }
  return std::max(at_us, now_us);
}

}  // namespace restante
