// Results on their way from a worker thread to the broker's.
//
// Bounds: none of its own; whoever pushes bounds what is under way, for which `unread_bytes` helps.
// Threads: push() on the worker's, take() on the broker's. `wake` is called on the worker's after each push,
// with no lock held; it must be cheap and must not throw.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace restante {

template <typename Event>
class event_queue {
 public:
  explicit event_queue(std::function<void()> wake) : wake_(std::move(wake)) {}

  void push(Event event, std::size_t size_bytes = 0) {
    {
      const std::lock_guard lock(mutex_);
      events_.push_back(std::move(event));
      unread_bytes_ += size_bytes;
    }
    if (wake_) wake_();
  }

  std::vector<Event> take() {
    const std::lock_guard lock(mutex_);
    unread_bytes_ = 0;
    return std::exchange(events_, {});
  }

  std::size_t unread() const {
    const std::lock_guard lock(mutex_);
    return events_.size();
  }

  std::size_t unread_bytes() const {
    const std::lock_guard lock(mutex_);
    return unread_bytes_;
  }

 private:
  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::vector<Event> events_;
  std::size_t unread_bytes_ = 0;
};

}  // namespace restante
