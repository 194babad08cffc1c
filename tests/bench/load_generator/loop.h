// Serves thousands of clients on one thread, with as few system calls as the load allows.
//
// A round: wait for input, read each client that has some once, let the scenario do its part, write each
// client that has output once. With a tick, rounds begin no sooner than that after one another: what arrives
// in between is read at once. Times are of now_ns().
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "client.h"

namespace restante::bench {

struct loop_settings {
  sockaddr_in broker{};
  std::int64_t tick_ns = 0;  // 0: a round as soon as there is input
};

class loop {
 public:
  // Throws std::runtime_error when the kernel has no epoll for us.
  explicit loop(const loop_settings& settings);
  ~loop();
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  // Where clients put themselves that have output.
  std::vector<client*>& written() { return written_; }

  // Called in each round, between reading and writing.
  std::function<void()> in_each_round = [] {};
  // The scenario's next deadline: no wait goes beyond it. 0: none.
  std::int64_t wake_at_ns = 0;

  // Rounds until `condition`, asked once a round, or for `limit_ns`. Returns whether it came true.
  bool run_until(const std::function<bool()>& condition, std::int64_t limit_ns);
  void run_for(std::int64_t time_ns);

  // Opens it, and again a little later each time that it is put off or breaks, until it is ready or refused.
  void keep_opening(client& which);
  // The same for all, `parallel` at a time, until all are ready. False: not all are within the limit, or one
  // is refused.
  bool connect(std::span<client* const> clients, std::size_t parallel, std::int64_t limit_ns);

 private:
  void round(std::int64_t no_longer_than_ns);
  void wait_for_tick();
  void open(client& which);
  void open_again();
  void write(client& which);
  void watch(client& which, int operation, bool for_output);

  loop_settings settings_;
  int epoll_;
  std::vector<char> scratch_;
  std::vector<client*> written_, writing_;
  std::int64_t last_round_ns_ = 0;
  struct opening {
    client* which;
    std::int64_t again_ns;  // 0: it is underway
  };
  std::vector<opening> opening_;
};

}  // namespace restante::bench
