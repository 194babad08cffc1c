// One loaded plugin: the only place where the real parts are put together.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "broker/events.h"
#include "broker/local_journal.h"
#include "broker/login.h"
#include "broker/mosquitto_ports.h"
#include "broker/waker.h"
#include "core/post_office.h"
#include "postgres/directory_thread.h"
#include "postgres/store_thread.h"
#include "threads/cancellation_off.h"

namespace restante {

// Lifetime: from the broker's start to its end. Threads: the broker's; its workers are started in the first
// tick, when the broker has become the process that stays.
class running_plugin {
 public:
  // Takes up what the journal has.
  running_plugin(options chosen, std::unique_ptr<local_journal> records);
  // Stores what is accepted, for a few seconds at most.
  ~running_plugin();

  // Throws std::system_error in the first tick if there is no thread or timer to be had.
  void tick();
  broker_events& events() noexcept { return events_; }
  mosquitto_log& lines() noexcept { return lines_; }

 private:
  void start();
  void restore();
  void watch_journal();
  void take_store_results();
  void take_directory_results();
  void handle(store_ready ready);
  void handle(store_lost lost);
  void handle(batch_stored stored);
  void handle(page_ready ready);
  void handle(page_unreadable lost);
  void handle(expired_due due);
  void handle(const log_line& line);
  void handle(lookup_result late);
  void handle(directory_changed changed);
  void handle(record_loaded loaded);
  void handle(roster_loaded loaded);
  void handle(profile_loaded loaded);
  void handle(directory_ready ready);
  void handle(directory_lost lost);
  void wake() noexcept;

  class directory_profiles final : public profile_source {
   public:
    explicit directory_profiles(directory_thread& directory) : directory_(directory) {}
    bool read(profile_request request) override { return directory_.profile(std::move(request)); }

   private:
    directory_thread& directory_;
  };

  options chosen_;
  system_clock time_;
  mosquitto_log lines_{time_};
  topic_prefix prefix_;
  std::unique_ptr<local_journal> journal_;
  mosquitto_outbox outbox_;
  std::unique_ptr<waker> waker_;
  std::optional<cancellation_off> cheaper_calls_;  // while the broker runs, on its thread
  std::int64_t journal_watched_us_ = 0;
  bool journal_works_ = true;
  bool is_started_ = false;
  store_thread store_;
  directory_thread directory_;
  directory_profiles profiles_{directory_};
  post_office office_;
  login_desk desk_;
  broker_events events_;
};

}  // namespace restante
