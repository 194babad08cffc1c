#include "journal/journal_format.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "journal/bytes.h"
#include "journal/crc32c.h"

namespace restante::journal_format {
namespace {

constexpr std::string_view magic = "RESTJRNL";
constexpr std::uint32_t version = 2;

// The largest body: a message of the largest texts for the most recipients.
constexpr std::size_t longest_record =
    2 * longest_text_bytes + longest_topic_bytes + (most_recipients + 8) * (longest_name_bytes + 1) + 256;
static_assert(longest_record < std::numeric_limits<std::uint32_t>::max());

// `Bytes` is a byte_counter or a byte_writer.
template <typename Bytes>
void put_name(Bytes& to, std::string_view name) {
  to.number(static_cast<std::uint8_t>(name.size()));
  to.text(name);
}
template <typename Bytes>
void put_key(Bytes& to, const message_key& key) {
  put_name(to, key.sender);
  put_name(to, key.id);
}
template <typename Bytes>
void put_used(Bytes& to, const fingerprint& known, std::int64_t at_us) {
  to.number(at_us);
  to.number(known.identity);
  to.number(known.topic);
}
template <typename Bytes>
void put_message(Bytes& to, const message& what) {
  to.number(what.number);
  to.number(what.expires_at_us);
  to.number(what.qos);
  put_key(to, what.key);
  to.number(static_cast<std::uint16_t>(what.topic.size()));
  to.text(what.topic);
  to.number(static_cast<std::uint32_t>(what.properties.size()));
  to.text(what.properties);
  to.number(static_cast<std::uint32_t>(what.payload.size()));
  to.text(what.payload);
}

bool fits(std::string_view name) { return name.size() <= longest_name_bytes; }
bool fits(const message_key& key) { return fits(key.sender) && fits(key.id); }
bool fits(const message& what) {
  return fits(what.key) && what.topic.size() <= longest_topic_bytes && what.qos <= 2 &&
         what.properties.size() <= longest_text_bytes && what.payload.size() <= longest_text_bytes;
}

std::string_view name_from(byte_reader& from) {
  return from.text(from.number<std::uint8_t>(), longest_name_bytes);
}
bool flag_from(byte_reader& from) {
  const auto value = from.number<std::uint8_t>();
  if (value > 1) from.fail();
  return value == 1;
}
message_key key_from(byte_reader& from) {
  message_key key;
  key.sender = name_from(from);
  key.id = name_from(from);
  return key;
}
fingerprint used_from(byte_reader& from, std::int64_t& at_us) {
  at_us = from.number<std::int64_t>();
  fingerprint known;
  known.identity = from.number<std::uint64_t>();
  known.topic = from.number<std::uint64_t>();
  return known;
}
message message_from(byte_reader& from) {
  message what;
  what.number = from.number<std::int64_t>();
  what.expires_at_us = from.number<std::int64_t>();
  what.qos = from.number<std::uint8_t>();
  if (what.qos > 2) from.fail();
  what.key = key_from(from);
  what.topic = from.text(from.number<std::uint16_t>(), longest_topic_bytes);
  what.properties = from.text(from.number<std::uint32_t>(), longest_text_bytes);
  what.payload = from.text(from.number<std::uint32_t>(), longest_text_bytes);
  return what;
}

// `put_body(bytes)` puts the same each time.
template <typename Put>
void write_record(std::string& to, const seal& with, journal_position at, record_kind kind,
                  const Put& put_body) {
  byte_counter counted;
  put_body(counted);
  const std::size_t begin = to.size(), length = 1 + counted.size_bytes();
  to.resize(begin + frame_bytes + length);
  char* const frame = to.data() + begin;
  byte_writer behind(frame + frame_bytes);
  behind.number(static_cast<std::uint8_t>(kind));
  put_body(behind);
  put_at(frame, static_cast<std::uint32_t>(length));
  put_at(frame + 4, with.checksum(at, {frame + frame_bytes, length}));
}

std::optional<journal_record> accepted_from(byte_reader from) {
  accepted_message record;
  std::int64_t at_us = 0;
  record.known = used_from(from, at_us);
  record.what.what = std::make_shared<const message>(message_from(from));
  record.what.dead_letter = from.number<std::int64_t>();
  record.what.group = name_from(from);
  const auto count = from.number<std::uint32_t>();
  if (count > most_recipients || count > from.left()) return std::nullopt;  // a name has a byte at least
  record.what.recipients.reserve(count);
  for (std::uint32_t index = 0; index < count; ++index) record.what.recipients.emplace_back(name_from(from));
  if (!from.at_end()) return std::nullopt;
  return record;
}

}  // namespace

std::string_view describe(flaw what) {
  switch (what) {
    case flaw::cut_short:
      return "it ends within a record";
    case flaw::bad_length:
      return "no record is that long";
    case flaw::bad_checksum:
      return "the checksum is wrong";
    case flaw::bad_body:
      return "a record holds what this version does not know";
  }
  return "";
}

std::string encode_header(const header& what) {
  std::string bytes(magic);
  put(bytes, version);
  put(bytes, what.start);
  put(bytes, what.keep);
  put(bytes, what.synced);
  put(bytes, what.key.low);
  put(bytes, what.key.high);
  bytes.append(header_bytes - 4 - bytes.size(), '\0');
  put(bytes, crc32c(bytes));
  return bytes;
}

std::optional<header> decode_header(std::string_view bytes) {
  if (bytes.size() < header_bytes) return std::nullopt;
  const auto covered = bytes.substr(0, header_bytes - 4);
  if (byte_reader(bytes.substr(header_bytes - 4)).number<std::uint32_t>() != crc32c(covered))
    return std::nullopt;
  byte_reader from(covered);
  header found;
  if (from.text(magic.size(), magic.size()) != magic || from.number<std::uint32_t>() != version)
    return std::nullopt;
  found.start = from.number<std::uint64_t>();
  found.keep = from.number<std::uint64_t>();
  found.synced = from.number<std::uint64_t>();
  found.key.low = from.number<std::uint64_t>();
  found.key.high = from.number<std::uint64_t>();
  return found;
}

seal::seal(hash_key key) : key_checksum_(0) {
  std::string bytes;
  put(bytes, key.low);
  put(bytes, key.high);
  key_checksum_ = crc32c(bytes);
}

std::uint32_t seal::checksum(journal_position at, std::string_view kind_and_body) const {
  char front[12];
  put_at(front, at);
  put_at(front + 8, static_cast<std::uint32_t>(kind_and_body.size()));
  return crc32c(kind_and_body, crc32c({front, sizeof front}, key_checksum_));
}

bool encode(std::string& to, const seal& with, journal_position at, const envelope& what,
            const fingerprint& known) {
  if (!fits(*what.what) || !fits(what.group) || what.recipients.size() > most_recipients) return false;
  if (!std::all_of(what.recipients.begin(), what.recipients.end(),
                   [](const auto& name) { return fits(name); }))
    return false;
  write_record(to, with, at, record_kind::accepted, [&](auto& body) {
    put_used(body, known, what.what->number);
    put_message(body, *what.what);
    body.number(what.dead_letter);
    put_name(body, what.group);
    body.number(static_cast<std::uint32_t>(what.recipients.size()));
    for (const auto& name : what.recipients) put_name(body, name);
  });
  return true;
}

bool encode(std::string& to, const seal& with, journal_position at, const removal_list& what) {
  if (!fits(what.account) || what.numbers.size() > most_removals) return false;
  write_record(to, with, at, record_kind::removals, [&](auto& body) {
    put_name(body, what.account);
    body.number(static_cast<std::uint16_t>(what.numbers.size()));
    for (const auto number : what.numbers) body.number(number);
  });
  return true;
}

bool encode(std::string& to, const seal& with, journal_position at, const removal_by_key& what) {
  if (!fits(what.account) || !fits(what.key)) return false;
  write_record(to, with, at, record_kind::removal_by_key, [&](auto& body) {
    body.number(what.through);
    body.number(static_cast<std::uint8_t>(what.find_only));
    put_name(body, what.account);
    put_key(body, what.key);
  });
  return true;
}

bool encode(std::string& to, const seal& with, journal_position at, const unresolved_receipt& what,
            std::int64_t now_us) {
  if (!fits(what.told) || !fits(what.about)) return false;
  write_record(to, with, at, record_kind::receipt, [&](auto& body) {
    put_used(body, what.known, now_us);
    body.number(what.through);
    body.number(static_cast<std::uint8_t>(what.may_message));
    put_message(body, what.told);
    put_key(body, what.about);
  });
  return true;
}

bool encode(std::string& to, const seal& with, journal_position at, const used_once& what) {
  write_record(to, with, at, record_kind::used_once,
               [&](auto& body) { put_used(body, what.known, what.at_us); });
  return true;
}

bool encode(std::string& to, const seal& with, journal_position at, const mark& what) {
  write_record(to, with, at, record_kind::mark, [&](auto& body) {
    body.number(what.keep);
    body.number(what.synced);
  });
  return true;
}

std::optional<std::size_t> size_of_record(std::string_view bytes) {
  if (bytes.size() < frame_bytes) return std::nullopt;
  const std::size_t length = byte_reader(bytes).number<std::uint32_t>();
  if (length == 0 || length > longest_record) return std::nullopt;
  return frame_bytes + length;
}

std::variant<framed, flaw> read_frame(std::string_view bytes, const seal& with, journal_position at) {
  if (bytes.size() < frame_bytes) return flaw::cut_short;
  const auto size = size_of_record(bytes);
  if (!size) return flaw::bad_length;
  if (bytes.size() < *size) return flaw::cut_short;
  const auto kind_and_body = bytes.substr(frame_bytes, *size - frame_bytes);
  if (byte_reader(bytes.substr(4)).number<std::uint32_t>() != with.checksum(at, kind_and_body))
    return flaw::bad_checksum;
  const auto kind = static_cast<std::uint8_t>(kind_and_body.front());
  if (kind < static_cast<std::uint8_t>(record_kind::accepted) ||
      kind > static_cast<std::uint8_t>(record_kind::mark))
    return flaw::bad_body;
  return framed{static_cast<record_kind>(kind), kind_and_body.substr(1), *size};
}

std::optional<journal_record> decode_record(const framed& of) {
  byte_reader from(of.body);
  std::optional<journal_record> found;
  switch (of.kind) {
    case record_kind::accepted:
      return accepted_from(from);
    case record_kind::removals: {
      removal_list record;
      record.account = name_from(from);
      record.numbers.resize(std::min<std::size_t>(from.number<std::uint16_t>(), from.left() / 8 + 1));
      for (auto& number : record.numbers) number = from.number<std::int64_t>();
      found = std::move(record);
      break;
    }
    case record_kind::removal_by_key: {
      removal_by_key record;
      record.through = from.number<std::int64_t>();
      record.find_only = flag_from(from);
      record.account = name_from(from);
      record.key = key_from(from);
      found = std::move(record);
      break;
    }
    case record_kind::receipt: {
      unresolved_receipt record;
      std::int64_t at_us = 0;
      record.known = used_from(from, at_us);
      record.through = from.number<std::int64_t>();
      record.may_message = flag_from(from);
      record.told = message_from(from);
      record.about = key_from(from);
      found = std::move(record);
      break;
    }
    case record_kind::used_once: {
      used_once record;
      record.known = used_from(from, record.at_us);
      found = record;
      break;
    }
    case record_kind::mark:
      return std::nullopt;
  }
  if (!from.at_end()) return std::nullopt;
  return found;
}

std::optional<mark> decode_mark(const framed& of) {
  if (of.kind != record_kind::mark) return std::nullopt;
  byte_reader from(of.body);
  mark found;
  found.keep = from.number<std::uint64_t>();
  found.synced = from.number<std::uint64_t>();
  if (!from.at_end()) return std::nullopt;
  return found;
}

std::optional<used_once> decode_used(const framed& of) {
  if (of.kind != record_kind::accepted && of.kind != record_kind::receipt &&
      of.kind != record_kind::used_once)
    return std::nullopt;
  byte_reader from(of.body);
  used_once found;
  found.known = used_from(from, found.at_us);
  if (!from.ok() || found.known == fingerprint{}) return std::nullopt;
  return found;
}

std::string file_name(journal_position start, std::string_view ending) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "%020llu", static_cast<unsigned long long>(start));
  return std::string(digits).append(ending);
}

std::optional<journal_position> parse_file_name(std::string_view name, std::string_view ending) {
  constexpr std::size_t digits = 20;
  if (name.size() != digits + ending.size() || name.substr(digits) != ending) return std::nullopt;
  journal_position start = 0;
  for (const char digit : name.substr(0, digits)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    const auto value = static_cast<journal_position>(digit - '0');
    if (start > (std::numeric_limits<journal_position>::max() - value) / 10) return std::nullopt;
    start = start * 10 + value;
  }
  return start;
}

}  // namespace restante::journal_format
