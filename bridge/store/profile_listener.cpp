#include "bridge/store/profile_listener.h"

#include <poll.h>

#include <utility>

#include "threads/quiet_thread.h"

namespace restante {
namespace {

// A server that is gone without a word is found out by TCP's keepalives, within half a minute.
constexpr int poll_ms = 30'000;

}  // namespace

profile_listener::profile_listener(std::string database, std::function<void()> wake, bridge_log& log)
    : wake_(std::move(wake)), link_(std::move(database), "listener", log) {
  link_.prepare_with([](connection& on) { return on.execute_script("listen restante_profile"); });
  thread_ = start_quiet_thread([this] { run(); });
}

profile_listener::~profile_listener() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  link_.interrupt();
  stopped_.notify_all();
  thread_.join();
}

void profile_listener::run() {
  bool was_connected = false;
  while (!link_.is_interrupted()) {
    connection* on = link_.get();
    if (!on) {
      was_connected = false;
      pause();
      continue;
    }
    if (!was_connected) wake_();
    was_connected = true;
    pollfd watched[] = {{on->socket(), POLLIN, 0}, {link_.interruption_descriptor(), POLLIN, 0}};
    ::poll(watched, 2, poll_ms);
    const auto heard = on->consume_notifications();
    if (!heard) {
      link_.failed(heard.error());
    } else if (*heard > 0) {
      wake_();
    }
  }
}

void profile_listener::pause() {
  std::unique_lock lock(mutex_);
  stopped_.wait_until(lock, link_.next_attempt(), [this] { return stopping_; });
}

}  // namespace restante
