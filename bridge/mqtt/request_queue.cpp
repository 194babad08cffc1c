#include "bridge/mqtt/request_queue.h"

#include <algorithm>
#include <utility>

namespace restante {

bool request_queue::arrived(service_call call) {
  if (held_.contains(key_of(call))) return true;
  if (held_.size() >= longest_) {
    has_dropped_ = true;
    return false;
  }
  held_.insert(key_of(call));
  arrived_.push_back(std::move(call));
  return true;
}

service_call request_queue::take() {
  service_call call = std::move(arrived_.front());
  arrived_.pop_front();
  return call;
}

void request_queue::taken(std::uint64_t number, bool accepted) {
  const auto found = sent_.find(number);
  if (found == sent_.end()) return;
  if (accepted) {
    answered_.push_back(std::move(found->second));
  } else {
    held_.erase(found->second);
  }
  sent_.erase(found);
}

std::string request_queue::take_acknowledgement(std::size_t most) {
  const auto count = static_cast<std::ptrdiff_t>(std::min(most, answered_.size()));
  std::string lines;
  for (auto each = answered_.begin(); each != answered_.begin() + count; ++each) {
    lines += (lines.empty() ? "" : "\n") + *each;
    held_.erase(*each);
  }
  answered_.erase(answered_.begin(), answered_.begin() + count);
  return lines;
}

void request_queue::clear() {
  held_.clear();
  arrived_.clear();
  sent_.clear();
  answered_.clear();
  has_dropped_ = false;
}

}  // namespace restante
