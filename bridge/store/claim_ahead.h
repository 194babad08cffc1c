// The sync_store of one target (core/ports.h) that claims while the engine works: when claims come back full
// one soon after the other, the next one is made ahead, on a thread and a connection of its own.
//
// Rows that are ahead are handed out for `fresh` after their claim was begun; the engine counts leases from
// when it gets them, and spares more than that. Older ones are given back, due again at once, with no word to
// the engine. The same becomes of them after stop(), and when a settlement failed: offered again, it might
// end their claim. What cannot be given back is done when its lease ends.
//
// Bounds: one claim, of the size of the engine's last one, is ahead or under way. A call may wait for it, and
// then for its own: twice a statement's limit (10 s) and an attempt to connect (2 s).
// Threads: the engine's, but for interrupt() and is_reachable().
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "bridge/core/ports.h"
#include "bridge/store/postgres_sync_store.h"

namespace restante {

class claim_ahead : public sync_store {
 public:
  struct timing {
    std::chrono::milliseconds fresh{2'000};
    // Full claims at least so soon after each other are worth one ahead. An engine that waits longer for its
    // service's limits claims when it can send, and sends the newest.
    std::chrono::milliseconds busy{500};
  };

  // `log` outlives the store. Starts the thread, which receives no signals; throws std::system_error if there
  // is none to be had.
  claim_ahead(const postgres_sync_store::settings& how, bridge_log& log) : claim_ahead(how, log, timing{}) {}
  claim_ahead(const postgres_sync_store::settings& how, bridge_log& log, timing when);
  // Gives back what is ahead: as long as a statement may take, and at once after interrupt().
  ~claim_ahead() override;
  claim_ahead(const claim_ahead&) = delete;
  claim_ahead& operator=(const claim_ahead&) = delete;

  std::optional<std::vector<sync_job>> claim(std::size_t limit) override;
  bool settle(std::span<const sync_outcome> outcomes) override;
  std::optional<std::chrono::milliseconds> next_due() override { return direct_.next_due(); }

  // Claims nothing ahead any more, and has given back what was once it is idle. Waits for nothing.
  void stop();
  bool is_idle() const;

  // Any thread. Ends each wait for the database, for good.
  void interrupt();
  bool is_reachable() const noexcept { return direct_.is_reachable(); }

 private:
  using steady = std::chrono::steady_clock;

  void run();
  void claim_beside(std::unique_lock<std::mutex>& lock);
  void give_back(std::unique_lock<std::mutex>& lock);
  void say_mistake(const char* what);
  bool must_give_back() const;
  bool is_quiet() const { return wanted_ == 0 && !is_working_ && !must_give_back(); }

  const timing timing_;
  bridge_log& log_;
  postgres_sync_store direct_, beside_;
  std::optional<steady::time_point> last_full_;  // the engine's thread only

  mutable std::mutex mutex_;  // of all below
  std::condition_variable changed_;
  std::size_t wanted_ = 0;  // rows of the claim to be begun
  bool is_working_ = false;
  std::vector<sync_job> ahead_;
  steady::time_point begun_;  // when the claim of what is ahead was
  bool is_spoiled_ = false, stops_ = false, ends_ = false;
  std::thread thread_;
};

}  // namespace restante
