// Numbers for Prometheus. Names begin with restante_bridge_; help stands with each in bridge_metrics.cpp.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "bridge/core/ports.h"

namespace restante {

class bridge_metrics {
 public:
  explicit bridge_metrics(const std::string& version);
  ~bridge_metrics();
  bridge_metrics(const bridge_metrics&) = delete;
  bridge_metrics& operator=(const bridge_metrics&) = delete;

  // One for each target, for its engine; lives as long as this.
  sync_observer& observer(const std::string& target);
  // As its engine last said; true until then.
  bool is_available(const std::string& target) const;

  // As last counted in the database.
  void backlog(const std::string& target, std::int64_t waiting, double oldest_waiting_seconds,
               std::int64_t parked, std::int64_t gone);
  void database_reachable(bool is);
  void mqtt_connected(bool is);
  // One request over MQTT: "answered", "refused", "put_off", ….
  void served(const std::string& service, const std::string& outcome);

  // In Prometheus' text format.
  std::string text() const;

 private:
  class implementation;
  std::unique_ptr<implementation> how_;
};

}  // namespace restante
