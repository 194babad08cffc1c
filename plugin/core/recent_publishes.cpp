#include "core/recent_publishes.h"

#include <utility>

namespace restante {

recent_publishes::recent_publishes(hash_key key, std::int64_t span_us, std::size_t limit)
    : key_(key), span_us_(span_us), limit_(limit) {}

void recent_publishes::age(std::int64_t now_us) {
  if (now_us - opened_us_ < span_us_ && current_.size() < limit_) return;
  const bool both_are_old = now_us - opened_us_ >= 2 * span_us_;
  previous_ = both_are_old ? decltype(previous_){} : std::move(current_);
  current_ = {};
  opened_us_ = now_us;
}

recent_publishes::found recent_publishes::look_up(std::string_view identity, std::string_view topic,
                                                  std::int64_t now_us) {
  age(now_us);
  const auto hashed = keyed_hash(key_, identity);
  for (const auto* generation : {&current_, &previous_}) {
    if (const auto known = generation->find(hashed); known != generation->end()) {
      return known->second == keyed_hash(key_, topic) ? found::repeated : found::on_another_topic;
    }
  }
  return found::fresh;
}

void recent_publishes::remember(std::string_view identity, std::string_view topic, std::int64_t now_us) {
  if (span_us_ == 0) return;
  age(now_us);
  current_[keyed_hash(key_, identity)] = keyed_hash(key_, topic);
}

}  // namespace restante
