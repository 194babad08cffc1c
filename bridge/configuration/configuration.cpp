#include "bridge/configuration/configuration.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <set>
#include <toml.hpp>

#include "bridge/configuration/option_table.h"
#include "bridge/configuration/secret_file.h"

namespace restante {
namespace {

using problem = std::optional<configuration_error>;

// Sections whose names in the environment are ours alone, so that a misspelt one is found.
constexpr std::string_view sections[] = {"mqtt", "stream", "webhook", "sync", "observe"};

bool may_be_shown(const option_row& option) {
  return option.kind != option_kind::secret && option.name != "database" && option.name != "stream.api_key";
}

configuration_error refusal(const std::string& where, const option_row& option, std::string_view given) {
  const std::string value = may_be_shown(option) ? "'" + shown(given) + "'"
                                                 : "a value of " + std::to_string(given.size()) + " bytes";
  return {where + value + " is not accepted; give " + accepted_of(option)};
}

class file_reader {
 public:
  file_reader(std::string name, configuration& values) : name_(std::move(name)), values_(values) {}

  problem read_table(const toml::value& table, const std::string& prefix) {
    for (const auto& [key, value] : table.as_table()) {
      const std::string name = prefix + key;
      if (value.is_table() && prefix.empty() &&
          std::find(std::begin(sections), std::end(sections), key) != std::end(sections)) {
        if (auto wrong = read_table(value, name + ".")) return wrong;
        continue;
      }
      const option_row* option = find_option(name);
      if (!option) return configuration_error{at(value) + "unknown option " + shown(name)};
      if (auto wrong = read_value(*option, value)) return wrong;
    }
    return std::nullopt;
  }

 private:
  std::string at(const toml::value& value) const {
    return name_ + ":" + std::to_string(value.location().line()) + ": ";
  }

  problem read_value(const option_row& option, const toml::value& value) {
    const std::string where = at(value) + std::string(option.name) + ": ";
    if (option.kind == option_kind::secret) {
      return configuration_error{where + "a secret does not stand in this file; set " + variable_of(option) +
                                 ", or name a file by " + std::string(option.name) + "_file"};
    }
    if (value.is_string()) {
      const std::string& text = value.as_string().str;
      const bool is_list = option.kind == option_kind::services || option.kind == option_kind::fields;
      if (!is_list && option.kind != option_kind::count && set_text(option, text, values_))
        return std::nullopt;
      return refusal(where, option, text);
    }
    if (value.is_integer()) {
      if (set_number(option, value.as_integer(), values_)) return std::nullopt;
      return refusal(where, option, std::to_string(value.as_integer()));
    }
    if (value.is_array()) {
      std::vector<std::string> items;
      for (const toml::value& each : value.as_array()) {
        if (!each.is_string()) return refusal(where, option, "a list of other things than text");
        items.push_back(each.as_string().str);
      }
      if (set_list(option, std::move(items), values_)) return std::nullopt;
      return refusal(where, option, "this list");
    }
    return refusal(where, option, "a value of this type");
  }

  const std::string name_;
  configuration& values_;
};

problem read_file(const std::filesystem::path& file, configuration& into) {
  const std::string name = file.string();
  if (access(name.c_str(), R_OK) != 0 || !std::filesystem::is_regular_file(file)) {
    return configuration_error{name + " cannot be read; name the configuration by --config"};
  }
  try {
    return file_reader(name, into).read_table(toml::parse(name), "");
  } catch (const toml::exception& wrong) {
    // What it says quotes the file.
    return configuration_error{name + ":" + std::to_string(wrong.location().line()) + ": this is no TOML"};
  } catch (const std::exception&) {
    return configuration_error{name + ": this is no TOML"};
  }
}

problem read_environment(const environment_variables& given, configuration& into) {
  std::set<std::string> known;
  const auto find = [&](std::string_view name) -> const std::string* {
    const auto found =
        std::find_if(given.begin(), given.end(), [&](const auto& each) { return each.first == name; });
    return found == given.end() ? nullptr : &found->second;
  };
  for (const option_row& option : option_rows()) {
    const std::string ours = variable_of(option);
    known.insert(ours);
    // Others' names are often set to nothing where they are not meant to be set.
    const std::string* text = option.other_variable.empty() ? nullptr : find(option.other_variable);
    if (text && text->empty()) text = nullptr;
    std::string name(option.other_variable);
    if (const std::string* prevailing = find(ours)) {
      text = prevailing;
      name = ours;
    }
    if (text && !set_text(option, *text, into)) return refusal(name + ": ", option, *text);
  }
  for (const auto& [name, value] : given) {
    for (const std::string_view section : sections) {
      std::string prefix = variable_of({.name = section, .kind = option_kind::text, .where = {}}) + "_";
      if (name.starts_with(prefix) && !known.contains(name)) {
        return configuration_error{shown(name) + ": unknown option in the environment"};
      }
    }
  }
  return std::nullopt;
}

problem take_secret(const std::string& file, std::string configuration::*where, configuration& into) {
  if (file.empty() || !(into.*where).empty()) return std::nullopt;
  auto read = read_secret_file(file);
  if (auto* wrong = std::get_if<configuration_error>(&read)) return std::move(*wrong);
  into.*where = std::get<std::string>(std::move(read));
  return std::nullopt;
}

problem take_secrets(configuration& into) {
  if (auto wrong = take_secret(into.mqtt_password_file, &configuration::mqtt_password, into)) return wrong;
  if (auto wrong = take_secret(into.stream_api_secret_file, &configuration::stream_api_secret, into))
    return wrong;
  return take_secret(into.webhook_secret_file, &configuration::webhook_secret, into);
}

problem find_contradiction(const configuration& in) {
  const auto say = [](const char* line) { return configuration_error{line}; };
  if (!in.stream_api_key.empty() && in.stream_api_secret.empty()) {
    return say("stream.api_key needs a secret: set STREAM_API_SECRET, or stream.api_secret_file");
  }
  if (in.stream_api_key.empty() && !in.stream_api_secret.empty()) {
    return say("there is a Stream secret and no stream.api_key: set STREAM_API_KEY too");
  }
  if (!in.webhook_url.empty() && in.webhook_secret.empty()) {
    return say("webhook.url needs a secret: set RESTANTE_WEBHOOK_SECRET, or webhook.secret_file");
  }
  if (!in.webhook_url.empty() && in.webhook_secret.size() < 16) {
    return say("webhook.secret_file has to hold at least 16 bytes");
  }
  if (in.mqtt_certificate_file.empty() != in.mqtt_key_file.empty()) {
    return say("mqtt.certificate_file and mqtt.key_file go together: give both or none");
  }
  if (in.stream_write == "replace" && !in.stream_owned.empty()) {
    return say("stream.owned has a meaning with stream.write = \"patch\" only");
  }
  if (in.stream_write == "patch" && in.stream_owned.empty()) {
    return say("stream.write = \"patch\" needs stream.owned: the fields that are ours");
  }
  if (in.stream_token_lifetime_ms > in.stream_token_longest_ms) {
    return say("stream.token_lifetime may not be more than stream.token_longest");
  }
  if (in.sync_lease_ms <= 2 * in.sync_request_timeout_ms) {
    return say("sync.lease has to be more than twice sync.request_timeout");
  }
  if (in.stream_api_key.empty() && in.webhook_url.empty() && in.mqtt_uri.empty()) {
    return say("there is nothing to do: give stream.api_key, webhook.url or mqtt.uri");
  }
  return std::nullopt;
}

}  // namespace

environment_variables own_environment() {
  environment_variables all;
  for (char** each = environ; each && *each; ++each) {
    const std::string_view line(*each);
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos) all.emplace_back(line.substr(0, equals), line.substr(equals + 1));
  }
  return all;
}

std::variant<configuration, configuration_error> read_configuration(
    const std::filesystem::path& file, const environment_variables& environment) {
  configuration read;
  problem wrong;
  if (!file.empty()) wrong = read_file(file, read);
  if (!wrong) wrong = read_environment(environment, read);
  if (!wrong) wrong = take_secrets(read);
  if (!wrong) wrong = find_contradiction(read);
  if (wrong) return std::move(*wrong);
  return read;
}

std::vector<configuration_help> describe_configuration() {
  std::vector<configuration_help> all;
  for (const option_row& each : option_rows()) {
    all.push_back({std::string(each.name), variable_of(each), default_of(each), accepted_of(each), each.help,
                   each.kind == option_kind::secret});
  }
  return all;
}

}  // namespace restante
