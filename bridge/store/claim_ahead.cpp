#include "bridge/store/claim_ahead.h"

#include <algorithm>
#include <array>
#include <exception>
#include <iterator>
#include <utility>

#include "threads/quiet_thread.h"

namespace restante {
namespace {

postgres_sync_store::settings beside(postgres_sync_store::settings how) {
  how.adds_target = false;
  return how;
}

std::vector<sync_outcome> released(std::vector<sync_job> jobs) {
  std::vector<sync_outcome> outcomes;
  outcomes.reserve(jobs.size());
  for (sync_job& each : jobs) {
    outcomes.push_back({.account_id = each.account_id,
                        .version = each.version,
                        .how = sync_result::released,
                        .remote = each.remote,
                        .hash = std::move(each.synced_hash)});
  }
  return outcomes;
}

}  // namespace

claim_ahead::claim_ahead(const postgres_sync_store::settings& how, bridge_log& log, timing when)
    : timing_(when), log_(log), direct_(how, log), beside_(beside(how), log) {
  thread_ = start_quiet_thread([this] { run(); });
}

claim_ahead::~claim_ahead() {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = 0;
    stops_ = ends_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::optional<std::vector<sync_job>> claim_ahead::claim(std::size_t limit) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_quiet(); });
  std::vector<sync_job> jobs;
  if (limit < ahead_.size()) {
    const auto rest = ahead_.begin() + static_cast<std::ptrdiff_t>(limit);
    jobs.assign(std::make_move_iterator(ahead_.begin()), std::make_move_iterator(rest));
    ahead_.erase(ahead_.begin(), rest);
    return jobs;
  }
  jobs = std::exchange(ahead_, {});
  if (jobs.size() < limit) {
    lock.unlock();
    // What became due since the claim ahead counts too: fewer than `limit` says that nothing more is due.
    auto more = direct_.claim(limit - jobs.size());
    lock.lock();
    if (!more) {
      ahead_ = std::move(jobs);
      changed_.notify_all();
      return std::nullopt;
    }
    std::move(more->begin(), more->end(), std::back_inserter(jobs));
  }
  if (limit == 0 || jobs.size() < limit) {
    last_full_.reset();
    return jobs;
  }
  const auto now = steady::now();
  const auto before = std::exchange(last_full_, now);
  if (!stops_ && before && now - *before < timing_.busy) {
    wanted_ = limit;
    is_spoiled_ = false;
    changed_.notify_all();
  }
  return jobs;
}

bool claim_ahead::settle(std::span<const sync_outcome> outcomes) {
  if (direct_.settle(outcomes)) return true;
  const std::lock_guard lock(mutex_);
  wanted_ = 0;
  is_spoiled_ = true;
  changed_.notify_all();
  return false;
}

void claim_ahead::stop() {
  const std::lock_guard lock(mutex_);
  wanted_ = 0;
  stops_ = true;
  changed_.notify_all();
}

bool claim_ahead::is_idle() const {
  const std::lock_guard lock(mutex_);
  return wanted_ == 0 && !is_working_ && ahead_.empty();
}

void claim_ahead::interrupt() {
  direct_.interrupt();
  beside_.interrupt();
}

bool claim_ahead::must_give_back() const {
  return !ahead_.empty() && (stops_ || is_spoiled_ || steady::now() >= begun_ + timing_.fresh);
}

void claim_ahead::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (wanted_ > 0) {
      claim_beside(lock);
    } else if (must_give_back()) {
      give_back(lock);
    } else if (ends_) {
      return;
    } else if (ahead_.empty()) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, begun_ + timing_.fresh);
    }
  }
}

void claim_ahead::claim_beside(std::unique_lock<std::mutex>& lock) {
  const std::size_t limit = std::exchange(wanted_, 0);
  is_working_ = true;
  lock.unlock();
  const auto begun = steady::now();
  std::optional<std::vector<sync_job>> jobs;
  try {
    jobs = beside_.claim(limit);
  } catch (const std::exception& mistake) {
    say_mistake(mistake.what());
  }
  lock.lock();
  is_working_ = false;
  if (jobs) ahead_ = std::move(*jobs);
  begun_ = begun;
  changed_.notify_all();
}

void claim_ahead::give_back(std::unique_lock<std::mutex>& lock) {
  auto jobs = std::exchange(ahead_, {});
  is_working_ = true;
  lock.unlock();
  try {
    static_cast<void>(beside_.settle(released(std::move(jobs))));
  } catch (const std::exception& mistake) {
    say_mistake(mistake.what());
  }
  lock.lock();
  is_working_ = false;
  changed_.notify_all();
}

void claim_ahead::say_mistake(const char* what) {
  const std::array fields{bridge_log::field{"error", what}};
  log_.write(bridge_log_level::error, "mistake", fields);
}

}  // namespace restante
