// The table of options, and what its types accept.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bridge/configuration/configuration.h"

namespace restante {

enum class option_kind {
  text,
  word,
  url,
  path,
  secret,
  topic_levels,
  services,
  fields,
  count,
  time,
  address
};

struct option_row {
  using target = std::variant<std::string configuration::*, std::int64_t configuration::*,
                              std::vector<std::string> configuration::*>;
  std::string_view name;  // section.key
  option_kind kind;
  target where;
  std::int64_t least = 0, most = 0;      // bytes, items, or the number; times in milliseconds
  std::string_view words = {};           // the accepted ones, with blanks between: words, or schemes of a URL
  std::string_view other_variable = {};  // a second name in the environment
  std::string_view help = {};
};

std::span<const option_row> option_rows();
const option_row* find_option(std::string_view name);

std::string variable_of(const option_row& option);
std::string accepted_of(const option_row& option);
std::string default_of(const option_row& option);

// False: not accepted, `values` unchanged. Lists in `text` have commas between their items.
bool set_text(const option_row& option, std::string_view text, configuration& values);
bool set_number(const option_row& option, std::int64_t number, configuration& values);
bool set_list(const option_row& option, std::vector<std::string> items, configuration& values);

// Fit for one line, whatever it is.
std::string shown(std::string_view text);

}  // namespace restante
