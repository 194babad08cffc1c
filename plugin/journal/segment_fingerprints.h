// The fingerprints that stand in a segment.
#pragma once

#include <functional>

#include "core/keyed_hash.h"
#include "journal/files.h"
#include "journal/journal_format.h"

namespace restante {

// Calls `each` with those of the records from `start`, the segment's first, until `until`, or until one that
// is damaged. 64 KB at a time, or a record. False: the file could not be read.
bool each_fingerprint(files& in, hash_key key, journal_position start, journal_position until,
                      const std::function<void(const used_once&)>& each);

}  // namespace restante
