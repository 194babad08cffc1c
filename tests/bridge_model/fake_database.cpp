#include "fake_database.h"

#include <algorithm>

namespace restante::bridge_model {

std::int64_t fake_database::add(std::string name, profile wanted) {
  const auto id = static_cast<std::int64_t>(rows_.size()) + 1;
  auto& row = rows_[id];
  row.name = std::move(name);
  row.wanted = std::move(wanted);
  set_due(id, row, clock_.steady_us());
  return id;
}

void fake_database::change(std::int64_t id, profile wanted, account_status status) {
  auto& row = rows_.at(id);
  if (row.wanted == wanted && row.status == status) return;
  row.wanted = std::move(wanted);
  row.status = status;
  ++row.version;
  if (row.last == sync_result::gone && row.remote == remote_state::deleted) return;
  row.attempts = 0;
  // A claimed row stays its bridge's until the lease ends.
  if (row.claimed_by == 0 || !row.due_us || *row.due_us <= clock_.steady_us())
    set_due(id, row, clock_.steady_us());
}

void fake_database::set_due(std::int64_t id, account_row& row, std::optional<std::int64_t> due_us) {
  if (row.due_us) due_.erase({*row.due_us, id});
  row.due_us = due_us;
  if (due_us) due_.emplace(*due_us, id);
}

std::optional<std::vector<sync_job>> store_door::claim(std::size_t limit) {
  ++claims;
  if (is_shut) return std::nullopt;
  const std::int64_t now_us = database_.clock_.steady_us();
  std::vector<sync_job> jobs;
  while (jobs.size() < limit && !database_.due_.empty() && database_.due_.begin()->first <= now_us) {
    const std::int64_t id = database_.due_.begin()->second;
    auto& row = database_.rows_.at(id);
    sync_job job;
    job.account_id = id;
    job.account = row.name;
    job.status = row.status;
    job.wanted = row.wanted;
    job.version = row.version;
    job.remote = row.remote;
    job.in_doubt = row.claimed_by != 0;
    if (!job.in_doubt) job.synced_hash = row.hash;
    job.attempts = row.attempts;
    jobs.push_back(std::move(job));
    row.claimed_by = bridge_;
    row.claimed_version = row.version;
    database_.set_due(id, row, now_us + lease_us_);
  }
  return jobs;
}

bool store_door::settle(std::span<const sync_outcome> outcomes) {
  if (is_shut) return false;
  ++settlements;
  const std::int64_t now_us = database_.clock_.steady_us();
  for (const auto& each : outcomes) {
    auto& row = database_.rows_.at(each.account_id);
    if (row.claimed_by != bridge_) continue;
    row.claimed_by = 0;
    row.remote = each.remote;
    row.hash = each.hash;
    row.last = each.how;
    row.error = each.error;
    std::optional<std::int64_t> due_us;
    switch (each.how) {
      case sync_result::synced:
        row.synced_version = each.version;
        row.attempts = 0;
        break;
      case sync_result::again:
        ++row.attempts;
        due_us = now_us + std::chrono::microseconds(each.delay).count();
        break;
      case sync_result::released:
        due_us = now_us + std::chrono::microseconds(each.delay).count();
        break;
      case sync_result::parked:
      case sync_result::gone:
        break;
    }
    if (row.version > each.version && each.how != sync_result::gone) {
      row.attempts = 0;
      due_us = now_us;
    }
    database_.set_due(each.account_id, row, due_us);
  }
  return !answers_are_lost;
}

std::optional<std::chrono::milliseconds> store_door::next_due() {
  if (is_shut || database_.due_.empty()) return std::nullopt;
  const std::int64_t wait_us = database_.due_.begin()->first - database_.clock_.steady_us();
  return std::chrono::milliseconds(std::max<std::int64_t>((wait_us + 999) / 1000, 0));
}

}  // namespace restante::bridge_model
