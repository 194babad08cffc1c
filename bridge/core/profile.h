// What an account shows of itself to the world.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace restante {

struct profile {
  std::optional<std::string> name = {};      // 1 to 256 characters
  std::optional<std::string> image = {};     // URL, 1 to 2048 characters
  std::optional<std::string> language = {};  // BCP 47: "de", "pt-BR"
  std::optional<std::string> role = {};      // the operator's alone, as are teams
  std::vector<std::string> teams = {};
  std::string custom = "{}";  // a JSON object as text, compact, keys sorted
  friend bool operator==(const profile&, const profile&) = default;
};

enum class account_status { active, blocked, deleted };

}  // namespace restante
