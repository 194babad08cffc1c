// The bytes of the journal. Functions of their arguments: no files, no clock.
//
//   journal       = segment*                  files named by position, 20 digits and ".journal"
//   segment       = header record* rest       rest: zeros, or bytes that make no record
//   header        = "RESTJRNL" version:u32 start:u64 keep:u64 synced:u64 key:16 bytes zero:8 bytes
//   checksum:u32
//                                             64 bytes; the checksum is over the 60 in front of it
//   record        = length:u32 checksum:u32 kind:u8 body      length: bytes of kind and body
//
//   body          = accepted (1) | removals (2) | removal_by_key (3) | receipt (4) | used_once (5) | mark (6)
//   accepted      = used message dead_letter:i64 group:name count:u32 recipient:name{count}
//   removals      = account:name count:u16 number:i64{count}
//   removal_by_key= through:i64 find_only:flag account:name about:key
//   receipt       = used through:i64 may_message:flag message about:key
//   used_once     = used
//   mark          = keep:u64 synced:u64
//
//   used          = at_us:i64 identity:u64 topic:u64          a fingerprint and when; accepted: its number
//   message       = number:i64 expires_at_us:i64 qos:u8 key topic:text16 properties:text32 payload:text32
//   key           = sender:name id:name
//   name          = size:u8 byte{size}        at most 64
//   text16        = size:u16 byte{size}
//   text32        = size:u32 byte{size}       at most 268,435,455
//   flag          = 0:u8 | 1:u8
//
// Numbers are little endian. A position counts the bytes of records ever appended; headers and rests count
// nothing, so a segment ends where the next one starts, and a record's place in its file is 64 bytes + its
// position - the segment's start.
//
// The checksum is a CRC-32C over the journal's key, the record's position, its length, kind and body. So
// bytes that stood elsewhere, or in another journal, never pass, whatever a file held before.
//
// `keep`: nothing before it is needed any more; a record begins there. `synced`: everything before it had
// reached the disk when this was written, which is how damage is told from what a power loss leaves
// (inspection.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/journal_record.h"
#include "core/keyed_hash.h"

namespace restante::journal_format {

inline constexpr std::size_t header_bytes = 64;
inline constexpr std::size_t frame_bytes = 8;  // length and checksum
inline constexpr std::size_t mark_bytes = frame_bytes + 1 + 16;
inline constexpr std::size_t longest_name_bytes = 64;
inline constexpr std::size_t longest_topic_bytes = 65'535;
inline constexpr std::size_t longest_text_bytes = 268'435'455;  // MQTT's largest packet
inline constexpr std::size_t most_recipients = 100'000;
inline constexpr std::size_t most_removals = 65'535;

enum class record_kind : std::uint8_t {
  accepted = 1,
  removals = 2,
  removal_by_key = 3,
  receipt = 4,
  used_once = 5,
  mark = 6,
};

enum class flaw {
  cut_short,     // fewer bytes than a record needs, or than this one says it has
  bad_length,    // no record has so few or so many
  bad_checksum,  // torn, damaged, or from elsewhere
  bad_body,      // a kind or a value that this version does not know
};
std::string_view describe(flaw what);

struct header {
  journal_position start = 0, keep = 0, synced = 0;
  hash_key key;
};
std::string encode_header(const header& what);                // header_bytes
std::optional<header> decode_header(std::string_view bytes);  // nothing: damaged, or of another version

struct mark {
  journal_position keep = 0, synced = 0;
};

// What records of one journal are sealed with.
class seal {
 public:
  explicit seal(hash_key key);
  std::uint32_t checksum(journal_position at, std::string_view kind_and_body) const;

 private:
  std::uint32_t key_checksum_;
};

// Append one record that stands at `at`. False: it has more than a record may have, and nothing was appended.
// No allocation while `to` has the capacity.
bool encode(std::string& to, const seal& with, journal_position at, const envelope& what,
            const fingerprint& known);
bool encode(std::string& to, const seal& with, journal_position at, const removal_list& what);
bool encode(std::string& to, const seal& with, journal_position at, const removal_by_key& what);
bool encode(std::string& to, const seal& with, journal_position at, const unresolved_receipt& what,
            std::int64_t now_us);
bool encode(std::string& to, const seal& with, journal_position at, const used_once& what);
bool encode(std::string& to, const seal& with, journal_position at, const mark& what);

// A record whose checksum is right; `body` points into the bytes it was found in.
struct framed {
  record_kind kind = record_kind::mark;
  std::string_view body;
  std::size_t size = 0;  // with length and checksum
};

// The record at `at`, which `bytes` begins with.
std::variant<framed, flaw> read_frame(std::string_view bytes, const seal& with, journal_position at);
// How many bytes the record that `bytes` begins with says it has; nothing: too few to tell, or no record.
std::optional<std::size_t> size_of_record(std::string_view bytes);

// What is in it; a mark's are no record of the core's. Nothing: bad_body.
std::optional<journal_record> decode_record(const framed& from);
std::optional<mark> decode_mark(const framed& from);
// The fingerprint in it, if it has one and that is not {0, 0}, without decoding the rest.
std::optional<used_once> decode_used(const framed& from);

inline constexpr std::string_view segment_ending = ".journal", recent_ending = ".recent";

// "00000000000000004096.journal"
std::string file_name(journal_position start, std::string_view ending);
std::optional<journal_position> parse_file_name(std::string_view name, std::string_view ending);

}  // namespace restante::journal_format
