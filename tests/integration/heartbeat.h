// Asks a broker every few milliseconds whether it is there, and remembers the longest it was not.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <sstream>
#include <string>

#include "support/mosquitto_broker.h"
#include "support/raw_mqtt.h"

namespace restante {

// Pings on a thread and a connection of its own, made from a logged-in client. What counts is how long the
// broker's thread waits or works: the time in which it or we were ready to run and the machine had no
// processor for us is taken off, so that a loaded machine does not make a test fail.
class heartbeat {
 public:
  using milliseconds = std::chrono::duration<double, std::milli>;

  heartbeat(pid_t broker, support::raw_mqtt client)
      : client_(std::move(client)),
        delays_("/proc/" + std::to_string(broker) + "/task/" + std::to_string(broker) + "/schedstat"),
        thread_(std::async(std::launch::async, [this] { run(); })) {}
  ~heartbeat() { stop(); }
  heartbeat(const heartbeat&) = delete;
  heartbeat& operator=(const heartbeat&) = delete;

  // The longest since this was last asked; at least one ping began and ended in between. Throws what a ping
  // has thrown.
  milliseconds longest() {
    std::unique_lock lock(mutex_);
    const auto from = count_;
    changed_.wait_for(lock, support::patience, [&] { return count_ >= from + 2 || failed_; });
    if (failed_) thread_.get();
    return std::exchange(longest_, milliseconds{0});
  }

 private:
  using steady = std::chrono::steady_clock;

  // Ready to run, but not running.
  static milliseconds delay(const std::string& schedstat) {
    std::istringstream text(support::read_file(schedstat));
    std::int64_t running_ns = 0, delayed_ns = 0;
    text >> running_ns >> delayed_ns;
    return std::chrono::nanoseconds(delayed_ns);
  }
  milliseconds delays() const { return delay(delays_) + delay("/proc/thread-self/schedstat"); }

  void run() {
    try {
      while (!stopping_) {
        const auto delays_before = delays();
        const auto began = steady::now();
        client_.ping();
        const milliseconds took = steady::now() - began - (delays() - delays_before);
        std::unique_lock lock(mutex_);
        longest_ = std::max(longest_, took);
        ++count_;
        changed_.notify_all();
        changed_.wait_for(lock, std::chrono::milliseconds{5}, [this] { return stopping_.load(); });
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failed_ = true;
      changed_.notify_all();
      throw;
    }
  }
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
  }

  support::raw_mqtt client_;
  const std::string delays_;
  std::mutex mutex_;
  std::condition_variable changed_;
  milliseconds longest_{0};
  std::size_t count_ = 0;
  bool failed_ = false;
  std::atomic<bool> stopping_ = false;
  std::future<void> thread_;  // the last member: it ends before what it uses goes
};

}  // namespace restante
