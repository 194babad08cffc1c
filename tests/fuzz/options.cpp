// Input: lines `{option} {value}`, as in mosquitto.conf but for plugin_opt_.
#include "core/options.h"

#include <algorithm>
#include <string>

#include "check.h"
#include "core/filter.h"

namespace {

using namespace restante;
using namespace restante::fuzz;

using pairs = std::vector<std::pair<std::string_view, std::string_view>>;

constexpr std::int64_t second_us = 1'000'000, day_us = 86'400 * second_us;

bool between(std::int64_t value, std::int64_t least, std::int64_t most) {
  return value >= least && value <= most;
}

void check_bounds(const options& values) {
  check(!values.database.empty() && values.journal.starts_with('/'), "places are named");
  check(values.journal_sync_us == 0 || between(values.journal_sync_us, 1'000, 10 * second_us),
        "journal_sync");
  check(between(values.journal_limit_bytes, 16LL << 20, 1LL << 40), "journal_limit");
  check(between(values.retention_us, second_us, 3'650 * day_us), "retention");
  check(between(values.dead_letter_us, second_us, 3'650 * day_us), "dead_letter");
  check(between(values.window, 1, 10'000), "window");
  check(between(values.window_bytes, 64 << 10, 1LL << 30), "window_bytes");
  check(between(values.linger_us, 0, 10 * second_us), "linger");
  check(between(values.dedupe_us, 0, day_us), "dedupe");
  check(between(values.max_payload_bytes, 1, 256LL << 20), "max_payload");
  check(between(values.publish_rate, 0, 1'000'000), "publish_rate");
  check(between(values.sender_limit, 1, 100'000'000), "sender_limit");
  check(between(values.mailbox_limit, 1, 100'000'000), "mailbox_limit");
  check(between(values.group_limit, 1, 100'000), "group_limit");
  check(values.topic_prefix.empty() || (is_topic(values.topic_prefix) && values.topic_prefix[0] != '$'),
        "a prefix is the beginning of a topic that wildcards hear");
}

void check_refusal(const option_error& error, const pairs& given) {
  check(!error.line.empty(), "a refusal says why");
  check(std::none_of(error.line.begin(), error.line.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }),
        "a refusal is one line");
  for (const auto& [name, value] : given) {
    // Long enough not to be in the line by chance.
    check(name != "database" || value.size() < 60 || error.line.find(value) == std::string::npos,
          "the place of the database is not told");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  pairs given;
  for (const auto line : split(text_of(data, size), '\n')) {
    const auto space = std::min(line.find(' '), line.size());
    given.emplace_back(line.substr(0, space), line.substr(std::min(space + 1, line.size())));
  }
  const auto parsed = parse_options(given);
  if (const auto* error = std::get_if<option_error>(&parsed)) {
    check_refusal(*error, given);
    return 0;
  }
  const auto& values = std::get<options>(parsed);
  check_bounds(values);
  std::reverse(given.begin(), given.end());
  const auto reversed = parse_options(given);
  check(std::get<options>(reversed) == values, "the order does not matter");
  for (const auto& pair : given) {
    const auto alone = parse_options({&pair, 1});
    check(std::holds_alternative<options>(alone), "an option that is taken among others is taken alone");
  }
  given.push_back(given.front());
  check(std::holds_alternative<option_error>(parse_options(given)), "an option is given once");
  return 0;
}
