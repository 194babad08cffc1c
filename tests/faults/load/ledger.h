// What the load saw, in a file of another process: whatever is killed, what stands there was seen.
//
// That process writes and syncs what has gathered, again and again, and answers how much is on disk. Entries
// stand one behind the other as they are in memory.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace restante::faults {

enum class seen : std::uint8_t {
  accepted,      // by the broker, towards the sender: PUBACK or PUBREC
  handed_over,   // PUBLISH came to the recipient
  acknowledged,  // the recipient's `ack` was answered with PUBACK
};

struct ledger_entry {
  std::int64_t at_ns = 0;    // CLOCK_MONOTONIC
  std::uint32_t number = 0;  // the how manieth of this sender to this recipient, from 0
  std::uint16_t sender = 0, recipient = 0;
  seen what = seen::accepted;
  std::uint8_t qos = 0;
  std::uint8_t repeated = 0;  // accepted: it was published more than once
  std::uint8_t unused[5] = {};
};
static_assert(sizeof(ledger_entry) == 24);

class ledger {
 public:
  // Starts the process, which ends with this one. Throws std::runtime_error.
  explicit ledger(const std::filesystem::path& file);
  ~ledger();
  ledger(const ledger&) = delete;
  ledger& operator=(const ledger&) = delete;

  void add(const ledger_entry& entry);
  std::uint64_t added() const { return added_; }
  // How many of them are on disk.
  std::uint64_t synced() const { return synced_; }
  // Sends what was added and learns what was synced. Does not wait.
  void exchange();
  // Waits until all is on disk. Throws when the other process fails.
  void finish();

 private:
  bool receive(int flags);

  int socket_ = -1;
  pid_t writer_ = -1;
  std::string output_;
  std::uint64_t added_ = 0, synced_ = 0;
};

// Throws std::runtime_error if there is none.
std::vector<ledger_entry> read_ledger(const std::filesystem::path& file);

}  // namespace restante::faults
