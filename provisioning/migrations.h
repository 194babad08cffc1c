// The schema's migrations, as they stood when this program was built.
#pragma once

#include <span>
#include <string_view>

namespace restante {

struct migration {
  int version;            // 1, 2, 3, ...
  std::string_view name;  // 0001_accounts
  std::string_view sql;
};

// In order, without gaps.
std::span<const migration> embedded_migrations();

}  // namespace restante
