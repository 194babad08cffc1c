// Stands between a client and PostgreSQL and loses the answer to a commit.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "support/temporary_directory.h"

namespace restante::support {

// Any number of clients, by Unix socket, without encryption.
class cutting_proxy {
 public:
  // `server`: the directory of the server's socket.
  explicit cutting_proxy(std::string server);
  ~cutting_proxy();
  cutting_proxy(const cutting_proxy&) = delete;
  cutting_proxy& operator=(const cutting_proxy&) = delete;

  // The host for the client's conninfo.
  std::string host() const { return directory_.path().string(); }
  // The next batch of a store is passed on; when the server has answered its commit, both its connections end
  // and the answer is lost.
  void cut_at_commit() { cuts_ = true; }
  int cuts() const { return done_; }

 private:
  void serve();
  void relay(int client, int server);

  const std::string server_;
  temporary_directory directory_;
  int listener_ = -1;
  std::atomic<bool> cuts_ = false, ends_ = false;
  std::atomic<int> done_ = 0;
  std::vector<std::thread> relays_;  // of the thread below
  std::thread thread_;
};

}  // namespace restante::support
