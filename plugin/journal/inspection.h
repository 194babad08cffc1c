// What an earlier broker left in the directory: read, checked, and mended where a power loss explains it.
//
// First what it flushed last is taken from its ring (record_ring.h) to the end of the last segment, where it
// had no time to go.
//
// Replay begins at the largest `keep` of any mark or header that checks. From there on every record must
// check, each segment going on where the one before ends. Where that stops, at position P:
//
//   - only zeros, or nothing, behind P in the last segment: the clean end. What is cut is counted without
//     zeros.
//   - a mark or a header, anywhere in the journal, says that more than P had reached the disk: damage.
//     Refused, with the file and the offset in it; nothing else is changed. It does not matter whether P is
//     in the last segment.
//   - a record at P whose checksum is right, and which this version does not understand: refused as well.
//   - else nothing from P on was ever said to be safe: a write that a power loss (or the end of the process)
//   tore.
//     Cut at P. Records behind P that check do not change that: after a power loss any of the pages written
//     last may be there and others not, so they prove nothing, and what survives must be a beginning.
//
// Marks behind P are found by looking at every byte. While the journal is written there is a mark with about
// each sync, so only what was written around the last one can be cut though it once was safe, when it is
// damaged.
//
// Before the beginning of replay, damage costs the fingerprints that stood there, and is told in `notes`.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/keyed_hash.h"
#include "journal/files.h"
#include "journal/journal_error.h"
#include "journal/journal_format.h"

namespace restante {

struct found_segment {
  journal_position start = 0, end = 0;  // end: where the next one starts, or the journal ends
  std::uint64_t file_bytes = 0;
  std::uint64_t fingerprints = 0;  // how many stand in it
  std::int64_t newest_us = 0;      // of them
};

struct found_recent {
  journal_position start = 0;  // of the segment it was made from
  std::uint64_t file_bytes = 0;
};

struct inspection {
  std::vector<found_segment> segments;  // oldest first
  std::vector<found_recent> recent;
  bool has_key = false;  // false: there was no journal
  hash_key key;
  journal_position begin = 0, end = 0;  // of replay
  std::vector<std::string> notes;       // what the operator may want to know, one line each
};

// `in` is in the directory, `path` is for the messages. What remains was synced when this returns.
std::variant<inspection, journal_error> inspect(files& in, const std::string& path);

}  // namespace restante
