// Topics and filters level by level: `a//b` has three. Beneath filter.h and policy.h, which most callers want
// instead: here one may say what it means that a literal level of a filter equals a level of a topic.
#pragma once

#include <cstddef>
#include <string_view>

namespace restante {

class level_walk {
 public:
  explicit level_walk(std::string_view text) noexcept : rest_(text), slash_(text.find('/')) {}

  bool at_end() const noexcept { return at_end_; }
  // The three below: only before the end.
  std::string_view here() const noexcept { return rest_.substr(0, slash_); }
  std::string_view rest() const noexcept { return rest_; }  // this level and all behind it
  void advance() noexcept {
    at_end_ = slash_ == std::string_view::npos;
    rest_ = at_end_ ? std::string_view{} : rest_.substr(slash_ + 1);
    slash_ = rest_.find('/');
  }

 private:
  std::string_view rest_;
  std::size_t slash_;
  bool at_end_ = false;
};

inline bool begins_with_wildcard(std::string_view filter) noexcept {
  return filter.starts_with('+') || filter.starts_with('#');
}

// Whether the first bytes of a filter and a topic tell already that the first levels are literal and not the
// same, which is so for most of the rules that a topic is held against. A NUL stands for what only `same`
// knows.
inline bool begin_apart(char filter, char topic) noexcept {
  return filter != topic && filter != '\0' && filter != '+' && filter != '#';
}

// filter_matches() with `same(literal, level)` for equality of levels.
template <typename same_level>
bool filter_matches_by(std::string_view filter, std::string_view topic, const same_level& same) noexcept {
  if (topic.starts_with('$') && begins_with_wildcard(filter)) return false;
  if (!filter.empty() && !topic.empty() && begin_apart(filter.front(), topic.front())) return false;
  level_walk wanted(filter);
  level_walk given(topic);
  for (; !wanted.at_end(); wanted.advance(), given.advance()) {
    if (wanted.here() == "#") return true;  // with none left too: `a/#` hears `a`
    if (given.at_end()) return false;
    if (wanted.here() != "+" && !same(wanted.here(), given.here())) return false;
  }
  return given.at_end();
}

// filter_covers() with `same(literal of wide, literal of narrow)`.
template <typename same_level>
bool filter_covers_by(std::string_view wide, std::string_view narrow, const same_level& same) noexcept {
  if (narrow.starts_with('$') && begins_with_wildcard(wide)) return false;
  // A topic is never empty, so these two hear nothing that they would not hear with `+/` before the `#`.
  const bool needs_one_more_level = narrow == "#" || narrow == "/#";
  level_walk outer(wide);
  level_walk inner(narrow);
  for (; !outer.at_end(); outer.advance(), inner.advance()) {
    if (outer.here() == "#") return true;
    if (inner.at_end()) return false;
    if (inner.here() == "#") return needs_one_more_level && outer.rest() == "+/#";
    if (outer.here() == "+") continue;
    if (inner.here() == "+" || !same(outer.here(), inner.here())) return false;
  }
  return inner.at_end();
}

}  // namespace restante
