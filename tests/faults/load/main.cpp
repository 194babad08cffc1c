// The load process: see board.h for what it is told, README.md for what it does.
//
//   fault_load BOARD      ledgers: accepted and received, beside the board
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <vector>

#include "clock.h"
#include "load/board.h"
#include "load/ledger.h"
#include "load/publisher.h"
#include "load/recipient.h"

namespace restante::faults {
namespace {

constexpr int round_ms = 2;

class load {
 public:
  explicit load(const std::filesystem::path& file)
      : board_(file, false),
        accepted_(file.parent_path() / "accepted"),
        received_(file.parent_path() / "received"),
        events_(::epoll_create1(EPOLL_CLOEXEC)) {
    const auto& settings = board_->settings;
    for (std::uint32_t i = 0; i < settings.publishers; ++i) {
      publishers_.push_back(std::make_unique<publisher>(i, *board_, accepted_, events_));
    }
    for (std::uint32_t i = 0; i < settings.recipients; ++i) {
      recipients_.push_back(std::make_unique<recipient>(i, *board_, received_, events_));
    }
  }
  ~load() {
    publishers_.clear();
    recipients_.clear();
    ::close(events_);
  }
  load(const load&) = delete;
  load& operator=(const load&) = delete;

  void run() {
    while (board_->wanted != load_phase::end) round();
    accepted_.finish();
    received_.finish();
  }

 private:
  void round() {
    std::array<epoll_event, 256> events;
    const int count = ::epoll_wait(events_, events.data(), static_cast<int>(events.size()), round_ms);
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      static_cast<connection*>(event.data.ptr)->on_event(event.events);
    }
    const auto now_ns = bench::now_ns();
    const bool publishes = board_->wanted == load_phase::publish;
    accepted_.exchange();
    received_.exchange();
    std::uint64_t publishers = 0, recipients = 0;
    for (const auto& each : publishers_) {
      each->line().attend(now_ns);
      each->note_synced();
      if (publishes) each->publish(now_ns);
      each->line().flush();
      publishers += each->line().is_ready();
    }
    const std::size_t present = publishes ? recipients_.size() / 2 : recipients_.size();
    for (std::size_t i = 0; i < present; ++i) {
      recipients_[i]->line().attend(now_ns);
      recipients_[i]->acknowledge();
      recipients_[i]->line().flush();
      recipients += recipients_[i]->line().is_ready();
    }
    board_->publishers_connected = publishers;
    board_->recipients_connected = recipients;
  }

  shared_board board_;
  ledger accepted_, received_;
  int events_;
  std::vector<std::unique_ptr<publisher>> publishers_;
  std::vector<std::unique_ptr<recipient>> recipients_;
};

}  // namespace
}  // namespace restante::faults

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: fault_load BOARD\n";
    return 2;
  }
  try {
    restante::faults::load(arguments[1]).run();
  } catch (const std::exception& failure) {
    std::cerr << failure.what() << '\n';
    return 1;
  }
  return 0;
}
