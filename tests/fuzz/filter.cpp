// Input: `{filter} LF {other filter} LF {topic}`.
#include "core/filter.h"

#include <algorithm>
#include <string>

#include "check.h"

namespace {

using namespace restante;
using namespace restante::fuzz;

using levels = std::vector<std::string_view>;

// MQTT 5, sections 4.7.1 and 4.7.2, level by level from `at` on.
bool hears(const levels& filter, const levels& topic, std::size_t at = 0) {
  if (at == 0 && topic[0].starts_with('$') && (filter[0] == "+" || filter[0] == "#")) return false;
  if (at == filter.size()) return at == topic.size();
  if (filter[at] == "#") return true;
  if (at == topic.size()) return false;
  return (filter[at] == "+" || filter[at] == topic[at]) && hears(filter, topic, at + 1);
}

bool is_filter_by_level(std::string_view text) {
  const auto parts = split(text, '/');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] == "+" || (parts[i] == "#" && i + 1 == parts.size())) continue;
    if (parts[i].find('+') != std::string_view::npos || parts[i].find('#') != std::string_view::npos)
      return false;
  }
  return parts[0] != "$share";
}

// A topic that `filter` hears: its literals, what `literal` has where it has `+`, and `more` levels for `#`.
std::string heard(const levels& filter, const levels& literal, std::string_view fresh, std::size_t more) {
  std::string text;
  for (std::size_t i = 0; i < filter.size(); ++i) {
    if (filter[i] == "#") {
      for (std::size_t j = i; j < i + more; ++j) {
        const bool given = j < literal.size() && literal[j] != "+" && literal[j] != "#";
        (text += j ? "/" : "") += given ? literal[j] : fresh;
      }
      break;
    }
    const bool given = i < literal.size() && literal[i] != "+" && literal[i] != "#";
    (text += i ? "/" : "") += filter[i] != "+" ? filter[i] : given ? literal[i] : fresh;
  }
  return text;
}

// Whether there is such a topic among those that could show it.
template <typename predicate>
bool some_topic(const levels& one, const levels& other, const predicate& shows) {
  std::string fresh = "u";
  while (std::find(other.begin(), other.end(), fresh) != other.end()) fresh += 'u';
  for (std::size_t more = 0; more <= other.size() + 1; ++more) {
    for (const auto& text : {heard(one, other, fresh, more), heard(one, {}, fresh, more)})
      if (!text.empty() && shows(split(text, '/'))) return true;
  }
  return false;
}

void check_filters(std::string_view one, std::string_view other) {
  const auto one_levels = split(one, '/'), other_levels = split(other, '/');
  check(filter_covers(one, one), "a filter covers itself");
  check(filters_overlap(one, other) == filters_overlap(other, one), "overlapping has no direction");
  const bool meet =
      some_topic(
          one_levels, other_levels,
          [&](const levels& topic) { return hears(one_levels, topic) && hears(other_levels, topic); }) ||
      some_topic(other_levels, one_levels,
                 [&](const levels& topic) { return hears(one_levels, topic) && hears(other_levels, topic); });
  check(filters_overlap(one, other) == meet, "filters overlap when some topic is heard by both");
  const bool escapes = some_topic(other_levels, one_levels, [&](const levels& topic) {
    return hears(other_levels, topic) && !hears(one_levels, topic);
  });
  check(filter_covers(one, other) == !escapes, "a filter covers another when it hears all that one hears");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto lines = split(text_of(data, size), '\n');
  if (lines.size() != 3 || size > 256) return 0;  // the search for topics is cubic
  const auto one = lines[0], other = lines[1], topic = lines[2];
  for (const auto text : {one, other, topic}) {
    check(!is_filter(text) || is_filter_by_level(text), "wildcards stand alone in a level, and # last");
    check(!is_topic(text) || (is_filter(text) != text.starts_with("$share/") && text != "$share") ||
              (text == "$share" && !is_filter(text)),
          "a topic is a filter, but for shared subscriptions");
  }
  if (!is_filter(one)) return 0;
  if (is_topic(topic)) {
    check(filter_matches(one, topic) == hears(split(one, '/'), split(topic, '/')),
          "a filter hears its topics");
  }
  if (is_filter(other)) check_filters(one, other);
  return 0;
}
