#include "core/acknowledgement_lines.h"

#include <algorithm>

#include "core/names.h"

namespace restante {
std::variant<std::vector<acknowledgement_line>, std::string_view> parse_acknowledgement_lines(
    std::string_view payload) {
  if (payload.empty()) return "no line to acknowledge";
  if (payload.back() == '\n') payload.remove_suffix(1);
  std::vector<acknowledgement_line> lines;
  // Not more than they need: malloc() tidies its whole heap for a block of a kilobyte.
  const auto line_feeds = static_cast<std::size_t>(std::count(payload.begin(), payload.end(), '\n'));
  lines.reserve(std::min(line_feeds + 1, most_acknowledgement_lines));
  while (true) {
    if (lines.size() == most_acknowledgement_lines) return "more than 500 lines to acknowledge";
    const auto from = leading_account_name(payload);
    auto rest = payload.substr(from.size());
    if (from.empty() || !rest.starts_with('/')) return "a line to acknowledge is not {from}/{id}";
    rest.remove_prefix(1);
    const auto id = leading_message_id(rest);
    rest.remove_prefix(id.size());
    if (id.empty() || !(rest.empty() || rest.starts_with('\n')))
      return "a line to acknowledge is not {from}/{id}";
    lines.push_back({payload.substr(0, from.size() + 1 + id.size()), from, id});
    if (rest.empty()) return lines;
    payload = rest.substr(1);
  }
}

}  // namespace restante
