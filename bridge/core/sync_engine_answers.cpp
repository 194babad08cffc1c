// What answers do to the accounts they are about.
#include <algorithm>
#include <array>
#include <utility>

#include "bridge/core/rate_headers.h"
#include "bridge/core/sync_engine.h"

namespace restante {

namespace {

constexpr std::int64_t second_us = 1'000'000;
constexpr int most_steps = 8;       // of one account in one go
constexpr int most_troubles = 3;    // of one account's requests, while the service works for others
constexpr int most_forbidden = 16;  // in a row: then it is not about accounts

std::int64_t to_us(std::chrono::milliseconds time) { return std::chrono::microseconds(time).count(); }

std::string_view outcome_name(answer_kind what) {
  switch (what) {
    case answer_kind::done:
    case answer_kind::started:
    case answer_kind::running:
      return "ok";
    case answer_kind::refused:
      return "refused";
    case answer_kind::failed:
      return "failed";
    case answer_kind::deleted:
      return "deleted";
    case answer_kind::deactivated:
      return "deactivated";
    case answer_kind::missing:
      return "missing";
    case answer_kind::forbidden:
      return "forbidden";
    case answer_kind::rate_limited:
      return "rate_limited";
    case answer_kind::unavailable:
      return "unavailable";
    case answer_kind::credentials:
      return "credentials";
  }
  return "";
}

}  // namespace

void sync_engine::answered(std::uint64_t number, const http_response& response) {
  const auto found = flights_.find(number);
  if (found == flights_.end()) return;
  auto [what, sent_us] = std::move(found->second);
  flights_.erase(found);

  const std::int64_t now_us = clock_.steady_us();
  const bool of_task = !what.task.empty();
  const std::string_view operation = of_task ? "task" : target_.operations()[what.operation].name;
  auto& pace = pacers_[of_task ? task_pacer() : what.operation];
  const std::int64_t now_unix_s = clock_.now_us() / second_us;
  std::optional<rate_budget> budget;
  if (response.failure == http_failure::none) {
    if (const auto date = read_date(response)) {
      service_clock_.learn(*date, now_us);
    } else if (!service_clock_.is_known()) {
      service_clock_.learn(now_unix_s, now_us);
    }
    budget = read_rate_budget(response);
    pace.answered(number, budget, service_clock_, now_us);
    if (budget) observer_.budget(operation, budget->limit, budget->remaining);
  } else {
    pace.lost(now_us);
  }

  const auto said = target_.judge(what.operation, what.items, response, of_task);
  observer_.requested(operation, outcome_name(said.what), static_cast<double>(now_us - sent_us) / second_us);
  if (said.what == answer_kind::rate_limited) {
    const auto retry_after_s = read_retry_after_s(response, now_unix_s);
    if (budget) {
      pace.limited(retry_after_s, chance_.fraction(), now_us);
    } else {  // not of this operation's budget: of the whole address
      for (auto& each : pacers_) each.limited(retry_after_s, chance_.fraction(), now_us);
    }
    put_back(std::move(what), now_us, true);
    return;
  }
  pace.went_through();
  if (said.what == answer_kind::unavailable) {
    const bool by_status =
        response.failure == http_failure::none || response.failure == http_failure::timeout;
    service_is_away(std::move(what), said, by_status, sent_us, now_us);
    return;
  }
  const bool forbidden = said.what == answer_kind::forbidden;
  if (said.what == answer_kind::credentials ||
      (forbidden && (!ever_went_well_ || ++forbidden_in_a_row_ > most_forbidden))) {
    credentials_refused(std::move(what), said, sent_us, now_us);
    return;
  }
  if (!forbidden) {
    renewed_ = false;
    forbidden_in_a_row_ = 0;
    if (health_.answered_well(now_us)) {
      say(bridge_log_level::info, "target_available", {});
      observer_.available(true);
    }
  }
  switch (said.what) {
    case answer_kind::done:
      went_well(std::move(what), said, now_us);
      break;
    case answer_kind::started:
      started(std::move(what), said, now_us);
      break;
    case answer_kind::running: {
      what.due_us = now_us + to_us(settings_.task_poll);
      if (now_us < what.give_up_us) {
        tasks_.push_back(std::move(what));
        break;
      }
      for (auto& each : what.items) own_failure(std::move(each), "its task did not end in time");
      break;
    }
    default:
      went_wrong(std::move(what), said, now_us);
      break;
  }
}

void sync_engine::went_well(unit what, const sync_answer& said, std::int64_t /*now_us*/) {
  ever_went_well_ = true;
  for (std::size_t i = 0; i < what.items.size(); ++i) {
    auto& item = what.items[i];
    item.job.remote = said.found.empty() ? item.step.remote : said.found[i];
    item.job.synced_hash = std::move(item.step.hash);
    item.job.in_doubt = false;
    plan(std::move(item));
  }
}

void sync_engine::started(unit what, const sync_answer& said, std::int64_t now_us) {
  in_doubt(what);
  what.task = said.task;
  what.due_us = now_us + to_us(settings_.task_poll);
  what.give_up_us = now_us + to_us(settings_.task_longest);
  tasks_.push_back(std::move(what));
}

// None of the accounts was taken. One is bad, so the others go without it.
void sync_engine::went_wrong(unit what, const sync_answer& said, std::int64_t now_us) {
  what.task.clear();
  if (what.items.size() == 1) {
    one_went_wrong(std::move(what.items.front()), said, now_us);
  } else {
    divide(std::move(what), said.culprit);
  }
}

void sync_engine::one_went_wrong(sync_item item, const sync_answer& said, std::int64_t /*now_us*/) {
  auto& job = item.job;
  switch (said.what) {
    case answer_kind::deleted:
      job.remote = remote_state::deleted;
      job.synced_hash.clear();
      if (job.status == account_status::deleted) return plan(std::move(item));
      return finish(std::move(item), sync_result::gone, said.error);
    case answer_kind::deactivated:
      job.remote = remote_state::deactivated;
      job.synced_hash.clear();
      return plan(std::move(item));
    case answer_kind::missing:
      job.remote = remote_state::absent;
      job.synced_hash.clear();
      job.in_doubt = false;
      return plan(std::move(item));
    case answer_kind::refused:
      return finish(std::move(item), sync_result::parked, said.error);
    default:
      return own_failure(std::move(item), said.error);
  }
}

// The suspect and the rest, when one was named; else halves.
void sync_engine::divide(unit what, std::optional<std::size_t> culprit) {
  const bool is_named = culprit && *culprit < what.items.size();
  unit first = what, second = std::move(what);
  first.items.clear();
  if (is_named) {
    const auto at = second.items.begin() + static_cast<std::ptrdiff_t>(*culprit);
    first.items.push_back(std::move(*at));
    second.items.erase(at);
  } else {
    const auto half = second.items.begin() + static_cast<std::ptrdiff_t>(second.items.size() / 2);
    first.items.assign(std::make_move_iterator(second.items.begin()), std::make_move_iterator(half));
    second.items.erase(second.items.begin(), half);
  }
  pieces_.push_front(std::move(first));
  pieces_.push_front(std::move(second));
}

void sync_engine::service_is_away(unit what, const sync_answer& said, bool by_status, std::int64_t sent_us,
                                  std::int64_t now_us) {
  in_doubt(what);
  const bool works_for_others = by_status && what.troubles > 0 && health_.well_us() > what.trouble_us;
  ++what.troubles;
  what.trouble_us = now_us;
  if (works_for_others && what.task.empty()) {
    if (what.items.size() > 1) {
      divide(std::move(what), {});
    } else if (what.troubles >= most_troubles) {
      own_failure(std::move(what.items.front()), said.error);
    } else {
      put_back(std::move(what), now_us);
    }
    return;
  }
  if (health_.did_not_work(sent_us, chance_.fraction(), now_us)) {
    say(bridge_log_level::warning, "target_unavailable", said.error);
    observer_.available(false);
  }
  // With nothing else to try it with: one account alone, so that a bad one among many is told from a bad
  // service.
  if (by_status && what.task.empty() && what.troubles > 1 && what.items.size() > 1 && waiting() == 0) {
    divide(std::move(what), 0);
    return;
  }
  put_back(std::move(what), now_us);
}

void sync_engine::credentials_refused(unit what, const sync_answer& said, std::int64_t sent_us,
                                      std::int64_t now_us) {
  put_back(std::move(what), now_us);
  if (sent_us < renewed_us_) return;
  target_.renew_credentials();
  renewed_us_ = now_us;
  if (!std::exchange(renewed_, true)) return;
  if (health_.refused_us(to_us(settings_.credentials_pause), chance_.fraction(), now_us)) {
    const std::array fields = {bridge_log::field{"error", said.error},
                               bridge_log::field{"remedy", std::string(target_.credentials_remedy())}};
    log_.write(bridge_log_level::error, "credentials_refused", fields);
    observer_.available(false);
  }
}

void sync_engine::put_back(unit what, std::int64_t now_us, bool first) {
  if (!what.task.empty()) {
    what.due_us = now_us + to_us(settings_.task_poll);
    tasks_.push_back(std::move(what));
  } else if (first) {
    pieces_.push_front(std::move(what));
  } else {
    pieces_.push_back(std::move(what));
  }
}

void sync_engine::in_doubt(unit& what) {
  for (auto& each : what.items) {
    each.job.in_doubt = true;
    each.job.synced_hash.clear();
  }
}

void sync_engine::plan(sync_item item) {
  item.step = target_.next_step(item.job);
  auto& step = item.step;
  switch (step.what) {
    case sync_step::kind::none:
      return finish(std::move(item), sync_result::synced, {});
    case sync_step::kind::refuse:
      return finish(std::move(item), sync_result::parked, std::move(step.why));
    case sync_step::kind::gone:
      return finish(std::move(item), sync_result::gone, std::move(step.why));
    case sync_step::kind::request:
      break;
  }
  if (++held_.at(item.job.account_id).steps > most_steps) {
    return own_failure(std::move(item), "the service takes every step, and it comes to nothing");
  }
  waiting_[step.operation].push_back(std::move(item));
}

void sync_engine::own_failure(sync_item item, const std::string& error) {
  const int failures = item.job.attempts + 1;
  if (failures >= settings_.attempts) return finish(std::move(item), sync_result::parked, error);
  const double base = static_cast<double>(settings_.own_shortest.count() << std::min(failures - 1, 20));
  const double capped = std::min(base, static_cast<double>(settings_.own_longest.count()));
  const auto delay =
      std::chrono::milliseconds(static_cast<std::int64_t>(capped * (0.75 + chance_.fraction() / 2)));
  finish(std::move(item), sync_result::again, error, delay);
}

void sync_engine::give_back(sync_item item, std::string error, std::chrono::milliseconds delay) {
  finish(std::move(item), sync_result::released, std::move(error), delay);
}

void sync_engine::finish(sync_item item, sync_result how, std::string error,
                         std::chrono::milliseconds delay) {
  auto& job = item.job;
  sync_outcome outcome;
  outcome.account_id = job.account_id;
  outcome.version = job.version;
  outcome.how = how;
  outcome.remote = job.remote == remote_state::absent ? remote_state::unknown : job.remote;
  // It may have got there.
  if (job.in_doubt && outcome.remote == remote_state::unknown) outcome.remote = remote_state::active;
  outcome.hash = std::move(job.synced_hash);
  outcome.error = std::move(error);
  outcome.delay = delay;
  if (how == sync_result::parked || how == sync_result::gone) {
    const std::array fields = {bridge_log::field{"account", job.account},
                               bridge_log::field{"error", outcome.error}};
    log_.write(bridge_log_level::warning, how == sync_result::gone ? "account_gone" : "account_parked",
               fields);
  }
  if (how != sync_result::released && how != sync_result::again) {
    observer_.settled(how, held_.at(job.account_id).steps == 0);
  }
  outcomes_.push_back(std::move(outcome));
}

void sync_engine::say(bridge_log_level level, std::string_view event, std::string_view error) const {
  if (error.empty()) return log_.write(level, event, {});
  const std::array fields = {bridge_log::field{"error", std::string(error)}};
  log_.write(level, event, fields);
}

}  // namespace restante
