// What a process that was killed left in its ring (record_ring.h).
#pragma once

#include <cstdint>
#include <string>

#include "journal/files.h"
#include "journal/journal_format.h"

namespace restante {

// The records that follow position `at` without a gap, as bytes; none, if the ring has none or is not there.
// Negative: the error; `found` is empty then.
std::int64_t read_newest_records(files& in, const journal_format::seal& with, journal_position at,
                                 std::string& found);

}  // namespace restante
