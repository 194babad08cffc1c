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
    const auto end = payload.find('\n');
    const auto line = payload.substr(0, end);
    const auto slash = line.find('/');
    if (slash == std::string_view::npos) return "a line to acknowledge is not {from}/{id}";
    const auto from = line.substr(0, slash), id = line.substr(slash + 1);
    if (!is_account_name(from) || !is_message_id(id)) return "a line to acknowledge is not {from}/{id}";
    lines.push_back({line, from, id});
    if (end == std::string_view::npos) return lines;
    payload.remove_prefix(end + 1);
  }
}

}  // namespace restante
