#include "postgres/batch_writer.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <string_view>
#include <tuple>
#include <utility>

#include "core/names.h"
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

batch_writer::batch_writer(batch_settings settings, account_ids& ids, log_function log)
    : settings_(settings),
      log_(std::move(log)),
      room_(settings.mailbox_limit),
      ids_(ids),
      name_(static_cast<std::int64_t>(std::random_device{}()) << 31) {}

void batch_writer::begin_session() { has_days_ = false; }

void batch_writer::give(store_batch batch) {
  batch_ = std::move(batch);
  ++name_;
  ready_.reset();
  kind_ = attempt_kind::first;
  days_made_ = false;
  piecemeal_ = false;
}

batch_result batch_writer::finish(batch_result result) {
  settled_.clear();
  for (const outgoing& each : *ready_) {
    if (each.dead_letter != 0) settled_.push_back(each.dead_letter);
  }
  for (const removal& each : batch_->removals) room_.removed(each.account);
  for (const removal_by_key& each : batch_->removals_by_key) {
    if (!each.find_only) room_.removed(each.account);
  }
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

// Everybody and every day that the batch speaks of.
result<void> batch_writer::look_up(connection& to) {
  std::vector<std::string_view> names = names_in(*ready_);
  bool has_days = has_days_;
  for (const removal& each : batch_->removals) {
    names.push_back(each.account);
    has_days = has_days && days_.contains(day_of(each.number));
  }
  for (const removal_by_key& each : batch_->removals_by_key) {
    names.push_back(each.account);
    names.push_back(each.key.sender);
  }
  if (auto found = ids_.look_up(to, names); !found) return found;
  if (has_days || days_listed_) return {};
  const auto days = list_days(to);
  if (!days) return days.error();
  days_.clear();
  days_.insert(days->begin(), days->end());
  has_days_ = true;
  days_listed_ = true;
  return {};
}

result<batch_result> batch_writer::attempt(connection& to, std::int64_t clock_offset_us) {
  if (in_doubt_) {
    const auto committed = was_committed(to, name_);
    if (!committed) return committed.error();
    if (*committed) return finish(std::move(*in_doubt_));
    in_doubt_.reset();
  }
  if (auto made = make_ready(to, clock_offset_us); !made) return made.error();
  ids_.forget_some();
  days_listed_ = false;
  for (;;) {
    auto written = piecemeal_ ? write_piecemeal(to) : write(to, *ready_);
    if (written) return finish(std::move(written).value());
    const auto mended = mend(to, written.error());
    if (!mended) return mended.error();
    if (!*mended) return written.error();
  }
}

// Whether it is worth trying again at once.
result<bool> batch_writer::mend(connection& to, const database_error& why) {
  // A partition that was there has gone meanwhile.
  if (why.sqlstate == "42P01" && !days_listed_) {
    has_days_ = false;
    return true;
  }
  if (!is_refusal(why) || piecemeal_) return false;
  // What is stored already was stored before a crash, or by two records of one journal.
  if (why.sqlstate == "23505" && kind_ == attempt_kind::first) {
    kind_ = attempt_kind::again;
    return true;
  }
  // Nobody has made a partition for that day: the messages waited long, or nobody has rolled.
  if (why.sqlstate == "23514" && !days_made_ && !ready_->empty()) {
    days_made_ = true;
    has_days_ = false;
    days_listed_ = false;
    const auto oldest =
        std::ranges::min_element(*ready_, {}, [](const outgoing& each) { return each.what->number; });
    const auto rolled = to.execute(
        "select made from restante_roll(make_interval(secs => $1), 7,"
        " number_time(least(greatest($2, 0), (extract(epoch from now()) * 1000000)::bigint))::date)",
        {static_cast<double>(settings_.retention_us) / 1e6, oldest->what->number});
    if (!rolled) return rolled.error();
    return true;
  }
  piecemeal_ = true;
  kind_ = attempt_kind::again;
  return true;
}

result<batch_result> batch_writer::write(connection& to, outgoing_span messages) {
  if (auto found = look_up(to); !found) return found.error();
  auto begun = pipeline::begin(to);
  if (!begun) return begun.error();
  store_messages(*begun, messages, ids_, settings_.retention_us, kind_);
  auto removed = remove(*begun);
  if (!removed) return removed.error();
  mark_stored_through(*begun, batch_->stored_through, name_);
  if (auto committed = begun->finish(); !committed) {
    if (committed.error().kind == database_failure::unreachable) in_doubt_ = std::move(removed).value();
    return committed.error();
  }
  return removed;
}

result<batch_result> batch_writer::write_piecemeal(connection& to) {
  if (auto found = look_up(to); !found) return found.error();
  if (auto stored = store_or_refuse(to, *ready_); !stored) return stored.error();
  return write(to, {});
}

result<void> batch_writer::store_or_refuse(connection& to, outgoing_span messages) {
  if (messages.empty()) return {};
  const auto attempted = [&]() -> result<void> {
    auto begun = pipeline::begin(to);
    if (!begun) return begun.error();
    store_messages(*begun, messages, ids_, settings_.retention_us, kind_);
    // Should the commit be in doubt, all of this is done again, to the same end.
    return begun->finish();
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
    if (!message.is_for(i)) continue;
    rows.push(kept, {readable((*message.recipients)[i])}, nullptr, message.expires_at_us);
  }
  const auto kept_as_dead_letter = [&]() -> result<void> {
    auto begun = pipeline::begin(to);
    if (!begun) return begun.error();
    bury(*begun, rows, "refused", settings_.retention_us);
    if (message.dead_letter != 0) settle_dead_letters(*begun, {&message.dead_letter, 1});
    return begun->finish();
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

// Of what is wanted by key: each key once, with the places in the batch that want it.
struct batch_writer::wanted_keys {
  std::vector<wanted_key> keys;
  std::vector<std::vector<std::size_t>> wanted_by;
};

// A row that is removed by its number is found by no key, and each row by one key only.
result<batch_result> batch_writer::remove(pipeline& from) {
  std::set<delivery_place> gone;
  for (const removal& each : batch_->removals) {
    if (const account_place* const place = ids_.find(each.account))
      gone.insert({place->mailbox_id, each.number});
  }
  batch_result answer;
  answer.removals_by_key.resize(batch_->removals_by_key.size());
  const wanted_keys wanted = keys_wanted();
  const std::vector<newer_receipt> receipts = receipts_among(*ready_, ids_);
  const std::size_t keys_place = wanted.keys.empty() ? 0 : find_by_key(from, wanted.keys);
  const std::size_t receipts_place = receipts.empty() ? 0 : find_older_receipts(from, receipts);

  if (!wanted.keys.empty()) {
    const auto found = from.answer(keys_place);
    if (!found) return found.error();
    take_found(wanted, read_found(*found), answer, gone);
  }
  if (!receipts.empty()) {
    const auto found = from.answer(receipts_place);
    if (!found) return found.error();
    for (const found_delivery& each : read_found(*found)) {
      gone.insert({receipts[each.asked].recipient->mailbox_id, each.number});
    }
  }
  std::map<std::int64_t, std::vector<delivery_place>> by_day;
  for (const delivery_place& each : gone) by_day[day_of(each.number)].push_back(each);
  for (const auto& [day, places] : by_day) {
    if (days_.contains(day)) remove_deliveries(from, day, places);
  }
  return answer;
}

batch_writer::wanted_keys batch_writer::keys_wanted() {
  wanted_keys made;
  std::map<std::tuple<std::int64_t, std::int64_t, std::string_view>, std::size_t> seen;
  for (std::size_t i = 0; i < batch_->removals_by_key.size(); ++i) {
    const removal_by_key& each = batch_->removals_by_key[i];
    const account_place *const account = ids_.find(each.account), *const sender = ids_.find(each.key.sender);
    if (!account || !sender || !is_message_id(each.key.id)) continue;
    const auto [known, is_new] =
        seen.try_emplace({account->mailbox_id, sender->account_id, each.key.id}, made.keys.size());
    if (is_new) {
      made.keys.push_back({account, sender, each.key.id});
      made.wanted_by.emplace_back();
    }
    made.wanted_by[known->second].push_back(i);
  }
  return made;
}

void batch_writer::take_found(const wanted_keys& wanted, const std::vector<found_delivery>& found,
                              batch_result& answer, std::set<delivery_place>& gone) const {
  std::vector<std::vector<const found_delivery*>> waiting(wanted.keys.size());
  for (const found_delivery& each : found) waiting[each.asked].push_back(&each);
  for (std::size_t key = 0; key < waiting.size(); ++key) {
    for (const std::size_t at : wanted.wanted_by[key]) {
      const removal_by_key& asked = batch_->removals_by_key[at];
      for (const found_delivery* row : waiting[key]) {
        const delivery_place place{wanted.keys[key].account->mailbox_id, row->number};
        if (row->number > asked.through || gone.contains(place)) continue;
        answer.removals_by_key[at] = {true, row->number, row->passes_receipts};
        if (!asked.find_only) gone.insert(place);
        break;
      }
    }
  }
}

}  // namespace restante
