// The payload of `ack/{me}`: 1 to 500 lines `{from}/{id}`, each but the last ended by a line feed; the last
// may be.
#pragma once

#include <cstddef>
#include <string_view>
#include <variant>
#include <vector>

namespace restante {

inline constexpr std::size_t most_acknowledgement_lines = 500;

// Parts of the payload.
struct acknowledgement_line {
  std::string_view whole, sender, id;
  friend bool operator==(const acknowledgement_line&, const acknowledgement_line&) = default;
};

// The lines in their order, or what is wrong.
std::variant<std::vector<acknowledgement_line>, std::string_view> parse_acknowledgement_lines(
    std::string_view payload);

}  // namespace restante
