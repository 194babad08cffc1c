#include "core/waiting_messages.h"

#include <algorithm>
#include <utility>

namespace restante {

std::size_t waiting_message::recipients() const noexcept {
  return several == nullptr ? 1 : several->of.members->size();
}

std::size_t waiting_message::bytes() const noexcept {
  std::size_t total = sizeof(waiting_message) + sizeof(message_number);
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

void waiting_messages::push(waiting_message last) {
  wanted_ += 1;
  bytes_ += last.bytes();
  numbers_.push_back(last.number);
  messages_.push_back(std::move(last));
}

// Numbers are microseconds, so they tell about where they stand.
std::size_t waiting_messages::place_of(message_number number) const noexcept {
  if (numbers_.empty() || number < numbers_.front() || number > numbers_.back()) return numbers_.size();
  const std::size_t last = numbers_.size() - 1;
  std::size_t low = 0, high = last;
  if (last != 0) {
    const double part = static_cast<double>(number - numbers_.front()) /
                        static_cast<double>(numbers_.back() - numbers_.front());
    const auto guess = std::min(last, static_cast<std::size_t>(part * static_cast<double>(last)));
    std::size_t step = 8;
    if (numbers_[guess] < number) {
      for (low = guess; (high = std::min(last, low + step)), numbers_[high] < number; step *= 2) low = high;
    } else {
      for (high = guess; (low = high - std::min(high, step)), numbers_[low] > number; step *= 2) high = low;
    }
  }
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (numbers_[middle] < number) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return numbers_[low] == number ? low : numbers_.size();
}

waiting_message* waiting_messages::find(message_number number) noexcept {
  const std::size_t place = place_of(number);
  if (place == numbers_.size() || !messages_[place].is_wanted()) return nullptr;
  return &messages_[place];
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
  messages_.pop_front();
  numbers_.pop_front();
  drop_over();
}

// The ends stay wanted, so that the watermark and the waiting time are those of real messages.
void waiting_messages::drop_over() {
  while (!messages_.empty() && !messages_.front().is_wanted()) {
    messages_.pop_front();
    numbers_.pop_front();
  }
  while (!messages_.empty() && !messages_.back().is_wanted()) {
    messages_.pop_back();
    numbers_.pop_back();
  }
  constexpr std::size_t most_over = 1'024;
  const std::size_t over = messages_.size() - wanted_;
  if (over <= most_over || over <= wanted_) return;
  messages_.erase_if([](const waiting_message& each) { return !each.is_wanted(); });
  while (!numbers_.empty()) numbers_.pop_front();
  for (std::size_t place = 0; place < messages_.size(); ++place) numbers_.push_back(messages_[place].number);
}

}  // namespace restante
