// JSON from people who mean harm: of bounded size and depth, each key once, UTF-8 without NUL (which
// PostgreSQL does not take), no number that is out of range.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>

namespace restante {

struct strict_json_limits {
  std::size_t bytes = 32'768;
  std::size_t depth = 9;  // objects and lists within each other
};

struct strict_json_error {
  std::string field;  // the key of the outermost object within which it is; empty: none
  std::string reason;
};

std::variant<nlohmann::json, strict_json_error> parse_strict_json(std::string_view text,
                                                                  const strict_json_limits& limits);

// How many bytes PostgreSQL's jsonb takes as text at most: it writes numbers out in full.
std::size_t jsonb_text_bytes(const nlohmann::json& value);

}  // namespace restante
