// Remembers which (sender, id) was lately used on which topic, so that a repeated publish is answered with
// success and not handed over again, and one id on two topics is refused.
//
// Keeps 128 bits a publish, not the names: two keyed hashes, so a false repeat needs both to collide. Two
// generations, each at least as long as `span`, closed by the first call after it: an entry lives for one
// span at least, and for less than three. A generation that reaches `limit` is closed early, so memory is
// bounded and the oldest are forgotten first. Threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "core/keyed_hash.h"

namespace restante {

class recent_publishes {
 public:
  enum class found { fresh, repeated, on_another_topic };

  recent_publishes(hash_key key, std::int64_t span_us, std::size_t limit);

  // `identity`: what must be unique, such as "{sender}/{id}". `topic`: where it was used.
  found look_up(std::string_view identity, std::string_view topic, std::int64_t now_us);
  void remember(std::string_view identity, std::string_view topic, std::int64_t now_us);
  std::size_t size() const noexcept { return current_.size() + previous_.size(); }

 private:
  void age(std::int64_t now_us);

  hash_key key_;
  std::int64_t span_us_;
  std::size_t limit_;
  std::int64_t opened_us_ = 0;
  std::unordered_map<std::uint64_t, std::uint64_t> current_, previous_;
};

}  // namespace restante
