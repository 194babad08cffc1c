#include "bridge/configuration/option_table.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/filter.h"
#include "core/names.h"

namespace restante {
namespace {

constexpr std::int64_t second_ms = 1'000, minute_ms = 60 * second_ms, hour_ms = 60 * minute_ms,
                       day_ms = 24 * hour_ms;

struct unit {
  std::string_view name;
  std::int64_t worth_ms;
};
constexpr unit units[] = {{"d", day_ms}, {"h", hour_ms}, {"m", minute_ms}, {"s", second_ms}, {"ms", 1}};

using enum option_kind;
using c = configuration;
constexpr std::string_view blocks = "deactivate keep", deletes = "soft hard deactivate keep";

constexpr option_row table[] = {
    {"name", text, &c::name, 0, 64, "", "", "name of this bridge among others; empty: the host's name"},
    {"database", text, &c::database, 1, 8'192, "", "", "libpq conninfo or URI of the database"},

    {"mqtt.uri", url, &c::mqtt_uri, 0, 1'024, "mqtt mqtts ws wss", "",
     "the broker; mqtts and wss are over TLS; empty: no requests are served"},
    {"mqtt.account", text, &c::mqtt_account, 1, 64, "", "", "the account that the services were granted to"},
    {"mqtt.password", secret, &c::mqtt_password, 1, 1'024, "", "", "its password"},
    {"mqtt.password_file", path, &c::mqtt_password_file, 0, 4'095, "", "",
     "file whose first line is the password"},
    {"mqtt.ca_file", path, &c::mqtt_ca_file, 0, 4'095, "", "",
     "authorities for TLS, in PEM; empty: the system's"},
    {"mqtt.certificate_file", path, &c::mqtt_certificate_file, 0, 4'095, "", "",
     "certificate of our own for TLS, in PEM"},
    {"mqtt.key_file", path, &c::mqtt_key_file, 0, 4'095, "", "", "and its key"},
    {"mqtt.topic_prefix", topic_levels, &c::mqtt_topic_prefix, 0, 128, "", "",
     "the broker's plugin_opt_topic_prefix"},
    {"mqtt.services", services, &c::mqtt_services, 1, 2, "profile stream-token", "",
     "the services to answer"},
    {"mqtt.session_expiry", time, &c::mqtt_session_expiry_ms, minute_ms, 365 * day_ms, "", "",
     "how long the broker keeps our session while we are away"},
    {"mqtt.requests", count, &c::mqtt_requests, 1, 10'000, "", "",
     "requests held at once; the broker keeps the others"},

    {"stream.api_key", text, &c::stream_api_key, 0, 128, "", "STREAM_API_KEY",
     "key of the Stream app; empty: nothing is synced to Stream, and no tokens are given"},
    {"stream.api_secret", secret, &c::stream_api_secret, 1, 1'024, "", "STREAM_API_SECRET", "its secret"},
    {"stream.api_secret_file", path, &c::stream_api_secret_file, 0, 4'095, "", "",
     "file whose first line is the secret"},
    {"stream.base_url", url, &c::stream_base_url, 1, 1'024, "https http", "STREAM_BASE_URL",
     "Stream's server for the app's region"},
    {"stream.write", word, &c::stream_write, 0, 0, "replace patch", "",
     "replace: users are ours alone; patch: others own the fields that are not in `owned`"},
    {"stream.owned", fields, &c::stream_owned, 0, 100, "", "",
     "of patch: the fields that are ours, like name, image or a key of custom"},
    {"stream.on_block", word, &c::stream_on_block, 0, 0, blocks, "",
     "what becomes of a blocked account's user"},
    {"stream.on_delete", word, &c::stream_on_delete, 0, 0, deletes, "",
     "and of a deleted one's; soft and hard are for good: Stream never takes the id again"},
    {"stream.avatar", text, &c::stream_avatar, 0, 2'048, "", "",
     "URL of the image of accounts without one: {account}, {account_sha256} and {name} are replaced"},
    {"stream.token_lifetime", time, &c::stream_token_lifetime_ms, minute_ms, 3'650 * day_ms, "", "",
     "how long a user token holds"},
    {"stream.token_longest", time, &c::stream_token_longest_ms, minute_ms, 3'650 * day_ms, "", "",
     "how long a client may ask for one to hold"},

    {"webhook.url", url, &c::webhook_url, 0, 2'048, "https http", "",
     "where each change is posted; empty: nowhere"},
    {"webhook.secret", secret, &c::webhook_secret, 16, 1'024, "", "", "signs what is posted"},
    {"webhook.secret_file", path, &c::webhook_secret_file, 0, 4'095, "", "",
     "file whose first line is that secret"},
    {"webhook.on_block", word, &c::webhook_on_block, 0, 0, blocks, "", "as stream.on_block"},
    {"webhook.on_delete", word, &c::webhook_on_delete, 0, 0, deletes, "", "as stream.on_delete"},
    {"webhook.avatar", text, &c::webhook_avatar, 0, 2'048, "", "", "as stream.avatar"},

    {"sync.concurrent", count, &c::sync_concurrent, 1, 64, "", "",
     "requests under way at once, of each target"},
    {"sync.held", count, &c::sync_held, 100, 100'000, "", "", "accounts held at once, of each target"},
    {"sync.request_timeout", time, &c::sync_request_timeout_ms, second_ms, 5 * minute_ms, "", "",
     "how long an answer may take"},
    {"sync.lease", time, &c::sync_lease_ms, 10 * second_ms, hour_ms, "", "",
     "after how long another bridge takes over what this one had begun; more than twice request_timeout"},
    {"sync.attempts", count, &c::sync_attempts, 1, 1'000, "", "",
     "failures of one account until it is parked"},
    {"sync.ca_file", path, &c::sync_ca_file, 0, 4'095, "", "",
     "authorities for HTTPS, in PEM; empty: the system's"},

    {"observe.listen", address, &c::observe_listen, 0, 256, "", "",
     "address and port of /metrics and /healthz; empty: nowhere"},
    {"observe.log_level", word, &c::observe_log_level, 0, 0, "debug info warning error", "",
     "what is logged at least"},
    {"observe.log_format", word, &c::observe_log_format, 0, 0, "logfmt json", "", "how a line looks"},
};

std::vector<std::string_view> split(std::string_view list, char at) {
  std::vector<std::string_view> items;
  while (!list.empty()) {
    const std::size_t end = list.find(at);
    if (end != 0) items.push_back(list.substr(0, end));
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
  }
  return items;
}

bool is_one_of(std::string_view word, std::string_view words) {
  const auto all = split(words, ' ');
  return std::find(all.begin(), all.end(), word) != all.end();
}

std::string either(std::string_view words) {
  std::string line;
  const auto all = split(words, ' ');
  for (std::size_t i = 0; i < all.size(); ++i) {
    line += std::string(i == 0 ? "" : i + 1 == all.size() ? " or " : ", ") + std::string(all[i]);
  }
  return line;
}

std::string time_text(std::int64_t ms) {
  for (const unit& each : units) {
    if (ms % each.worth_ms == 0) return std::to_string(ms / each.worth_ms) + std::string(each.name);
  }
  return {};
}

std::optional<std::int64_t> parse_time(std::string_view given, const option_row& option) {
  std::int64_t number = 0;
  const char* const end = given.data() + given.size();
  const auto [rest, error] = std::from_chars(given.data(), end, number);
  if (error != std::errc() || number < 0 || given.starts_with('-')) return std::nullopt;
  const std::string_view name(rest, static_cast<std::size_t>(end - rest));
  for (const unit& each : units) {
    if (each.name != name || number > option.most / each.worth_ms) continue;
    const std::int64_t ms = number * each.worth_ms;
    if (ms >= option.least && ms <= option.most) return ms;
  }
  return std::nullopt;
}

bool is_url(std::string_view given, std::string_view schemes) {
  if (given.empty()) return true;
  const std::size_t scheme = given.find("://");
  // A password in a URL would end up in logs.
  if (scheme != std::string_view::npos) {
    const std::string_view rest = given.substr(scheme + 3);
    if (rest.substr(0, rest.find('/')).find('@') != std::string_view::npos) return false;
  }
  return scheme != std::string_view::npos && given.size() > scheme + 3 &&
         is_one_of(given.substr(0, scheme), schemes) &&
         given.find_first_of(" \t\r\n") == std::string_view::npos;
}

// Host and port.
bool is_address(std::string_view given) {
  if (given.empty()) return true;
  const std::size_t colon = given.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view port = given.substr(colon + 1);
  int number = 0;
  const auto [rest, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  return error == std::errc() && rest == port.data() + port.size() && number >= 0 && number < 65'536;
}

bool is_accepted(const option_row& option, std::string_view given) {
  if (given.find_first_of(std::string_view("\0\r\n", 3)) != std::string_view::npos) return false;
  if (option.kind == word) return is_one_of(given, option.words);
  const auto bytes = static_cast<std::int64_t>(given.size());
  if (bytes < option.least || bytes > option.most) return false;
  switch (option.kind) {
    case url:
      return is_url(given, option.words);
    case path:
      return given.empty() || given.starts_with('/');
    case topic_levels:
      return given.empty() || (is_topic(given) && !given.starts_with('$') && !given.ends_with('/'));
    case address:
      return is_address(given);
    default:
      return option.where != option_row::target(&c::mqtt_account) || is_account_name(given);
  }
}

std::string joined(const std::vector<std::string>& items) {
  std::string line;
  for (const std::string& each : items) line += (line.empty() ? "" : ",") + each;
  return line;
}

}  // namespace

std::span<const option_row> option_rows() { return table; }

const option_row* find_option(std::string_view name) {
  const auto* found = std::find_if(std::begin(table), std::end(table),
                                   [&](const option_row& each) { return each.name == name; });
  return found == std::end(table) ? nullptr : found;
}

std::string variable_of(const option_row& option) {
  std::string name = "RESTANTE_" + std::string(option.name);
  std::transform(name.begin(), name.end(), name.begin(), [](char each) {
    return each == '.' ? '_' : each >= 'a' ? static_cast<char>(each - 32) : each;
  });
  return name;
}

std::string accepted_of(const option_row& option) {
  const std::string least = std::to_string(option.least), most = std::to_string(option.most);
  switch (option.kind) {
    case text:
    case secret:
      return option.where == option_row::target(&c::mqtt_account)
                 ? "an account's name"
                 : "text of " + least + " to " + most + " bytes";
    case word:
      return either(option.words);
    case url:
      return "a URL without a user, that begins with " + either(option.words) +
             (option.least == 0 ? ", or nothing" : "");
    case path:
      return "an absolute path, or nothing";
    case topic_levels:
      return "topic levels without `+`, `#` or a leading `$`, or nothing";
    case services:
      return "a list of " + either(option.words);
    case fields:
      return "a list of at most " + most + " names";
    case count:
      return "a whole number from " + least + " to " + most;
    case time:
      return "a time from " + time_text(option.least) + " to " + time_text(option.most) +
             " (a whole number and ms, s, m, h or d)";
    case address:
      return "an address and a port like 127.0.0.1:9469, or nothing";
  }
  return {};
}

std::string default_of(const option_row& option) {
  static const configuration defaults;
  if (const auto* string = std::get_if<std::string c::*>(&option.where)) return defaults.**string;
  if (const auto* list = std::get_if<std::vector<std::string> c::*>(&option.where)) {
    return joined(defaults.**list);
  }
  const std::int64_t number = defaults.*std::get<std::int64_t c::*>(option.where);
  return option.kind == time ? time_text(number) : std::to_string(number);
}

bool set_text(const option_row& option, std::string_view given, configuration& values) {
  if (const auto* string = std::get_if<std::string c::*>(&option.where)) {
    if (!is_accepted(option, given)) return false;
    values.** string = given;
    return true;
  }
  if (std::holds_alternative<std::vector<std::string> c::*>(option.where)) {
    std::vector<std::string> items;
    for (const std::string_view each : split(given, ',')) items.emplace_back(each);
    return set_list(option, std::move(items), values);
  }
  if (option.kind == time) {
    const auto ms = parse_time(given, option);
    if (ms) values.*std::get<std::int64_t c::*>(option.where) = *ms;
    return ms.has_value();
  }
  std::int64_t number = 0;
  const auto [rest, error] = std::from_chars(given.data(), given.data() + given.size(), number);
  return error == std::errc() && rest == given.data() + given.size() && set_number(option, number, values);
}

bool set_number(const option_row& option, std::int64_t number, configuration& values) {
  if (option.kind != count || number < option.least || number > option.most) return false;
  values.*std::get<std::int64_t c::*>(option.where) = number;
  return true;
}

bool set_list(const option_row& option, std::vector<std::string> items, configuration& values) {
  const auto* list = std::get_if<std::vector<std::string> c::*>(&option.where);
  const auto size = static_cast<std::int64_t>(items.size());
  if (!list || size < option.least || size > option.most) return false;
  for (const std::string& each : items) {
    if (each.empty() || each.size() > 128) return false;
    if (option.kind == services && !is_one_of(each, option.words)) return false;
    if (std::count(items.begin(), items.end(), each) > 1) return false;
  }
  values.** list = std::move(items);
  return true;
}

std::string shown(std::string_view given) {
  constexpr std::size_t longest = 64;
  std::string line(given.substr(0, longest));
  std::replace_if(
      line.begin(), line.end(),
      [](char each) { return static_cast<unsigned char>(each) < 0x20 || each == 0x7F; }, '?');
  return line + (given.size() > longest ? "..." : "");
}

}  // namespace restante
