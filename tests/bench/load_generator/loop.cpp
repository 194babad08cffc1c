#include "loop.h"

#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "clock.h"

namespace restante::bench {
namespace {

constexpr std::size_t scratch_bytes = 256U << 10;
constexpr std::int64_t longest_wait_ns = 10 * millisecond_ns;
constexpr std::int64_t retry_after_ns = 100 * millisecond_ns;

timespec time_of(std::int64_t time_ns) {
  return {.tv_sec = time_ns / second_ns, .tv_nsec = time_ns % second_ns};
}

}  // namespace

loop::loop(const loop_settings& settings)
    : settings_(settings), epoll_(::epoll_create1(EPOLL_CLOEXEC)), scratch_(scratch_bytes) {
  if (epoll_ < 0) throw std::runtime_error("no epoll");
}

loop::~loop() { ::close(epoll_); }

void loop::watch(client& which, int operation, bool for_output) {
  epoll_event event{};
  event.events = EPOLLIN | (for_output ? EPOLLOUT : 0U);
  event.data.ptr = &which;
  which.is_watched_for_output = for_output;
  ::epoll_ctl(epoll_, operation, which.descriptor(), &event);
}

void loop::open(client& which) {
  which.open(settings_.broker);
  if (which.now() == client::state::connecting) watch(which, EPOLL_CTL_ADD, true);
}

void loop::write(client& which) {
  const bool for_output = !which.flush();
  if (which.descriptor() >= 0 && which.is_watched_for_output != for_output) {
    watch(which, EPOLL_CTL_MOD, for_output);
  }
}

// The whole wait in one go: woken for every packet, we would take as many system calls as the broker does.
void loop::wait_for_tick() {
  const auto until_ns = last_round_ns_ + settings_.tick_ns;
  const auto now = now_ns();
  if (settings_.tick_ns > 0 && until_ns > now) {
    const auto wait = time_of(until_ns - now);
    ::ppoll(nullptr, 0, &wait, nullptr);
  }
  last_round_ns_ = now_ns();
}

void loop::round(std::int64_t no_longer_than_ns) {
  wait_for_tick();
  auto wait_ns = std::min(no_longer_than_ns, longest_wait_ns);
  if (wake_at_ns > 0) wait_ns = std::min(wait_ns, wake_at_ns - last_round_ns_);
  const auto wait = time_of(std::max<std::int64_t>(wait_ns, 0));
  std::array<epoll_event, 1'024> events;
  const int count = ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &wait, nullptr);
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    auto& which = *static_cast<client*>(event.data.ptr);
    if (which.now() == client::state::connecting) {
      which.on_connected();
    } else {
      if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && which.descriptor() >= 0)
        which.receive(scratch_);
      if ((event.events & EPOLLOUT) != 0) write(which);
    }
  }
  open_again();
  in_each_round();
  writing_.clear();
  std::swap(writing_, written_);
  for (auto* each : writing_) write(*each);
}

bool loop::run_until(const std::function<bool()>& condition, std::int64_t limit_ns) {
  const auto end_ns = now_ns() + limit_ns;
  while (!condition()) {
    const auto left_ns = end_ns - now_ns();
    if (left_ns <= 0) return false;
    round(left_ns);
  }
  return true;
}

void loop::run_for(std::int64_t time_ns) {
  run_until([] { return false; }, time_ns);
}

void loop::keep_opening(client& which) {
  opening_.push_back({.which = &which, .again_ns = 0});
  open(which);
}

void loop::open_again() {
  std::erase_if(opening_, [](const opening& each) {
    return each.which->is_ready() || each.which->now() == client::state::refused;
  });
  for (auto& each : opening_) {
    const auto state = each.which->now();
    if (state != client::state::put_off && state != client::state::broken) continue;
    if (each.again_ns == 0) {
      each.again_ns = last_round_ns_ + retry_after_ns;
    } else if (last_round_ns_ >= each.again_ns) {
      each.again_ns = 0;
      open(*each.which);
    }
  }
}

bool loop::connect(std::span<client* const> clients, std::size_t parallel, std::int64_t limit_ns) {
  std::size_t next = 0;
  const auto top_up = [&] {
    while (next < clients.size() && opening_.size() < parallel) keep_opening(*clients[next++]);
    return opening_.empty() && next == clients.size();
  };
  return run_until(top_up, limit_ns) &&
         std::all_of(clients.begin(), clients.end(), [](const client* each) { return each->is_ready(); });
}

}  // namespace restante::bench
