// What all participants of a run have sent and received together.
#pragma once

#include <cstdint>
#include <string>

#include "histogram.h"

namespace restante::bench {

struct tally {
  std::uint64_t published = 0;  // messages
  std::uint64_t confirmed = 0;  // of them
  std::uint64_t delivered = 0;  // copies of messages, as recipients got them
  std::uint64_t lines = 0;      // acknowledged by topic ack
  std::uint64_t line_publishes = 0;
  std::uint64_t receipts_sent = 0, receipts = 0;
  std::uint64_t refused = 0;       // PUBACKs with a reason from 0x80 on
  std::uint64_t misdelivered = 0;  // for somebody else, or none of ours
  std::uint64_t broken = 0;        // connections
  std::string why_broken;          // the first

  bool is_measuring = false;
  histogram latency;  // of what is delivered while measuring
};

}  // namespace restante::bench
