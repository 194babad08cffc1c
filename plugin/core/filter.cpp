#include "core/filter.h"

#include <cstddef>
#include <functional>

#include "core/levels.h"

namespace restante {
namespace {

constexpr std::size_t longest_bytes = 65'535;  // a two-byte length goes before it on the wire

// Bytes of the UTF-8 sequence that `text` (not empty) begins with; 0 if it is not well-formed (Unicode, table
// 3-7: no overlong forms, no surrogates, nothing beyond U+10FFFF).
std::size_t sequence_bytes(std::string_view text) noexcept {
  const auto byte = [text](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : static_cast<unsigned char>(0);
  };
  const auto continues = [&](std::size_t at) { return (byte(at) & 0xC0U) == 0x80U; };

  const unsigned first = byte(0);
  const unsigned second = byte(1);
  if (first < 0x80) return 1;
  if (first < 0xC2) return 0;
  if (!continues(1)) return 0;
  if (first < 0xE0) return 2;
  if (!continues(2)) return 0;
  if (first < 0xF0) {
    if (first == 0xE0 && second < 0xA0) return 0;
    if (first == 0xED && second > 0x9F) return 0;
    return 3;
  }
  if (!continues(3) || first > 0xF4) return 0;
  if (first == 0xF0 && second < 0x90) return 0;
  if (first == 0xF4 && second > 0x8F) return 0;
  return 4;
}

// `may_contain(byte)`: of the ASCII ones.
template <typename Allowed>
bool is_mqtt_text(std::string_view text, const Allowed& may_contain) noexcept {
  if (text.empty() || text.size() > longest_bytes) return false;
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      if (byte == 0 || !may_contain(byte)) return false;
      ++at;
      continue;
    }
    const auto bytes = sequence_bytes(text.substr(at));
    if (bytes == 0) return false;
    at += bytes;
  }
  return true;
}

}  // namespace

bool is_topic(std::string_view topic) noexcept {
  return is_mqtt_text(topic, [](unsigned char byte) { return byte != '+' && byte != '#'; });
}

bool is_filter(std::string_view filter) noexcept {
  if (!is_mqtt_text(filter, [](unsigned char) { return true; })) return false;
  level_walk walk(filter);
  if (walk.here() == "$share") return false;
  for (bool ended = false; !walk.at_end(); walk.advance()) {
    if (ended) return false;
    const auto level = walk.here();
    ended = level == "#";
    if (level.size() > 1 && level.find_first_of("+#") != std::string_view::npos) return false;
  }
  return true;
}

// Byte by byte: levels are short, and to look for their ends first costs more than to compare them.
bool filter_matches(std::string_view filter, std::string_view topic) noexcept {
  if (topic.starts_with('$') && begins_with_wildcard(filter)) return false;
  const char *wanted = filter.data(), *given = topic.data();
  const char *const last_wanted = wanted + filter.size(), *const last_given = given + topic.size();
  for (; wanted != last_wanted; ++wanted) {
    if (*wanted == '#') return true;
    if (*wanted == '+') {
      while (given != last_given && *given != '/') ++given;
    } else if (given != last_given && *given == *wanted) {
      ++given;
    } else {
      // `a/#` hears `a` too.
      return given == last_given && std::string_view(wanted, last_wanted) == "/#";
    }
  }
  return given == last_given;
}

bool filter_covers(std::string_view wide, std::string_view narrow) noexcept {
  return filter_covers_by(wide, narrow, std::equal_to<>());
}

bool filters_overlap(std::string_view one, std::string_view other) noexcept {
  if (one.starts_with('$') && begins_with_wildcard(other)) return false;
  if (other.starts_with('$') && begins_with_wildcard(one)) return false;
  level_walk left(one);
  level_walk right(other);
  for (; !left.at_end() && !right.at_end(); left.advance(), right.advance()) {
    if (left.here() == "#" || right.here() == "#") return true;
    if (left.here() != "+" && right.here() != "+" && left.here() != right.here()) return false;
  }
  if (left.at_end() && right.at_end()) return true;
  // The longer one may still hear its parent, but for `+` with `/#`: they would meet at the empty topic.
  const auto& longer = left.at_end() ? right : left;
  return longer.rest() == "#" && one != "/#" && other != "/#";
}

}  // namespace restante
