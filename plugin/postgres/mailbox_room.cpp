#include "postgres/mailbox_room.h"

#include <algorithm>

namespace restante {
namespace {

constexpr std::chrono::seconds recount_pause{10};

}  // namespace

mailbox_room::mailbox_room(std::int64_t limit, std::size_t capacity)
    : limit_(std::max<std::int64_t>(limit, 0)),
      capacity_(std::max<std::size_t>(capacity, 1)),
      period_(limit_ <= 256 ? 1 : std::clamp<std::int64_t>(limit_ / 64, 1, 128)),
      random_(std::random_device{}()) {}

mailbox_room::entry* mailbox_room::find(const std::string& mailbox) {
  const auto found = by_name_.find(mailbox);
  if (found == by_name_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  return &recent_.front();
}

bool mailbox_room::is_picked(std::int64_t rows) {
  if (period_ == 1) return true;
  std::uniform_int_distribution<std::int64_t> any(0, period_ - 1);
  for (; rows > 0; --rows) {
    if (any(random_) == 0) return true;
  }
  return false;
}

bool mailbox_room::must_be_counted(const std::string& mailbox, std::int64_t rows, time_point now) {
  const entry* known = find(mailbox);
  if (known == nullptr) return is_picked(rows);
  if (known->room >= rows) return false;
  return now - known->counted >= recount_pause || known->removed >= std::max<std::int64_t>(limit_ / 100, 1);
}

void mailbox_room::counted(const std::string& mailbox, std::int64_t waiting, time_point now) {
  const std::int64_t room = std::max<std::int64_t>(limit_ - waiting, 0);
  if (entry* known = find(mailbox)) {
    known->room = room;
    known->removed = 0;
    known->counted = now;
    return;
  }
  recent_.push_front({mailbox, room, 0, now});
  by_name_.emplace(recent_.front().mailbox, recent_.begin());
  if (recent_.size() > capacity_) {
    by_name_.erase(recent_.back().mailbox);
    recent_.pop_back();
  }
}

bool mailbox_room::take(const std::string& mailbox) {
  entry* known = find(mailbox);
  if (known == nullptr) return true;
  if (known->room == 0) return false;
  --known->room;
  return true;
}

void mailbox_room::removed(const std::string& mailbox) {
  if (entry* known = find(mailbox)) ++known->removed;
}

}  // namespace restante
