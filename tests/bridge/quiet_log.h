// A log that is kept for the test to look at.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "bridge/core/ports.h"

namespace restante {

// Threads: any.
class quiet_log : public bridge_log {
 public:
  void write(bridge_log_level, std::string_view event, std::span<const field> fields) override {
    std::string line(event);
    for (const field& each : fields) line += " " + std::string(each.name) + "=" + each.value;
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    std::string all;
    for (const std::string& each : lines_) all += each + "\n";
    return all;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace restante
