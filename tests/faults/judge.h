// Compares what the broker promised with what came, by the two ledgers of a load.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "load/ledger.h"

namespace restante::faults {

struct verdict {
  std::uint64_t accepted = 0;         // messages
  std::uint64_t lost = 0;             // accepted, and never handed over
  std::uint64_t duplicated = 0;       // handed over again although the acknowledgement had been answered
  std::uint64_t repeats = 0;          // handed over again without that: allowed
  std::uint64_t recovered = 0;        // accepted before a fault, first handed over after it
  std::uint64_t out_of_order = 0;     // first hand-overs, each between two accounts, published once at QoS 1
  std::vector<std::string> examples;  // of what must not be, a few
};

// `accepted` and `received`: in the order in which it was seen. `faults_ns`: when, by CLOCK_MONOTONIC.
verdict judge(std::span<const ledger_entry> accepted, std::span<const ledger_entry> received,
              std::span<const std::int64_t> faults_ns);

// In one line.
std::string describe(const verdict& what);

}  // namespace restante::faults
