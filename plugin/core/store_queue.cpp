#include "core/store_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace restante {

std::size_t store_queue::size_of(const envelope& what) noexcept {
  constexpr std::size_t per_message = 256, per_recipient = 64;
  return per_message + what.what->payload.size() + what.what->properties.size() +
         per_recipient * what.recipients.size();
}

bool store_queue::has_room_for_message(std::size_t bytes) const noexcept {
  return entries_ < limits_.entries - limits_.entries / 16 &&
         bytes_ + bytes < limits_.bytes - limits_.bytes / 16;
}

bool store_queue::has_room_for_removals(std::size_t count) const noexcept {
  return entries_ + count <= limits_.entries;
}

std::size_t store_queue::queued_by(std::string_view sender) const noexcept {
  const auto found = queued_by_.find(sender);
  return found == queued_by_.end() ? 0 : found->second;
}

void store_queue::push(envelope accepted, std::int64_t now_us) {
  const std::size_t deliveries = std::max<std::size_t>(accepted.recipients.size(), 1);
  entries_ += 1;
  bytes_ += size_of(accepted);
  queued_by_[accepted.what->key.sender] += deliveries;
  const auto number = accepted.what->number;
  messages_.push_back({number, std::move(accepted), deliveries, now_us});
}

void store_queue::forget_sender(const queued_message& gone, std::size_t deliveries) {
  const auto found = queued_by_.find(gone.what.what->key.sender);
  if (found == queued_by_.end()) return;
  found->second -= std::min(found->second, deliveries);
  if (found->second == 0) queued_by_.erase(found);
}

bool store_queue::strike(std::string_view account, message_number number) {
  const auto at =
      std::lower_bound(messages_.begin(), messages_.end(), number,
                       [](const queued_message& queued, message_number n) { return queued.number < n; });
  if (at == messages_.end() || at->number != number || !at->what.what) return false;
  auto& recipients = at->what.recipients;
  const auto recipient = std::find(recipients.begin(), recipients.end(), account);
  if (recipient == recipients.end()) return false;
  const std::size_t before = size_of(at->what);
  forget_sender(*at, 1);
  recipients.erase(recipient);
  at->deliveries -= 1;
  if (!recipients.empty() || at->what.dead_letter != 0) {
    bytes_ -= before - size_of(at->what);
    return true;
  }
  entries_ -= 1;
  bytes_ -= before;
  at->what = {};
  // The ends stay occupied, so that the watermark and the waiting time are those of real messages.
  while (!messages_.empty() && !messages_.front().what.what) messages_.pop_front();
  while (!messages_.empty() && !messages_.back().what.what) messages_.pop_back();
  return true;
}

void store_queue::remove(removal gone, std::int64_t now_us) {
  if (!removing_.emplace(gone.account, gone.number).second) return;
  entries_ += 1;
  removals_.push_back({std::move(gone), now_us});
}

void store_queue::remove(removal_by_key gone, after_removal then, std::int64_t now_us) {
  removing_by_key_.emplace(std::tuple(gone.account, gone.key.sender, gone.key.id), gone.through);
  entries_ += 1;
  by_key_.push_back({std::move(gone), std::move(then), now_us});
}

bool store_queue::is_being_removed(std::string_view account, message_number number) const {
  return removing_.contains(std::pair<std::string, message_number>(account, number));
}

bool store_queue::is_being_removed(std::string_view account, const message& what) const {
  if (removing_.contains(std::pair<std::string, message_number>(account, what.number))) return true;
  if (removing_by_key_.empty()) return false;
  const auto [first, last] =
      removing_by_key_.equal_range(std::tuple(std::string(account), what.key.sender, what.key.id));
  return std::any_of(first, last, [&](const auto& each) { return what.number <= each.second; });
}

bool store_queue::is_due(std::int64_t now_us, std::int64_t linger_us) const noexcept {
  if (messages_.size() >= limits_.batch_messages || removals_.size() >= limits_.batch_removals) return true;
  const auto waited = [&](const auto& line) {
    return !line.empty() && now_us - line.front().since_us >= linger_us;
  };
  return waited(messages_) || waited(removals_) || waited(by_key_);
}

void store_queue::take_messages(store_batch& batch) {
  while (!messages_.empty() && batch.messages.size() < limits_.batch_messages &&
         in_flight_bytes_ < limits_.batch_bytes) {
    auto& next = messages_.front();
    if (next.what.what) {
      in_flight_bytes_ += size_of(next.what);
      forget_sender(next, next.deliveries);
      batch.messages.push_back(std::move(next.what));
    }
    messages_.pop_front();
  }
}

std::optional<store_batch> store_queue::take(std::int64_t now_us, std::int64_t linger_us,
                                             message_number last_accepted) {
  if (busy_ || !is_due(now_us, linger_us)) return std::nullopt;
  store_batch batch;
  in_flight_bytes_ = 0;
  in_flight_first_ = messages_.empty() ? 0 : messages_.front().number;
  take_messages(batch);
  batch.stored_through = messages_.empty() ? last_accepted : messages_.front().number - 1;

  // A removal must not overtake the message it removes.
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
  in_flight_entries_ = batch.messages.size() + batch.removals.size() + batch.removals_by_key.size();
  busy_ = in_flight_entries_ != 0;
  if (!busy_) return std::nullopt;
  return batch;
}

void store_queue::stored(const batch_result& result) {
  if (!busy_) return;
  busy_ = false;
  entries_ -= in_flight_entries_;
  bytes_ -= in_flight_bytes_;
  in_flight_first_ = 0;
  for (const auto& gone : in_flight_removals_) removing_.erase({gone.account, gone.number});
  in_flight_removals_.clear();
  const auto answered = std::exchange(in_flight_by_key_, {});
  for (std::size_t i = 0; i < answered.size(); ++i) {
    const auto& gone = answered[i].what;
    const auto pending = removing_by_key_.find({gone.account, gone.key.sender, gone.key.id});
    if (pending != removing_by_key_.end()) removing_by_key_.erase(pending);
    if (answered[i].then) {
      answered[i].then(i < result.removals_by_key.size() ? result.removals_by_key[i]
                                                         : batch_result::outcome{});
    }
  }
}

void store_queue::forget_through(message_number stored_through) {
  while (!messages_.empty() && messages_.front().number <= stored_through) {
    auto& gone = messages_.front();
    if (gone.what.what) {
      entries_ -= 1;
      bytes_ -= size_of(gone.what);
      forget_sender(gone, gone.deliveries);
    }
    messages_.pop_front();
  }
}

message_number store_queue::watermark(message_number last_accepted) const noexcept {
  if (busy_ && in_flight_first_ != 0) return in_flight_first_ - 1;
  if (!messages_.empty()) return messages_.front().number - 1;
  return last_accepted;
}

}  // namespace restante
