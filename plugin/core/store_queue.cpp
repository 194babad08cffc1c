#include "core/store_queue.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "core/names.h"
#include "core/read_back.h"

namespace restante {

bool store_queue::has_room_for_removals(std::size_t count) const noexcept {
  return removal_count_ + count <= limits_.removals && struck_in_overflow_.size() + count <= limits_.removals;
}

std::size_t store_queue::queued_by(std::string_view sender) noexcept {
  const auto* found = senders_.find(sender);
  return found == nullptr ? 0 : found->deliveries;
}

// It leaves the queue, or has no delivery left.
void store_queue::uncount(waiting_message& over) noexcept {
  if (over.counted == nullptr) return;
  over.counted->take(over.deliveries());
  over.counted->pointers -= 1;
  over.counted = nullptr;
}

std::shared_ptr<const account_names> store_queue::names_of(const std::vector<std::string>& accounts) const {
  account_names names;
  names.reserve(accounts.size());
  for (const auto& each : accounts) names.push_back(name_of(each));
  return std::make_shared<const account_names>(std::move(names));
}

void store_queue::describe(const envelope& accepted, journal_position at, std::int64_t now_us,
                           roster_audience audience, waiting_message& made) const {
  constexpr std::size_t beside_texts = 80;
  const message& what = *accepted.what;
  made.number = what.number;
  made.at = at;
  made.since_us = now_us;
  std::size_t bytes = beside_texts + what.topic.size() + what.payload.size() + what.properties.size() +
                      what.key.sender.size() + what.key.id.size() + accepted.group.size();
  for (const auto& each : accepted.recipients) bytes += 1 + each.size();
  made.record_bytes = static_cast<std::uint32_t>(bytes);
  made.left = static_cast<std::uint32_t>(accepted.recipients.size());
  made.is_open = accepted.recipients.empty();
  made.settles_dead_letter = accepted.dead_letter != 0;
  if (made.left == 1) {
    made.recipient = audience.only != 0 ? audience.only : name_of(accepted.recipients.front());
  } else if (made.left > 1) {
    if (audience.members == nullptr) {
      audience.members = names_of(accepted.recipients);
      audience.without = audience.members->size();
    }
    made.several = std::make_unique<waiting_message::audience>();
    made.several->struck.resize(audience.members->size());
    if (audience.without < audience.members->size()) made.several->struck[audience.without] = true;
    made.several->of = std::move(audience);
  }
}

waiting_place store_queue::push(const envelope& accepted, journal_position at, bool counts,
                                std::int64_t now_us, roster_audience audience) {
  const auto number = accepted.what->number;
  const bool is_open = accepted.recipients.empty();
  sender_count* counted = nullptr;
  if (counts) {
    counted = &senders_.find_or_add(accepted.what->key.sender);
    counted->deliveries += is_open ? 1 : accepted.recipients.size();
  } else {
    uncounted_through_ = number;
  }
  if (!has_overflow_ && messages() < limits_.messages && waiting_.bytes() < limits_.bytes) {
    const auto place = waiting_.push(number, [&](waiting_message& entry) {
      describe(accepted, at, now_us, std::move(audience), entry);
      entry.counted = counted;
    });
    if (counted != nullptr) counted->pointers += 1;
    return place;
  }
  if (!has_overflow_) {
    has_overflow_ = true;
    overflow_from_ = at;
    overflow_first_ = number;
  }
  overflow_last_ = at;
  if (is_open) open_in_overflow_.insert(number);
  return unknown_place;
}

bool store_queue::wants_more(std::int64_t now_us) const noexcept {
  return has_overflow_ && may_read(now_us) && messages() <= limits_.messages / 2 &&
         waiting_.bytes() <= limits_.bytes / 2;
}

void store_queue::note_reading(bool was_whole, std::int64_t now_us) noexcept {
  constexpr std::int64_t pause_us = 1'000'000;
  unreadable_ = !was_whole;
  read_again_us_ = was_whole ? 0 : now_us + pause_us;
}

void store_queue::refill(std::int64_t now_us) {
  // Of the smallest records one read has fewer than fill the other half of the queue.
  constexpr std::size_t read_bytes = 512u << 10;
  constexpr int most_reads = 4;
  for (int reads = 0; reads < most_reads && wants_more(now_us); ++reads) {
    const auto chunk = records_.read(overflow_from_, read_bytes);
    for (const auto& [at, record] : chunk.records) {
      if (const auto* accepted = std::get_if<accepted_message>(&record)) {
        take_back(accepted->what, at, now_us);
      }
    }
    note_reading(!chunk.failed && chunk.next != overflow_from_, now_us);
    if (unreadable_) return;
    overflow_from_ = chunk.next;
    if (overflow_from_ <= overflow_last_) continue;
    has_overflow_ = false;
    struck_in_overflow_.clear();
    open_in_overflow_.clear();
  }
}

void store_queue::take_back(const envelope& accepted, journal_position at, std::int64_t now_us) {
  const auto number = accepted.what->number;
  if (number < overflow_first_) return;
  overflow_first_ = number + 1;
  if (accepted.recipients.empty()) open_in_overflow_.erase(number);
  if (number <= forgotten_through_) return;
  waiting_message entry;
  describe(accepted, at, now_us, {}, entry);
  if (!struck_in_overflow_.empty()) {
    for (const auto& account : accepted.recipients) {
      if (struck_in_overflow_.erase(delivery_name(account, number)) != 0) entry.strike(name_of(account));
    }
  }
  if (!entry.is_wanted()) return;
  if (number > uncounted_through_ && entry.deliveries() != 0) {
    entry.counted = senders_.find(accepted.what->key.sender);
    if (entry.counted != nullptr) entry.counted->pointers += 1;
  }
  waiting_.push(std::move(entry));
}

std::uint64_t store_queue::delivery_name(std::string_view account, message_number number) const noexcept {
  return keyed_hash({key_.low ^ static_cast<std::uint64_t>(number), key_.high}, account);
}

// One account acknowledges many at a time.
std::uint64_t store_queue::name_of_striker(std::string_view account) {
  if (!same_name(account, struck_last_by_)) {
    struck_last_by_ = account;
    struck_last_name_ = name_of(account);
  }
  return struck_last_name_;
}

store_queue::struck store_queue::strike(std::string_view account, message_number number,
                                        std::string_view sender, waiting_place place) {
  if (has_overflow_ && number >= overflow_first_) {
    if (open_in_overflow_.contains(number)) return struck::no;
    if (struck_in_overflow_.insert(delivery_name(account, number)).second && number > uncounted_through_) {
      if (auto* count = senders_.find(sender)) count->take(1);
    }
    return struck::in_overflow;
  }
  auto* queued = waiting_.find(number, place);
  if (queued == nullptr || !queued->strike(name_of_striker(account))) return struck::no;
  if (queued->counted != nullptr) queued->counted->take(1);
  if (queued->left == 0) uncount(*queued);
  if (!queued->is_wanted()) waiting_.forget(*queued);
  return struck::here;
}

void store_queue::remove(removal gone, journal_position at, std::int64_t now_us) {
  if (!removing_.insert(delivery_name(gone.account, gone.number), {})) return;
  removal_count_ += 1;
  removals_.push_back({std::move(gone), at, now_us});
}

void store_queue::remove(removal_by_key gone, journal_position at, after_removal then, std::int64_t now_us) {
  removing_by_key_.emplace(std::tuple(gone.account, gone.key.sender, gone.key.id), gone.through);
  removal_count_ += 1;
  by_key_.push_back({std::move(gone), at, std::move(then), now_us});
}

bool store_queue::is_being_removed(std::string_view account, message_number number) const {
  return removing_.contains(delivery_name(account, number));
}

bool store_queue::is_being_removed(std::string_view account, const message& what) const {
  if (removing_.contains(delivery_name(account, what.number))) return true;
  if (removing_by_key_.empty()) return false;
  const auto [first, last] =
      removing_by_key_.equal_range(std::tuple(std::string(account), what.key.sender, what.key.id));
  return std::any_of(first, last, [&](const auto& each) { return what.number <= each.second; });
}

bool store_queue::is_due(std::int64_t now_us, std::int64_t linger_us) const noexcept {
  if (removals_.size() >= limits_.batch_removals) return true;
  const auto waited = [&](const auto& line) {
    return !line.empty() && now_us - line.front().since_us >= linger_us;
  };
  const bool wants_messages = (is_crowded() || waited(waiting_)) && may_read(now_us);
  return wants_messages || waited(removals_) || waited(by_key_);
}

void store_queue::take_messages(store_batch& batch, std::int64_t accepted_by_us, std::int64_t now_us) {
  // What a message and a recipient take in memory beside their texts.
  constexpr std::size_t per_message = 256, per_recipient = 64;
  if (!may_read(now_us)) return;
  std::vector<journal_place> places;
  places.reserve(std::min(waiting_.wanted(), limits_.batch_messages));
  std::size_t bytes = 0, reads = 0;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    const auto& next = waiting_[i];
    if (next.since_us > accepted_by_us) break;
    if (!next.is_wanted()) continue;
    if (places.size() == limits_.batch_messages || bytes >= limits_.batch_bytes) break;
    const journal_place place{next.at, next.number, next.record_bytes};
    if (places.empty() || !is_near(places.back(), place)) reads += 1;
    if (reads > limits_.batch_reads) break;
    places.push_back(place);
    bytes += next.record_bytes + per_message + per_recipient * next.recipients();
  }
  if (places.empty()) return;
  batch.messages = read_back(records_, places);
  note_reading(batch.messages.size() == places.size(), now_us);
  for (auto& each : batch.messages) {
    auto& entry = waiting_.front();
    entry.drop_struck(each.recipients);
    uncount(entry);
    waiting_.pop_front();
  }
}

// A removal must not overtake the message it removes.
void store_queue::take_removals(store_batch& batch) {
  std::deque<queued_removal> early;
  while (!removals_.empty() && batch.removals.size() < limits_.batch_removals) {
    auto& next = removals_.front();
    if (next.what.number <= batch.stored_through) {
      batch.removals.push_back(std::move(next.what));
    } else {
      early.push_back(std::move(next));
    }
    removals_.pop_front();
  }
  removals_.insert(removals_.begin(), std::make_move_iterator(early.begin()),
                   std::make_move_iterator(early.end()));
  in_flight_removals_ = batch.removals;
  while (!by_key_.empty() && by_key_.front().what.through <= batch.stored_through &&
         batch.removals_by_key.size() < limits_.batch_removals) {
    batch.removals_by_key.push_back(by_key_.front().what);
    in_flight_by_key_.push_back(std::move(by_key_.front()));
    by_key_.pop_front();
  }
}

std::optional<store_batch> store_queue::take(std::int64_t now_us, std::int64_t linger_us,
                                             message_number last_accepted) {
  if (busy_ || !is_due(now_us, linger_us)) return std::nullopt;
  store_batch batch;
  in_flight_first_ = waiting_.empty() ? 0 : waiting_.front().number;
  in_flight_at_ = settled_to(std::numeric_limits<journal_position>::max());
  const bool takes_all = is_crowded() || waiting_.size() <= limits_.few_messages;
  take_messages(batch, takes_all ? now_us : now_us - linger_us / 2, now_us);
  batch.stored_through = watermark(last_accepted, 0);
  take_removals(batch);
  in_flight_messages_ = batch.messages.size();
  busy_ = in_flight_messages_ + batch.removals.size() + batch.removals_by_key.size() != 0;
  if (!busy_) return std::nullopt;
  return batch;
}

void store_queue::stored(const batch_result& result) {
  if (!busy_) return;
  busy_ = false;
  in_flight_messages_ = 0;
  removal_count_ -= in_flight_removals_.size() + in_flight_by_key_.size();
  in_flight_first_ = 0;
  for (const auto& gone : in_flight_removals_) removing_.erase(delivery_name(gone.account, gone.number));
  in_flight_removals_.clear();
  const auto answered = std::exchange(in_flight_by_key_, {});
  for (std::size_t i = 0; i < answered.size(); ++i) {
    const auto& gone = answered[i].what;
    // First what follows of it, which may be its removal by number.
    if (answered[i].then) {
      answered[i].then(i < result.removals_by_key.size() ? result.removals_by_key[i]
                                                         : batch_result::outcome{});
    }
    const auto pending = removing_by_key_.find({gone.account, gone.key.sender, gone.key.id});
    if (pending != removing_by_key_.end()) removing_by_key_.erase(pending);
  }
}

void store_queue::restore(removal gone, journal_position at) {
  // It has lingered long enough.
  constexpr std::int64_t since_us = 0;
  if (strike(gone.account, gone.number, {}) != struck::in_overflow) {
    remove(std::move(gone), at, since_us);
  } else if (restored_.size() < limits_.removals) {
    restored_.push_back({std::move(gone), at, since_us});
  }
}

void store_queue::forget_through(message_number stored_through) {
  forgotten_through_ = stored_through;
  for (auto& each : restored_) {
    if (each.what.number <= stored_through) remove(std::move(each.what), each.at, each.since_us);
  }
  if (has_overflow_) overflow_first_ = std::max(overflow_first_, stored_through + 1);
  if (!restored_.empty()) std::ranges::sort(removals_, {}, &queued_removal::at);
  restored_ = {};
  while (!waiting_.empty() && waiting_.front().number <= stored_through) {
    uncount(waiting_.front());
    waiting_.pop_front();
  }
}

message_number store_queue::watermark(message_number last_accepted, message_number in_flight) const noexcept {
  if (in_flight != 0) return in_flight - 1;
  if (!waiting_.empty()) return waiting_.front().number - 1;
  if (has_overflow_) return overflow_first_ - 1;
  return last_accepted;
}

message_number store_queue::watermark(message_number last_accepted) const noexcept {
  return watermark(last_accepted, busy_ ? in_flight_first_ : 0);
}

journal_position store_queue::settled_to(journal_position end) const noexcept {
  journal_position first = end;
  if (busy_) first = std::min(first, in_flight_at_);
  if (!waiting_.empty()) first = std::min(first, waiting_.front().at);
  if (!removals_.empty()) first = std::min(first, removals_.front().at);
  if (!by_key_.empty()) first = std::min(first, by_key_.front().at);
  if (has_overflow_) first = std::min(first, overflow_from_);
  return first;
}

}  // namespace restante
