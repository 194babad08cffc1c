// Messages read back from the journal by their places.
#pragma once

#include <cstdint>
#include <vector>

#include "core/ports.h"

namespace restante {

struct journal_place {
  journal_position at = 0;
  message_number number = 0;       // of the message that stands there
  std::uint32_t record_bytes = 0;  // about
};

// Whether both are in one read: what stands between them costs less than another read.
bool is_near(const journal_place& before, const journal_place& next);

// `places`: growing. The messages there, in order; fewer if the journal cannot give the next one. As many
// reads as there are places that are not near the one before, and one for each quarter of a megabyte.
std::vector<envelope> read_back(journal& records, const std::vector<journal_place>& places);

}  // namespace restante
