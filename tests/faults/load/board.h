// What the load is told and what it tells of itself while it runs, in memory that it shares with the test.
//
// The test makes the file, fills in the settings and starts the load with its path; ledgers stand beside it.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <new>
#include <stdexcept>
#include <string>

namespace restante::faults {

struct load_settings {
  std::uint16_t port = 0;         // of the broker, on 127.0.0.1
  std::uint32_t publishers = 40;  // accounts: see name_of_publisher()
  std::uint32_t recipients = 40;  // the second half of them is offline until all is to be drained
  std::uint32_t rate = 6'000;     // publishes a second of all together
  std::uint32_t window = 16;      // publishes a sender has under way
  std::uint32_t payload_bytes = 64;
  std::uint32_t flooders = 0;  // so many of the publishers know no rate
  char password[32] = "";      // of every account
};

enum class load_phase : std::uint32_t {
  publish,
  drain,  // what is under way is brought to its end, and all recipients connect
  end,
};

struct board {
  load_settings settings;
  std::atomic<load_phase> wanted{load_phase::publish};

  std::atomic<std::uint64_t> published{0};     // messages, not packets
  std::atomic<std::uint64_t> accepted{0};      // and in the ledger
  std::atomic<std::uint64_t> flood{0};         // those of them that are of flooders
  std::atomic<std::uint64_t> handed_over{0};   // repeats included
  std::atomic<std::uint64_t> acknowledged{0};  // messages whose `ack` the broker has answered
  std::atomic<std::uint64_t> publishers_connected{0};
  std::atomic<std::uint64_t> recipients_connected{0};
  std::atomic<std::uint64_t> connections_lost{0};
  std::atomic<std::uint64_t> logins_put_off{0};
  std::atomic<std::uint64_t> refused{0};  // publishes, acknowledgements and subscriptions: a mistake
};

class shared_board {
 public:
  shared_board(const std::filesystem::path& file, bool make) {
    const int descriptor =
        ::open(file.c_str(), make ? O_RDWR | O_CREAT | O_CLOEXEC : O_RDWR | O_CLOEXEC, 0600);
    if (descriptor < 0) throw std::runtime_error("cannot open " + file.string());
    const bool sized = !make || ::ftruncate(descriptor, sizeof(board)) == 0;
    void* mapped = ::mmap(nullptr, sizeof(board), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    ::close(descriptor);
    if (!sized || mapped == MAP_FAILED) throw std::runtime_error("cannot map " + file.string());
    board_ = make ? new (mapped) board : static_cast<board*>(mapped);
  }
  ~shared_board() { ::munmap(board_, sizeof(board)); }
  shared_board(const shared_board&) = delete;
  shared_board& operator=(const shared_board&) = delete;

  board& operator*() const { return *board_; }
  board* operator->() const { return board_; }

 private:
  board* board_;
};

inline std::string name_of(const char* role, std::uint32_t index) {
  std::string digits = std::to_string(index);
  return std::string(role) + '-' + std::string(digits.size() < 3 ? 3 - digits.size() : 0, '0') + digits;
}
inline std::string name_of_publisher(std::uint32_t index) { return name_of("sender", index); }
inline std::string name_of_recipient(std::uint32_t index) { return name_of("recipient", index); }

}  // namespace restante::faults
