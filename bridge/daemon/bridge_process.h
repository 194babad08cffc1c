// Everything that runs while the bridge does.
//
// Threads: one for each target, one that listens for changes, one for upkeep (counts, reports), those of the
// server of /metrics, and Paho's.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "bridge/configuration/configuration.h"
#include "bridge/daemon/service_desk.h"
#include "bridge/daemon/target_loop.h"
#include "bridge/daemon/targets.h"
#include "bridge/mqtt/service_client.h"
#include "bridge/observe/bridge_metrics.h"
#include "bridge/observe/observe_server.h"
#include "bridge/observe/structured_log.h"
#include "bridge/store/bridge_reports.h"
#include "bridge/store/profile_listener.h"

namespace restante {

class bridge_process {
 public:
  // Starts everything. Neither the database nor the broker nor a target has to be there. Throws
  // std::runtime_error with a line for the operator when it cannot start.
  bridge_process(const configuration& how, std::vector<named_target> targets, bridge_log& log);
  // Within 5 s: takes no more, waits 3 s for answers under way, gives claims back.
  ~bridge_process();
  bridge_process(const bridge_process&) = delete;
  bridge_process& operator=(const bridge_process&) = delete;

 private:
  void keep_up();
  void count_and_report();
  std::vector<health_problem> find_problems() const;
  bool is_database_reachable() const;

  const configuration settings_;
  bridge_log& log_;
  real_clock clock_;
  const std::int64_t started_us_;
  std::vector<named_target> targets_;
  bridge_metrics metrics_;
  bridge_reports reports_;
  std::vector<std::unique_ptr<target_loop>> loops_;
  std::unique_ptr<profile_listener> listener_;
  // None: no requests are served.
  std::unique_ptr<service_desk> desk_;
  std::unique_ptr<service_client> requests_;

  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::thread upkeep_;
  std::unique_ptr<observe_server> server_;  // last to begin, first to end
};

}  // namespace restante
