#include "postgres/directory_thread.h"

#include <thread>
#include <utility>

#include "postgres/directory_requests.h"
#include "postgres/directory_worker.h"
#include "postgres/event_queue.h"
#include "postgres/interruption.h"
#include "threads/background_thread.h"

namespace restante {

class directory_thread::worker {
 public:
  worker(directory_settings settings, verify_function verify, std::function<void()> wake)
      : results(std::move(wake)), work_(std::move(settings), std::move(verify), requests, results, breaks_) {}

  void start() {
    thread_ = start_background_thread({breaks_.descriptor(), requests.descriptor()}, [this] { work_.run(); });
  }

  void stop() {
    if (!thread_.joinable()) return;
    breaks_.trip();
    requests.nudge();
    thread_.join();
  }

  directory_requests requests;
  event_queue<directory_event> results;

 private:
  interruption breaks_;
  directory_worker work_;
  std::thread thread_;
};

directory_thread::directory_thread(directory_settings settings, verify_function verify,
                                   std::function<void()> wake)
    : worker_(std::make_unique<worker>(std::move(settings), std::move(verify), std::move(wake))) {}

directory_thread::~directory_thread() { stop(); }

void directory_thread::start() { worker_->start(); }

void directory_thread::stop() { worker_->stop(); }

void directory_thread::submit(lookup request) {
  lookup_result unavailable;
  unavailable.ticket = request.ticket;
  if (!worker_->requests.submit(std::move(request))) worker_->results.push(std::move(unavailable));
}

std::optional<lookup_result> directory_thread::find(lookup request, std::chrono::milliseconds timeout) {
  return worker_->requests.find(std::move(request), timeout);
}

bool directory_thread::reload(std::span<const std::string> accounts) {
  return worker_->requests.reload(accounts);
}

bool directory_thread::rosters(std::span<const std::string> groups) {
  return worker_->requests.rosters(groups);
}

bool directory_thread::profile(profile_request wanted) {
  return worker_->requests.profile(std::move(wanted));
}

std::vector<directory_event> directory_thread::take_results() {
  auto taken = worker_->results.take();
  if (!taken.empty()) worker_->requests.nudge();
  return taken;
}

}  // namespace restante
