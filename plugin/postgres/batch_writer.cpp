#include "postgres/batch_writer.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include "postgres/batch_storing.h"
#include "postgres/readable.h"

namespace restante {
namespace {

std::int64_t local_now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

bool is_refusal(const database_error& error) {
  return error.kind == database_failure::data || error.sqlstate.starts_with("54");
}

batch_writer::batch_writer(batch_settings settings, log_function log)
    : settings_(settings), log_(std::move(log)), room_(settings.mailbox_limit) {}

void batch_writer::give(store_batch batch) {
  batch_ = std::move(batch);
  ready_.reset();
  days_made_ = false;
  piecemeal_ = false;
}

batch_result batch_writer::finish(batch_result result) {
  settled_.clear();
  for (const outgoing& each : *ready_) {
    if (each.dead_letter != 0) settled_.push_back(each.dead_letter);
  }
  for (const removal& each : batch_->removals) room_.removed(each.account);
  for (const removal_by_key& each : batch_->removals_by_key) room_.removed(each.account);
  batch_.reset();
  ready_.reset();
  in_doubt_.reset();
  return result;
}

result<void> batch_writer::make_ready(connection& to, std::int64_t clock_offset_us) {
  if (ready_) return {};
  auto made = restante::make_ready(to, batch_->messages, room_, settings_.retention_us,
                                   local_now_us() + clock_offset_us);
  if (!made) return made.error();
  ready_ = std::move(made).value();
  batch_->messages.clear();
  return {};
}

result<batch_result> batch_writer::attempt(connection& to, std::int64_t clock_offset_us) {
  if (in_doubt_) {
    const auto committed = was_committed(to, *in_doubt_, batch_->stored_through);
    if (!committed) return committed.error();
    if (*committed) return finish(std::move(doubtful_result_));
    in_doubt_.reset();
  }
  if (auto made = make_ready(to, clock_offset_us); !made) return made.error();
  while (!piecemeal_) {
    auto written = write_at_once(to, *ready_);
    if (written) return finish(std::move(written).value());
    if (!is_refusal(written.error())) return written.error();
    const auto made = make_missing_days(to, written.error());
    if (!made) return made.error();
    piecemeal_ = !*made;
  }
  auto written = write_piecemeal(to);
  if (!written) return written.error();
  return finish(std::move(written).value());
}

// Whether it is worth trying again: the refusal may come of a day that nobody has made a partition for, since
// the messages waited long or nobody has rolled.
result<bool> batch_writer::make_missing_days(connection& to, const database_error& why) {
  if (days_made_ || why.sqlstate != "23514" || ready_->empty()) return false;
  days_made_ = true;
  const auto oldest =
      std::ranges::min_element(*ready_, {}, [](const outgoing& each) { return each.what->number; });
  const auto rolled = to.execute(
      "select made from restante_roll(make_interval(secs => $1), 7,"
      " number_time(least(greatest($2, 0), (extract(epoch from now()) * 1000000)::bigint))::date)",
      {static_cast<double>(settings_.retention_us) / 1e6, oldest->what->number});
  if (!rolled) return rolled.error();
  return true;
}

result<batch_result> batch_writer::write_at_once(connection& to, outgoing_span messages) {
  auto begun = transaction::begin(to);
  if (!begun) return begun.error();
  if (auto stored = store_messages(to, messages, settings_.retention_us); !stored) return stored.error();
  auto removed = remove(to);
  if (!removed) return removed.error();
  auto name = mark_stored_through(to, batch_->stored_through);
  if (!name) return name.error();
  if (auto committed = begun->commit(); !committed) {
    if (committed.error().kind == database_failure::unreachable) {
      in_doubt_ = std::move(name).value();
      doubtful_result_ = std::move(removed).value();
    }
    return committed.error();
  }
  return removed;
}

result<batch_result> batch_writer::write_piecemeal(connection& to) {
  if (auto stored = store_or_refuse(to, *ready_); !stored) return stored.error();
  return write_at_once(to, {});
}

result<void> batch_writer::store_or_refuse(connection& to, outgoing_span messages) {
  if (messages.empty()) return {};
  const auto attempted = [&]() -> result<void> {
    auto begun = transaction::begin(to);
    if (!begun) return begun.error();
    if (auto stored = store_messages(to, messages, settings_.retention_us); !stored) return stored;
    // Should the commit be in doubt, all of this is done again, to the same end.
    return begun->commit();
  }();
  if (attempted || !is_refusal(attempted.error())) return attempted;
  if (messages.size() == 1) return refuse(to, messages[0], attempted.error());
  const std::size_t half = messages.size() / 2;
  if (auto first = store_or_refuse(to, messages.first(half)); !first) return first;
  return store_or_refuse(to, messages.subspan(half));
}

result<void> batch_writer::refuse(connection& to, const outgoing& message, const database_error& why) {
  const std::string named =
      "message " + std::to_string(message.what->number) + " on " + readable(message.what->topic);
  struct message kept = *message.what;
  kept.topic = readable(kept.topic);
  kept.key = {readable(kept.key.sender), readable(kept.key.id)};
  message_rows rows;
  for (std::size_t i = 0; i < message.recipients->size(); ++i) {
    if (message.is_for(i)) rows.push(kept, readable((*message.recipients)[i]), message.expires_at_us);
  }
  const auto kept_as_dead_letter = [&]() -> result<void> {
    auto begun = transaction::begin(to);
    if (!begun) return begun.error();
    if (auto buried = bury(to, rows, "refused", settings_.retention_us); !buried) return buried;
    if (message.dead_letter != 0) {
      if (auto done = settle_dead_letters(to, {&message.dead_letter, 1}); !done) return done;
    }
    return begun->commit();
  }();
  if (kept_as_dead_letter) {
    log_(log_level::warning, named + " was refused by PostgreSQL and is a dead letter now: " + why.message);
    return {};
  }
  if (!is_refusal(kept_as_dead_letter.error())) return kept_as_dead_letter;
  log_(log_level::error, named + " is lost, PostgreSQL takes it neither as mail (" + why.message +
                             ") nor as a dead letter (" + kept_as_dead_letter.error().message + ")");
  return {};
}

// A row that is removed by its number is found by no key, and each row by one key only.
result<batch_result> batch_writer::remove(connection& to) {
  batch_result answer;
  std::vector<removal> gone = batch_->removals;
  answer.removals_by_key.resize(batch_->removals_by_key.size());
  std::vector<wanted_key> wanted;
  for (const removal_by_key& each : batch_->removals_by_key) wanted.push_back({each.account, &each.key});
  const auto found = wanted.empty() ? result<std::vector<found_delivery>>(std::vector<found_delivery>())
                                    : find_by_key(to, wanted);
  if (!found) return found.error();

  std::set<std::pair<std::string_view, message_number>> taken;
  for (const removal& each : batch_->removals) taken.emplace(each.account, each.number);
  std::map<std::pair<std::string_view, message_key>, std::vector<const found_delivery*>> waiting;
  for (const found_delivery& each : *found) waiting[{each.account, each.key}].push_back(&each);

  for (std::size_t i = 0; i < batch_->removals_by_key.size(); ++i) {
    const removal_by_key& each = batch_->removals_by_key[i];
    const auto rows = waiting.find({each.account, each.key});
    if (rows == waiting.end()) continue;
    for (const found_delivery* row : rows->second) {
      if (row->number > each.through || taken.contains({row->account, row->number})) continue;
      answer.removals_by_key[i] = {true, row->number, row->passes_receipts};
      if (!each.find_only) {
        taken.emplace(row->account, row->number);
        gone.push_back({row->account, row->number});
      }
      break;
    }
  }
  if (!gone.empty()) {
    if (auto removed = remove_deliveries(to, gone); !removed) return removed.error();
  }
  return answer;
}

}  // namespace restante
