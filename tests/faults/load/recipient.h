// A recipient: answers what comes and acknowledges it by `ack`, as much as has gathered at once.
// Acknowledgements that were not answered when its connection broke are repeated.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "load/board.h"
#include "load/connection.h"
#include "load/ledger.h"

namespace restante::faults {

class recipient final : public connection_owner {
 public:
  recipient(std::uint32_t index, board& told, ledger& received, int events);

  connection& line() { return line_; }
  void acknowledge();  // once a round
  void on_ready() override;
  void on_packet(const bench::packet_view& what) override;

 private:
  struct message {
    std::uint16_t sender = 0;
    std::uint32_t number = 0;
  };
  struct underway {
    std::uint16_t packet_id = 0;
    std::vector<message> messages;
  };

  void take(const bench::packet_view& what);
  void send(const underway& what, bool repeated);
  void note_acknowledged(const underway& what);
  void note(seen what, const message& which, std::uint8_t qos);

  std::uint32_t index_;
  board& told_;
  ledger& received_;
  connection line_;
  std::string topic_;
  std::uint16_t last_packet_id_ = 0;
  std::vector<message> gathered_;
  std::deque<underway> underway_;
  std::vector<std::vector<bool>> acknowledged_;  // by sender and number
};

}  // namespace restante::faults
