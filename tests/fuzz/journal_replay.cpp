// Input: what a journal's directory holds after the worst. The first byte chooses how the rest is meant:
//   0  any body of any kind, as if its checksum were right
//   1  records of any bodies with right checksums, marks among them, in one segment
//   2  a journal that was written well, then changed here and there
//   3  the bytes of a segment
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "../unit/journal_simulated_disk.h"
#include "check.h"
#include "journal/bytes.h"
#include "journal/crc32c.h"
#include "journal/file_journal.h"
#include "journal/journal_format.h"

namespace {

using namespace restante;
using namespace restante::fuzz;
using namespace restante::journal_format;
using namespace restante::test;

struct standing_clock final : restante::clock {
  std::int64_t now_us() const override { return 1'000'000'000; }
  std::int64_t steady_us() const override { return 1'000; }
};

const standing_clock time_stands;
constexpr restante::hash_key any_key{1, 2};

void put_file(simulated_disk& disk, const std::string& name, const std::string& content) {
  disk.files.push_back({content, content, {}, false});
  disk.seen[name] = disk.durable[name] = disk.files.size() - 1;
}

std::string encode_again(const journal_record& record, std::int64_t at_us) {
  std::string bytes;
  const seal sealed(any_key);
  bool done = false;
  if (const auto* accepted = std::get_if<accepted_message>(&record)) {
    done = encode(bytes, sealed, 0, accepted->what, accepted->known);
  } else if (const auto* gone = std::get_if<removal_list>(&record)) {
    done = encode(bytes, sealed, 0, *gone);
  } else if (const auto* by_key = std::get_if<removal_by_key>(&record)) {
    done = encode(bytes, sealed, 0, *by_key);
  } else if (const auto* receipt = std::get_if<unresolved_receipt>(&record)) {
    done = encode(bytes, sealed, 0, *receipt, at_us);
  } else {
    done = encode(bytes, sealed, 0, std::get<used_once>(record));
  }
  check(done, "what was read can be written");
  return bytes;
}

void decode_a_body(std::string_view input) {
  if (input.empty()) return;
  const framed from{static_cast<record_kind>(1 + static_cast<unsigned char>(input[0]) % 6), input.substr(1),
                    0};
  decode_mark(from);
  const auto record = decode_record(from);
  if (!record) return;
  std::int64_t at_us = 0;
  if (const auto used = decode_used(from)) at_us = used->at_us;
  const auto again = encode_again(*record, at_us);
  const bool times_are_not_kept = std::holds_alternative<accepted_message>(*record) || at_us == 0;
  check(times_are_not_kept || std::string_view(again).substr(frame_bytes + 1) == from.body,
        "a record has one form");
}

struct outcome {
  bool opened = false;
  std::vector<journal_position> records;
};

// Opened, read, begun, written to, and opened again.
outcome use(simulated_disk& disk, std::size_t segment_bytes, bool with_ring = false) {
  journal_settings settings;
  settings.directory = "journal";
  settings.segment_bytes = segment_bytes;
  settings.limit_bytes = 1 << 24;
  outcome result;
  journal_position written = 0;
  for (int life = 0; life < 2; ++life) {
    simulated_files port(disk);
    port.maps = with_ring;
    auto opened = file_journal::open(settings, port, time_stands);
    if (const auto* error = std::get_if<journal_error>(&opened)) {
      check(life == 0, "what was opened once is opened again");
      check(!error->line.empty(), "a refusal says why");
      return result;
    }
    auto& records = *std::get<0>(opened);
    result.opened = true;
    check(records.begin() <= records.end(), "it begins before it ends");
    std::vector<journal_position> found;
    for (auto at = records.begin(); at < records.end();) {
      const auto chunk = records.read(at, 1'000);
      check(!chunk.failed, "what was checked can be read");
      check(chunk.next > at, "reading goes on");
      for (const auto& [place, record] : chunk.records) {
        check(found.empty() ? place >= records.begin() : place > found.back(), "records are in order");
        found.push_back(place);
      }
      at = chunk.next;
    }
    records.recall([](const used_once&) {});
    if (life == 1) {
      check(!found.empty() && found.back() == written, "what was written is there");
      check(std::equal(result.records.begin(), result.records.end(), found.begin()),
            "and what was before it");
      break;
    }
    result.records = found;
    // At the largest position there is no room for anything.
    if (records.end() > UINT64_MAX / 2) break;
    check(!records.start(file_journal::behind::by_hand), "it can be begun");
    records.tend();
    written = records.end();
    check(records.append(removal_list{"bert", {1}}) == journal_status::ok, "it takes a record");
    check(records.flush() == journal_status::ok, "and writes it");
    records.tend();
  }
  return result;
}

// `with_ring`: what stands behind some place is in the ring alone, or in both.
void replay_sealed_records(std::string_view input, bool with_ring) {
  byte_reader from(input);
  const std::size_t ring_bytes = with_ring ? 64 + from.number<std::uint8_t>() : 0;
  const std::size_t only_in_ring = with_ring ? from.number<std::uint8_t>() : 0;
  const header first{from.number<std::uint16_t>(), from.number<std::uint16_t>(), from.number<std::uint16_t>(),
                     any_key};
  std::string content = encode_header(first);
  const seal sealed(any_key);
  while (from.ok() && from.left() > 0) {
    const auto kind = static_cast<char>(from.number<std::uint8_t>() % 8);
    const auto size = std::min<std::size_t>(from.number<std::uint8_t>(), from.left());
    const std::string kind_and_body = kind + std::string(from.text(size, size));
    const auto at = first.start + content.size() - header_bytes;
    put(content, static_cast<std::uint32_t>(kind_and_body.size()));
    put(content, sealed.checksum(at, kind_and_body));
    content += kind_and_body;
  }
  simulated_disk disk;
  if (with_ring) {
    std::string ring(ring_bytes, '\0');
    for (std::size_t offset = header_bytes; offset < content.size(); ++offset)
      ring[(first.start + offset - header_bytes) % ring_bytes] = content[offset];
    put_file(disk, "ring", ring);
    content.resize(std::max(header_bytes, content.size() - std::min(only_in_ring, content.size())));
  }
  put_file(disk, file_name(first.start, segment_ending), content);
  use(disk, 4'096, with_ring);
}

struct good_journal {
  simulated_disk disk;
  std::vector<journal_position> written;
};

// With a ring: as it is when the process is killed; else as after an orderly end.
good_journal make_good_journal(bool with_ring) {
  good_journal made;
  simulated_files port(made.disk);
  port.maps = with_ring;
  journal_settings settings;
  settings.directory = "journal";
  settings.segment_bytes = 512;
  settings.limit_bytes = 1 << 20;
  auto records = std::move(std::get<0>(file_journal::open(settings, port, time_stands)));
  records->start(file_journal::behind::by_hand);
  for (message_number number = 0; number < 24; ++number) {
    made.written.push_back(records->end());
    records->append(removal_by_key{"bert", {"anna", "m" + std::to_string(number)}, number, false});
    records->append(used_once{{static_cast<std::uint64_t>(number), 1}, 5});
    records->flush();
    if (number % 8 == 7 && number < 23) records->tend();
    if (number == 12) records->trim(made.written[5]);
  }
  simulated_disk left = made.disk;
  records.reset();
  if (with_ring) made.disk = std::move(left);
  return made;
}

void replay_changed_journal(std::string_view input, bool with_ring) {
  static const good_journal ended = make_good_journal(false), killed = make_good_journal(true);
  const auto& good = with_ring ? killed : ended;
  simulated_disk disk = good.disk;
  byte_reader from(input);
  while (from.left() >= 4) {
    auto name = disk.seen.begin();
    std::advance(name, static_cast<long>(from.number<std::uint8_t>() % disk.seen.size()));
    auto& content = disk.files[name->second].seen;
    const auto offset = from.number<std::uint16_t>();
    const auto change = from.number<std::uint8_t>();
    if (content.empty()) continue;
    if (change == 0) {
      content.resize(offset % content.size());
    } else {
      auto& byte = content[offset % content.size()];
      byte = static_cast<char>(byte ^ static_cast<char>(change));
    }
  }
  const auto result = use(disk, 512, with_ring);
  for (const auto place : result.records)
    check(place <= good.written.back() + 200, "nothing is told from behind the end");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = text_of(data, size);
  if (input.empty()) return 0;
  const auto rest = input.substr(1);
  const bool with_ring = (static_cast<unsigned char>(input[0]) & 0x80) != 0;
  switch (static_cast<unsigned char>(input[0]) % 4) {
    case 0:
      decode_a_body(rest);
      break;
    case 1:
      replay_sealed_records(rest, with_ring);
      break;
    case 2:
      replay_changed_journal(rest, with_ring);
      break;
    default: {
      simulated_disk disk;
      put_file(disk, file_name(0, segment_ending), std::string(rest));
      put_file(disk, file_name(0, recent_ending), std::string(rest));
      use(disk, 4'096);
    }
  }
  return 0;
}
