#include "postgres/store_thread.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "postgres/event_queue.h"
#include "postgres/interruption.h"
#include "postgres/store_requests.h"
#include "postgres/store_worker.h"
#include "threads/background_thread.h"

namespace restante {

class store_thread::worker {
 public:
  worker(store_settings settings, std::function<void()> wake)
      : results(std::move(wake)), work_(std::move(settings), requests, results, breaks_) {}

  void start() {
    thread_ = start_background_thread({breaks_.descriptor()}, [this] {
      work_.run();
      const std::lock_guard lock(mutex_);
      is_over_ = true;
      over_.notify_all();
    });
  }

  void stop(std::chrono::steady_clock::time_point deadline) {
    if (!thread_.joinable()) return;
    requests.stop();
    {
      std::unique_lock lock(mutex_);
      over_.wait_until(lock, deadline, [this] { return is_over_; });
    }
    breaks_.trip();
    requests.nudge();
    thread_.join();
  }

  store_requests requests;
  event_queue<store_event> results;

 private:
  interruption breaks_;
  store_worker work_;
  std::mutex mutex_;
  std::condition_variable over_;
  bool is_over_ = false;
  std::thread thread_;
};

store_thread::store_thread(store_settings settings, std::function<void()> wake)
    : worker_(std::make_unique<worker>(std::move(settings), std::move(wake))) {}

store_thread::~store_thread() { stop(std::chrono::steady_clock::now()); }

void store_thread::start() { worker_->start(); }

void store_thread::stop(std::chrono::steady_clock::time_point deadline) { worker_->stop(deadline); }

void store_thread::write(store_batch batch) { worker_->requests.give(std::move(batch)); }

void store_thread::read(page_request request) {
  const std::uint64_t token = request.token;
  if (!worker_->requests.ask(std::move(request))) worker_->results.push(page_unreadable{token});
}

void store_thread::report(broker_report report) { worker_->requests.report(std::move(report)); }

void store_thread::remember_acknowledging(std::string account) {
  worker_->requests.remember(std::move(account));
}

std::vector<store_event> store_thread::take_results() {
  auto taken = worker_->results.take();
  // Pages may wait for room.
  if (!taken.empty()) worker_->requests.nudge();
  return taken;
}

}  // namespace restante
