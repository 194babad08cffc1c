// A hash map by text that is searched without making a std::string.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace restante {

struct text_hash {
  using is_transparent = void;
  // Not noexcept: libstdc++ then keeps each hash, and need not make it again of all it passes in a search.
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

template <typename Value>
using string_map = std::unordered_map<std::string, Value, text_hash, std::equal_to<>>;

}  // namespace restante
