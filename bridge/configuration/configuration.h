// The bridge's options: one row each in one table (option_table.cpp) with name, type, default, bounds and
// help.
//
// They come from a TOML file, and from the environment, which prevails: option `stream.api_key` is
// RESTANTE_STREAM_API_KEY there, and some have the name that a service's own tools use (STREAM_API_KEY).
// Secrets come from the environment, or from a file of their own that others cannot read; never from the TOML
// file or a command line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace restante {

struct configuration {
  std::string name;  // empty: the host's
  std::string database = "service=restante";

  std::string mqtt_uri = "mqtt://127.0.0.1:1883";  // empty: no requests are served
  std::string mqtt_account = "bridge";
  std::string mqtt_password, mqtt_password_file;
  std::string mqtt_ca_file, mqtt_certificate_file, mqtt_key_file;
  std::string mqtt_topic_prefix;
  std::vector<std::string> mqtt_services = {"profile", "stream-token"};
  std::int64_t mqtt_session_expiry_ms = 30LL * 86'400'000;
  std::int64_t mqtt_requests = 1'000;

  std::string stream_api_key;  // empty: no target stream, and no tokens
  std::string stream_api_secret, stream_api_secret_file;
  std::string stream_base_url = "https://chat.stream-io-api.com";
  std::string stream_write = "replace";
  std::vector<std::string> stream_owned;
  std::string stream_on_block = "deactivate";
  std::string stream_on_delete = "soft";
  std::string stream_avatar;
  std::int64_t stream_token_lifetime_ms = 3'600'000;
  std::int64_t stream_token_longest_ms = 86'400'000;

  std::string webhook_url;  // empty: no target webhook
  std::string webhook_secret, webhook_secret_file;
  std::string webhook_on_block = "deactivate";
  std::string webhook_on_delete = "soft";
  std::string webhook_avatar;

  std::int64_t sync_concurrent = 4;
  std::int64_t sync_held = 2'000;
  std::int64_t sync_request_timeout_ms = 30'000;
  std::int64_t sync_lease_ms = 120'000;
  std::int64_t sync_attempts = 10;
  std::string sync_ca_file;

  std::string observe_listen = "127.0.0.1:9469";  // empty: not at all
  std::string observe_log_level = "info";
  std::string observe_log_format = "logfmt";
  friend bool operator==(const configuration&, const configuration&) = default;
};

// One line that says what is wrong and what to do. Never holds a secret, nor `database`.
struct configuration_error {
  std::string line;
};

using environment_variables = std::vector<std::pair<std::string, std::string>>;
environment_variables own_environment();

// `file` may be empty: then the environment alone. Unknown keys and variables, values of another type or out
// of bounds, and files of secrets that others can read are errors, and so is what does not fit together.
std::variant<configuration, configuration_error> read_configuration(const std::filesystem::path& file,
                                                                    const environment_variables& environment);

// Every option, for documentation and tests.
struct configuration_help {
  std::string name, environment_name, default_text, accepted;
  std::string_view help;
  bool is_secret = false;  // not for the file
};
std::vector<configuration_help> describe_configuration();

}  // namespace restante
