// Publishes without end, so that a test can connect a recipient midway. It may be faster than the database:
// open the post office with `unhurried`, or the sender reaches sender_limit.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "each_version.h"
#include "support/mosquitto_broker.h"
#include "support/paho_client.h"

namespace restante {

inline const support::broker_settings unhurried{.options = {{"sender_limit", "1000000"}}};

// Sends from a thread of its own until stop(). `letter` makes the message of each number, from 0.
class steady_sender {
 public:
  steady_sender(support::paho_client& by, std::function<support::mqtt_message(std::size_t)> letter)
      : thread_(std::async(std::launch::async, [this, &by, letter = std::move(letter)] {
          while (!enough_) {
            send(by, letter(sent_));
            ++sent_;
          }
        })) {}
  ~steady_sender() { enough_ = true; }
  steady_sender(const steady_sender&) = delete;
  steady_sender& operator=(const steady_sender&) = delete;

  std::size_t sent() const { return sent_; }
  // How many were sent. Throws what the thread has thrown.
  std::size_t stop() {
    enough_ = true;
    thread_.get();
    return sent_;
  }

 private:
  std::atomic<bool> enough_ = false;
  std::atomic<std::size_t> sent_ = 0;
  std::future<void> thread_;  // the last member: it ends before what it uses goes
};

// Receives and acknowledges twenty by twenty, as `name`, until there are `count`.
inline void collect_and_acknowledge(support::paho_client& by, const std::string& name, std::size_t& collected,
                                    std::size_t count) {
  while (collected < count) {
    const auto topics = topics_of(by.expect_messages(std::min(collected + 20, count)));
    std::vector<std::string> keys;
    for (; collected < topics.size(); ++collected) {
      const std::string& topic = topics[collected];
      keys.push_back(topic.substr(topic.rfind('/', topic.rfind('/') - 1) + 1));  // {from}/{id}
    }
    send(by, support::acknowledgement_of(name, keys));
  }
}

}  // namespace restante
