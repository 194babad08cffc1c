#include "core/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <limits>
#include <numeric>
#include <optional>

#include "core/filter.h"

namespace restante {
namespace {

constexpr std::int64_t ms = 1'000;
constexpr std::int64_t second = 1'000 * ms;
constexpr std::int64_t day = 86'400 * second;
constexpr std::int64_t kb = 1'024;
constexpr std::int64_t mb = 1'024 * kb;
constexpr std::int64_t gb = 1'024 * mb;

struct unit {
  std::string_view name;
  std::int64_t worth;
};
constexpr unit time_units[] = {
    {"d", day}, {"h", 3'600 * second}, {"m", 60 * second}, {"s", second}, {"ms", ms}, {"us", 1}};
constexpr unit size_units[] = {{"GB", gb}, {"MB", mb}, {"KB", kb}, {"B", 1}};

enum class option_type { secret, path, topic_levels, acknowledge, count, time, size };

using target = std::variant<std::string options::*, std::int64_t options::*, acknowledge_mode options::*>;

struct row {
  std::string_view name;
  option_type type;
  std::string_view default_text;
  std::int64_t least, most;     // of texts: bytes
  std::string_view word_for_0;  // accepted in place of a number, none if empty
  target where;
  std::string_view help;
};

using enum option_type;
constexpr row table[] = {
    {"database", secret, "service=restante", 1, 8'192, "", &options::database,
     "libpq conninfo or URI of the database"},
    {"journal", path, "/var/lib/restante/journal", 1, 4'095, "", &options::journal,
     "directory of the journal, used by one broker only"},
    {"journal_sync", time, "10ms", 1 * ms, 10 * second, "always", &options::journal_sync_us,
     "longest time until an accepted message is synced to disk"},
    {"journal_limit", size, "4GB", 16 * mb, 1'024 * gb, "", &options::journal_limit_bytes,
     "size of the journal from which durable messages are refused"},
    {"retention", time, "30d", 1 * second, 3'650 * day, "", &options::retention_us,
     "how long a message waits for its recipient"},
    {"dead_letter", time, "1d", 1 * second, 3'650 * day, "", &options::dead_letter_us,
     "how long dead letters are kept"},
    {"ack", acknowledge, "auto", 0, 0, "", &options::acknowledge, "what acknowledges a message"},
    {"window", count, "200", 1, 10'000, "", &options::window, "unacknowledged messages a session may hold"},
    {"window_bytes", size, "4MB", 64 * kb, 1 * gb, "", &options::window_bytes,
     "unacknowledged payload a session may hold"},
    {"linger", time, "20ms", 0, 10 * second, "", &options::linger_us,
     "how long a message may wait to be stored together with others"},
    {"dedupe", time, "10m", 0, 1 * day, "", &options::dedupe_us, "how long a repeated publish is recognised"},
    {"topic_prefix", topic_levels, "", 0, 128, "", &options::topic_prefix,
     "levels before all durable topics"},
    {"max_payload", size, "256KB", 1, 256 * mb, "", &options::max_payload_bytes,
     "largest payload of a durable message"},
    {"publish_rate", count, "off", 1, 1'000'000, "off", &options::publish_rate,
     "durable messages an account may publish in a second"},
    {"sender_limit", count, "10000", 1, 100'000'000, "", &options::sender_limit,
     "messages of one sender that may wait"},
    {"mailbox_limit", count, "100000", 1, 100'000'000, "", &options::mailbox_limit,
     "messages that may wait for one account"},
    {"group_limit", count, "1000", 1, 100'000, "", &options::group_limit,
     "members up to which a group's roster is held in memory"},
};

struct mode_name {
  std::string_view name;
  acknowledge_mode mode;
};
constexpr mode_name mode_names[] = {{"auto", acknowledge_mode::automatic},
                                    {"receipt", acknowledge_mode::receipt},
                                    {"handoff", acknowledge_mode::handoff}};

std::string with_unit(std::int64_t value, std::span<const unit> units) {
  for (const auto& each : units) {
    if (value != 0 && value % each.worth == 0)
      return std::to_string(value / each.worth) + std::string(each.name);
  }
  return std::to_string(value);
}

std::string accepted_values(const row& option) {
  const auto alternative = option.word_for_0.empty() ? "" : "`" + std::string(option.word_for_0) + "`, or ";
  switch (option.type) {
    case secret:
      return "text of " + std::to_string(option.least) + " to " + std::to_string(option.most) + " bytes";
    case path:
      return "an absolute path of at most " + std::to_string(option.most) + " bytes";
    case topic_levels:
      return "topic levels without `+`, `#` or a leading `$`, at most " + std::to_string(option.most) +
             " bytes";
    case acknowledge:
      return "auto, receipt or handoff";
    case count:
      return alternative + "a whole number from " + std::to_string(option.least) + " to " +
             std::to_string(option.most);
    case time:
      return alternative + "a time from " + with_unit(option.least, time_units) + " to " +
             with_unit(option.most, time_units) + " (a whole number and us, ms, s, m, h or d)";
    case size:
      return alternative + "a size from " + with_unit(option.least, size_units) + " to " +
             with_unit(option.most, size_units) + " (a whole number and B, KB, MB or GB)";
  }
  return {};
}

// Fit for one line of a log, whatever it is.
std::string printable(std::string_view text) {
  constexpr std::size_t longest = 64;
  std::string shown(text.substr(0, longest));
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; },
      '?');
  return shown + (text.size() > longest ? "..." : "");
}

// A whole number and one of the units, or a bare 0. Without units: the number alone.
std::optional<std::int64_t> parse_number(std::string_view text, std::span<const unit> units) {
  std::int64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || number < 0 || text.starts_with('-')) return std::nullopt;
  const std::string_view name(rest, static_cast<std::size_t>(end - rest));
  if (name.empty()) return units.empty() || number == 0 ? std::optional(number) : std::nullopt;
  for (const auto& each : units) {
    if (each.name != name) continue;
    if (number > std::numeric_limits<std::int64_t>::max() / each.worth) return std::nullopt;
    return number * each.worth;
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_number(std::string_view text, const row& option) {
  if (!option.word_for_0.empty() && text == option.word_for_0) return 0;
  std::span<const unit> units;
  if (option.type == time) units = time_units;
  if (option.type == size) units = size_units;
  const auto number = parse_number(text, units);
  return number && *number >= option.least && *number <= option.most ? number : std::nullopt;
}

bool is_prefix(std::string_view text) {
  return text.empty() ||
         (is_topic(text) && !text.starts_with('$') && text.find_first_not_of('/') != std::string_view::npos);
}

bool is_text(std::string_view text, const row& option) {
  const auto bytes = static_cast<std::int64_t>(text.size());
  if (bytes < option.least || bytes > option.most || text.find('\0') != std::string_view::npos) return false;
  if (option.type == path) return text.starts_with('/');
  return option.type != topic_levels || is_prefix(text);
}

// False: not accepted, `values` unchanged.
bool set(const row& option, std::string_view text, options& values) {
  if (const auto* string = std::get_if<std::string options::*>(&option.where)) {
    if (!is_text(text, option)) return false;
    values.** string = text;
    return true;
  }
  if (const auto* integer = std::get_if<std::int64_t options::*>(&option.where)) {
    const auto number = parse_number(text, option);
    if (!number) return false;
    values.** integer = *number;
    return true;
  }
  const auto* mode = std::find_if(std::begin(mode_names), std::end(mode_names),
                                  [text](const mode_name& each) { return each.name == text; });
  if (mode == std::end(mode_names)) return false;
  values.*std::get<acknowledge_mode options::*>(option.where) = mode->mode;
  return true;
}

std::string refusal(const row& option, std::string_view text) {
  if (option.type == acknowledge && text == "puback")
    return "ack puback needs Mosquitto 2.1; use auto or receipt";
  const auto shown = option.type == secret ? "a value of " + std::to_string(text.size()) + " bytes"
                                           : "'" + printable(text) + "'";
  return "option " + std::string(option.name) + ": " + shown + " is not accepted; give " +
         accepted_values(option) +
         " (default: " + (option.default_text.empty() ? "empty" : std::string(option.default_text)) + ")";
}

// Edit distance: letters put in, taken out or exchanged.
std::size_t distance(std::string_view one, std::string_view other) {
  std::vector<std::size_t> row_before(other.size() + 1);
  std::iota(row_before.begin(), row_before.end(), std::size_t{0});
  for (std::size_t i = 0; i < one.size(); ++i) {
    std::vector<std::size_t> row_now{i + 1};
    for (std::size_t j = 0; j < other.size(); ++j) {
      const auto exchanged = row_before[j] + (one[i] == other[j] ? 0 : 1);
      row_now.push_back(std::min({exchanged, row_before[j + 1] + 1, row_now[j] + 1}));
    }
    row_before = std::move(row_now);
  }
  return row_before.back();
}

std::string unknown(std::string_view name) {
  std::vector<std::pair<std::size_t, std::string_view>> nearest;
  for (const auto& each : table) nearest.emplace_back(distance(name.substr(0, 64), each.name), each.name);
  std::sort(nearest.begin(), nearest.end());
  return "option " + printable(name) + ": unknown; the nearest names are " + std::string(nearest[0].second) +
         ", " + std::string(nearest[1].second) + " and " + std::string(nearest[2].second);
}

}  // namespace

std::variant<options, option_error> parse_options(
    std::span<const std::pair<std::string_view, std::string_view>> given) {
  options parsed;
  std::array<bool, std::size(table)> seen{};
  for (const auto& [name, text] : given) {
    const auto* option = std::find_if(std::begin(table), std::end(table),
                                      [wanted = name](const row& each) { return each.name == wanted; });
    if (option == std::end(table)) return option_error{unknown(name)};
    if (std::exchange(seen[static_cast<std::size_t>(option - std::begin(table))], true)) {
      return option_error{"option " + std::string(name) + ": given twice; leave one of the lines"};
    }
    if (!set(*option, text, parsed)) return option_error{refusal(*option, text)};
  }
  return parsed;
}

std::vector<option_help> describe_options() {
  std::vector<option_help> described;
  for (const auto& each : table) {
    described.push_back({each.name, each.default_text, accepted_values(each), each.help});
  }
  return described;
}

}  // namespace restante
