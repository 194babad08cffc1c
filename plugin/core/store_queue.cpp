#include "core/store_queue.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

namespace restante {

std::size_t store_queue::size_of(const envelope& what) noexcept {
  constexpr std::size_t per_message = 256, per_recipient = 64;
  return per_message + what.what->payload.size() + what.what->properties.size() +
         per_recipient * what.recipients.size();
}

bool store_queue::has_room_for_removals(std::size_t count) const noexcept {
  return removal_count_ + count <= limits_.removals && struck_in_overflow_.size() + count <= limits_.removals;
}

std::size_t store_queue::queued_by(std::string_view sender) const noexcept {
  const auto found = queued_by_.find(sender);
  return found == queued_by_.end() ? 0 : found->second;
}

void store_queue::push(envelope accepted, journal_position at, bool counts, std::int64_t now_us) {
  const auto number = accepted.what->number;
  const bool is_open = accepted.recipients.empty();
  std::size_t deliveries = 0;
  if (counts) {
    deliveries = is_open ? 1 : accepted.recipients.size();
    const auto sender = queued_by_.find(accepted.what->key.sender);
    if (sender != queued_by_.end()) {
      sender->second += deliveries;
    } else {
      queued_by_.emplace(accepted.what->key.sender, deliveries);
    }
  } else {
    uncounted_through_ = number;
  }
  if (!has_overflow_ && message_count_ < limits_.messages && bytes_ < limits_.bytes) {
    keep(std::move(accepted), at, deliveries, now_us);
    return;
  }
  if (!has_overflow_) {
    has_overflow_ = true;
    overflow_from_ = at;
    overflow_first_ = number;
  }
  overflow_last_ = at;
  if (is_open) open_in_overflow_.insert(number);
}

void store_queue::keep(envelope accepted, journal_position at, std::size_t deliveries, std::int64_t now_us) {
  const auto number = accepted.what->number;
  const auto bytes = size_of(accepted), recipients = accepted.recipients.size();
  message_count_ += 1;
  bytes_ += bytes;
  messages_.push_back({number, at, std::move(accepted), bytes, deliveries, recipients, 0, now_us});
}

bool store_queue::wants_more() const noexcept {
  return has_overflow_ && message_count_ <= limits_.messages / 2 && bytes_ <= limits_.bytes / 2;
}

void store_queue::take_back(envelope accepted, journal_position at, std::int64_t now_us) {
  const auto number = accepted.what->number;
  if (number < overflow_first_) return;
  overflow_first_ = number + 1;
  const bool is_open = accepted.recipients.empty();
  if (is_open) open_in_overflow_.erase(number);
  if (number <= forgotten_through_) return;
  if (!struck_in_overflow_.empty()) {
    std::erase_if(accepted.recipients, [&](const std::string& account) {
      return struck_in_overflow_.erase(delivery_name(account, number)) != 0;
    });
  }
  if (!is_open && accepted.recipients.empty() && accepted.dead_letter == 0) return;
  const std::size_t deliveries = number <= uncounted_through_ ? 0 : is_open ? 1 : accepted.recipients.size();
  keep(std::move(accepted), at, deliveries, now_us);
}

void store_queue::taken_back(journal_position next) {
  overflow_from_ = next;
  if (next <= overflow_last_) return;
  has_overflow_ = false;
  struck_in_overflow_.clear();
  open_in_overflow_.clear();
}

void store_queue::forget_sender(std::string_view sender, std::size_t deliveries) {
  const auto found = queued_by_.find(sender);
  if (found == queued_by_.end()) return;
  found->second -= std::min(found->second, deliveries);
  if (found->second == 0) queued_by_.erase(found);
}

std::uint64_t store_queue::delivery_name(std::string_view account, message_number number) const noexcept {
  return keyed_hash({key_.low ^ static_cast<std::uint64_t>(number), key_.high}, account);
}

store_queue::struck store_queue::strike(std::string_view account, message_number number,
                                        std::string_view sender) {
  if (has_overflow_ && number >= overflow_first_) {
    if (open_in_overflow_.contains(number)) return struck::no;
    if (struck_in_overflow_.insert(delivery_name(account, number)).second && number > uncounted_through_) {
      forget_sender(sender, 1);
    }
    return struck::in_overflow;
  }
  const auto at =
      std::lower_bound(messages_.begin(), messages_.end(), number,
                       [](const queued_message& queued, message_number n) { return queued.number < n; });
  if (at == messages_.end() || at->number != number || !at->what.what) return struck::no;
  auto& recipients = at->what.recipients;
  const auto hint = recipients.begin() + static_cast<std::ptrdiff_t>(at->next);
  auto recipient = std::find(hint, recipients.end(), account);
  if (recipient == recipients.end()) {
    recipient = std::find(recipients.begin(), hint, account);
    if (recipient == hint) return struck::no;
  }
  if (at->deliveries != 0) {
    forget_sender(at->what.what->key.sender, 1);
    at->deliveries -= 1;
  }
  recipient->clear();
  at->next = static_cast<std::size_t>(recipient - recipients.begin()) + 1;
  at->left -= 1;
  if (at->left != 0 || at->what.dead_letter != 0) return struck::here;
  message_count_ -= 1;
  bytes_ -= at->bytes;
  at->what = {};
  // The ends stay occupied, so that the watermark and the waiting time are those of real messages.
  while (!messages_.empty() && !messages_.front().what.what) messages_.pop_front();
  while (!messages_.empty() && !messages_.back().what.what) messages_.pop_back();
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
  if (is_crowded() || removals_.size() >= limits_.batch_removals) return true;
  const auto waited = [&](const auto& line) {
    return !line.empty() && now_us - line.front().since_us >= linger_us;
  };
  return waited(messages_) || waited(removals_) || waited(by_key_);
}

void store_queue::take_messages(store_batch& batch, std::int64_t accepted_by_us) {
  while (!messages_.empty() && batch.messages.size() < limits_.batch_messages &&
         in_flight_bytes_ < limits_.batch_bytes) {
    auto& next = messages_.front();
    if (next.since_us > accepted_by_us) break;
    if (next.what.what) {
      in_flight_bytes_ += next.bytes;
      if (next.left != next.what.recipients.size()) {
        std::erase_if(next.what.recipients, [](const std::string& each) { return each.empty(); });
      }
      if (next.deliveries != 0) forget_sender(next.what.what->key.sender, next.deliveries);
      batch.messages.push_back(std::move(next.what));
    }
    messages_.pop_front();
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
  in_flight_bytes_ = 0;
  in_flight_first_ = messages_.empty() ? 0 : messages_.front().number;
  in_flight_at_ = settled_to(std::numeric_limits<journal_position>::max());
  batch.messages.reserve(std::min(messages_.size(), limits_.batch_messages));
  const bool takes_all = is_crowded() || messages_.size() <= limits_.few_messages;
  take_messages(batch, takes_all ? now_us : now_us - linger_us / 2);
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
  message_count_ -= in_flight_messages_;
  removal_count_ -= in_flight_removals_.size() + in_flight_by_key_.size();
  bytes_ -= in_flight_bytes_;
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
  while (!messages_.empty() && messages_.front().number <= stored_through) {
    auto& gone = messages_.front();
    if (gone.what.what) {
      message_count_ -= 1;
      bytes_ -= gone.bytes;
      if (gone.deliveries != 0) forget_sender(gone.what.what->key.sender, gone.deliveries);
    }
    messages_.pop_front();
  }
}

message_number store_queue::watermark(message_number last_accepted, message_number in_flight) const noexcept {
  if (in_flight != 0) return in_flight - 1;
  if (!messages_.empty()) return messages_.front().number - 1;
  if (has_overflow_) return overflow_first_ - 1;
  return last_accepted;
}

message_number store_queue::watermark(message_number last_accepted) const noexcept {
  return watermark(last_accepted, busy_ ? in_flight_first_ : 0);
}

journal_position store_queue::settled_to(journal_position end) const noexcept {
  journal_position first = end;
  if (busy_) first = std::min(first, in_flight_at_);
  if (!messages_.empty()) first = std::min(first, messages_.front().at);
  if (!removals_.empty()) first = std::min(first, removals_.front().at);
  if (!by_key_.empty()) first = std::min(first, by_key_.front().at);
  if (has_overflow_) first = std::min(first, overflow_from_);
  return first;
}

}  // namespace restante
