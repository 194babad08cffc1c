#include "journal/segment_fingerprints.h"

#include <algorithm>
#include <string>

#include "journal/whole_file.h"

namespace restante {

using namespace journal_format;

bool each_fingerprint(files& in, hash_key key, journal_position start, journal_position until,
                      const std::function<void(const used_once&)>& each) {
  constexpr std::size_t usual_bytes = 64 << 10;
  const open_file file(in, in.open_to_read(file_name(start, segment_ending)));
  if (!file.ok()) return false;
  const seal sealed(key);
  std::string bytes;
  std::size_t wanted = usual_bytes;
  for (journal_position at = start; at < until;) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, until - at));
    const auto got = read_fully(in, file.get(), bytes, count, header_bytes + (at - start));
    if (got < 0) return false;
    std::string_view rest(bytes);
    while (!rest.empty()) {
      const auto frame = read_frame(rest, sealed, at);
      const auto* found = std::get_if<framed>(&frame);
      if (found == nullptr) break;
      if (const auto used = decode_used(*found)) each(*used);
      at += found->size;
      rest.remove_prefix(found->size);
    }
    if (rest.size() < bytes.size()) {
      wanted = usual_bytes;
      continue;
    }
    // Not one: it is longer than what was read, or there is no more to be had.
    wanted = size_of_record(bytes).value_or(0);
    if (wanted <= count || wanted > until - at) return true;
  }
  return true;
}

}  // namespace restante
