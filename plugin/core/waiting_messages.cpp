#include "core/waiting_messages.h"

#include <algorithm>
#include <utility>

namespace restante {

std::size_t waiting_message::recipients() const noexcept {
  return several == nullptr ? 1 : several->of.members->size();
}

std::size_t waiting_message::bytes() const noexcept {
  std::size_t total = sizeof(waiting_message);
  if (several != nullptr) {
    total += sizeof(audience) + several->of.members->size() * sizeof(std::uint64_t) +
             several->struck.capacity() / 8;
  }
  return total;
}

bool waiting_message::strike(std::uint64_t account) noexcept {
  if (left == 0) return false;
  if (several == nullptr) {
    if (recipient != account) return false;
  } else {
    const auto& members = *several->of.members;
    const auto hint = members.begin() + static_cast<std::ptrdiff_t>(several->next);
    auto found = std::find(hint, members.end(), account);
    if (found == members.end()) {
      found = std::find(members.begin(), hint, account);
      if (found == hint) return false;
    }
    const auto place = static_cast<std::size_t>(found - members.begin());
    if (several->struck[place]) return false;
    several->struck[place] = true;
    several->next = place + 1;
  }
  left -= 1;
  return true;
}

void waiting_message::drop_struck(std::vector<std::string>& recipients) const {
  if (several == nullptr) {
    if (left == 0) recipients.clear();
    return;
  }
  std::size_t place = 0;
  std::erase_if(recipients, [&](const std::string&) {
    place += place == several->of.without ? 1 : 0;
    return several->struck[place++];
  });
}

waiting_place waiting_messages::push(waiting_message last) {
  wanted_ += 1;
  bytes_ += last.bytes();
  messages_.push_back(std::move(last));
  return first_place_ + messages_.size() - 1;
}

// Numbers are microseconds, so they tell about where they stand.
std::size_t waiting_messages::place_of(message_number number) const noexcept {
  const std::size_t nowhere = messages_.size();
  if (messages_.empty() || number < messages_.front().number || number > messages_.back().number) {
    return nowhere;
  }
  const std::size_t last = messages_.size() - 1;
  if (messages_[last].number == number) return last;
  std::size_t low = 0, high = last;
  if (last != 0) {
    const double part = static_cast<double>(number - messages_.front().number) /
                        static_cast<double>(messages_.back().number - messages_.front().number);
    const auto guess = std::min(last, static_cast<std::size_t>(part * static_cast<double>(last)));
    std::size_t step = 8;
    if (messages_[guess].number < number) {
      for (low = guess; (high = std::min(last, low + step)), messages_[high].number < number; step *= 2) {
        low = high;
      }
    } else {
      for (high = guess; (low = high - std::min(high, step)), messages_[low].number > number; step *= 2) {
        high = low;
      }
    }
  }
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (messages_[middle].number < number) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return messages_[low].number == number ? low : nowhere;
}

waiting_message* waiting_messages::find(message_number number, waiting_place place) noexcept {
  std::size_t at = place - first_place_;  // of one that is gone: more than there are
  if (at >= messages_.size() || messages_[at].number != number) at = place_of(number);
  if (at == messages_.size() || !messages_[at].is_wanted()) return nullptr;
  return &messages_[at];
}

void waiting_messages::forget(waiting_message& over) {
  wanted_ -= 1;
  bytes_ -= over.bytes();
  over.several.reset();
  over.left = 0;
  over.is_open = over.settles_dead_letter = false;
  drop_over();
}

void waiting_messages::pop_front() {
  wanted_ -= 1;
  bytes_ -= messages_.front().bytes();
  drop_first();
  drop_over();
}

void waiting_messages::drop_first() {
  messages_.pop_front();
  ++first_place_;
}

// The ends stay wanted, so that the watermark and the waiting time are those of real messages.
void waiting_messages::drop_over() {
  while (!messages_.empty() && !messages_.front().is_wanted()) drop_first();
  while (!messages_.empty() && !messages_.back().is_wanted()) messages_.pop_back();
  constexpr std::size_t most_over = 1'024;
  const std::size_t over = messages_.size() - wanted_;
  if (over <= most_over || over <= wanted_) return;
  messages_.erase_if([](const waiting_message& each) { return !each.is_wanted(); });
}

}  // namespace restante
