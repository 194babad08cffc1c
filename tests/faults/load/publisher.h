// A sender: publishes to all recipients in turn by chance, half at QoS 1 and half at QoS 2, and repeats what
// was not acknowledged when its connection broke, with the packet id and the message id that it had.
//
// A publish counts as acknowledged, and makes room for another, when the ledger has it on disk.
#pragma once

#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "load/board.h"
#include "load/connection.h"
#include "load/ledger.h"

namespace restante::faults {

class publisher final : public connection_owner {
 public:
  publisher(std::uint32_t index, board& told, ledger& accepted, int events);

  connection& line() { return line_; }
  // Publishes as much as its rate and its window allow.
  void publish(std::int64_t now_ns);
  void note_synced();  // once a round
  void on_ready() override;
  void on_packet(const bench::packet_view& what) override;

 private:
  struct underway {
    std::uint16_t packet_id = 0;
    std::uint16_t recipient = 0;
    std::uint32_t number = 0;
    std::uint8_t qos = 1;
    bool repeated = false;
    bool released = false;  // QoS 2: accepted, PUBCOMP is awaited
  };

  void send(const underway& what);
  void note_accepted(const underway& what);
  bool is_flooder() const { return index_ < told_.settings.flooders; }

  std::uint32_t index_;
  board& told_;
  ledger& accepted_;
  connection line_;
  std::minstd_rand random_;
  std::uint16_t last_packet_id_ = 0;
  std::vector<std::uint32_t> next_number_;  // by recipient
  std::deque<underway> underway_;
  std::deque<std::uint64_t> unsynced_;  // what the ledger's count must reach
  double allowance_ = 0;
  std::int64_t allowance_at_ns_ = 0;
  std::string topic_, payload_;
};

}  // namespace restante::faults
