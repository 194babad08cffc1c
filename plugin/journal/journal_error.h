// Why the journal cannot be used.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace restante {

// One line: what is wrong and what to do.
struct journal_error {
  std::string line;
};

// `doing` something in the directory gave this error: negative, as from `files`.
journal_error journal_failure(std::string_view directory, std::string_view doing, std::int64_t error);

}  // namespace restante
