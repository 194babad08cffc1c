// The plugin's options: one row each in one table (options.cpp) with name, type, default, bounds and help.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "policy.h"

namespace restante {

struct options {
  std::string database = "service=restante";
  std::string journal = "/var/lib/restante/journal";
  std::int64_t journal_sync_us = 10'000;  // 0: always
  std::int64_t journal_limit_bytes = 4LL << 30;
  std::int64_t retention_us = 30LL * 86'400 * 1'000'000;
  std::int64_t dead_letter_us = 86'400LL * 1'000'000;
  acknowledge_mode acknowledge = acknowledge_mode::automatic;
  std::int64_t window = 200;
  std::int64_t window_bytes = 4LL << 20;
  std::int64_t linger_us = 20'000;
  std::int64_t dedupe_us = 600LL * 1'000'000;
  std::string topic_prefix;
  std::int64_t max_payload_bytes = 256LL << 10;
  std::int64_t publish_rate = 0;  // messages a second an account; 0: off
  std::int64_t sender_limit = 10'000;
  std::int64_t mailbox_limit = 100'000;
  std::int64_t group_limit = 1'000;
  friend bool operator==(const options&, const options&) = default;
};

// One line that says what is wrong and what to do, ready for the operator's log. Never holds the value of
// `database`, in which a password may stand.
struct option_error {
  std::string line;
};

// `given` as in mosquitto.conf: names without plugin_opt_. Unknown names, bad or out-of-bounds values and
// names given twice are errors. Times: a whole number and us, ms, s, m, h or d. Sizes: a whole number and B,
// KB, MB or GB (of 1024). A bare 0 needs no unit.
std::variant<options, option_error> parse_options(
    std::span<const std::pair<std::string_view, std::string_view>> given);

// Name, default, accepted values and help of every option, for documentation and tests.
struct option_help {
  std::string_view name, default_text;
  std::string accepted;
  std::string_view help;
};
std::vector<option_help> describe_options();

}  // namespace restante
