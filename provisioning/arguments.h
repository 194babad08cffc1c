// Checks of what stands on the command line. What fails here is wrong usage, whatever the database holds.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace restante {

// An account or a group.
const CLI::Validator& name_argument();
// `characters` at most; may be empty.
CLI::Validator text_up_to(std::size_t characters);
CLI::Validator one_of(std::vector<std::string> words);

}  // namespace restante
