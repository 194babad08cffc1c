#include "journal/ring_recovery.h"

#include <errno.h>

#include <algorithm>
#include <string_view>
#include <variant>
#include <vector>

#include "journal/record_ring.h"
#include "journal/whole_file.h"

namespace restante {

using namespace journal_format;

std::int64_t read_newest_records(files& in, const seal& with, journal_position at, std::string& found) {
  found.clear();
  const open_file file(in, in.open_to_read(ring_name));
  if (file.get() == -ENOENT) return 0;
  if (!file.ok()) return file.get();
  std::string turned;
  if (const auto got = read_fully(in, file.get(), turned, largest_ring_bytes, 0); got <= 0) return got;
  std::rotate(turned.begin(), turned.begin() + static_cast<std::ptrdiff_t>(at % turned.size()), turned.end());
  std::size_t taken = 0;
  for (;;) {
    const auto frame = read_frame(std::string_view(turned).substr(taken), with, at + taken);
    if (!std::holds_alternative<framed>(frame)) break;
    taken += std::get<framed>(frame).size;
  }
  turned.resize(taken);
  found = std::move(turned);
  return 0;
}

}  // namespace restante
