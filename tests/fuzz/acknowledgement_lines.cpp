// Input: the payload of `ack/{me}`.
#include "core/acknowledgement_lines.h"

#include <string>
#include <vector>

#include "check.h"

namespace {

using namespace restante;
using namespace restante::fuzz;

using keys = std::vector<acknowledgement_line>;

bool is_key(std::string_view line) {
  const auto parts = split(line, '/');
  return parts.size() == 2 && is_account(parts[0]) && is_id(parts[1]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto payload = text_of(data, size);
  auto lines = split(payload, '\n');
  if (lines.size() > 1 && lines.back().empty()) lines.pop_back();
  bool good = lines.size() <= 500;
  for (const auto line : lines) good = good && is_key(line);

  const auto parsed = parse_acknowledgement_lines(payload);
  check(std::holds_alternative<keys>(parsed) == good, "1 to 500 good lines are taken, and nothing else");
  if (!good) {
    check(!std::get<std::string_view>(parsed).empty(), "a refusal says why");
    return 0;
  }
  std::string again;
  for (const auto& each : std::get<keys>(parsed)) {
    check(each.whole.size() == each.sender.size() + 1 + each.id.size(), "a line is what its parts are");
    again.append(each.sender).append("/").append(each.id).append("\n");
  }
  check(again == std::string(payload) + (payload.ends_with('\n') ? "" : "\n"), "keys join to the same lines");
  const auto twice = parse_acknowledgement_lines(again);
  check(std::get<keys>(twice) == std::get<keys>(parsed), "what was joined parses to the same");
  return 0;
}
