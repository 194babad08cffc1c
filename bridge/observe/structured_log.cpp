#include "bridge/observe/structured_log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace restante {
namespace {

constexpr std::string_view struck_out = "[secret]";
constexpr std::size_t shortest_secret = 4;  // anything shorter is in every other word

std::string json_text(std::string_view value) {
  return nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string without_secrets(std::string value, std::span<const std::string> secrets) {
  for (const std::string& secret : secrets) {
    if (secret.size() < shortest_secret) continue;
    for (std::size_t at = 0; (at = value.find(secret, at)) != std::string::npos; at += struck_out.size()) {
      value.replace(at, secret.size(), struck_out);
    }
  }
  return value;
}

bool is_bare(std::string_view value) {
  return !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return c > ' ' && c < 0x7F && c != '"' && c != '=' && c != '\\';
  });
}

spdlog::level::level_enum to_spdlog(bridge_log_level level) {
  switch (level) {
    case bridge_log_level::debug:
      return spdlog::level::debug;
    case bridge_log_level::info:
      return spdlog::level::info;
    case bridge_log_level::warning:
      return spdlog::level::warn;
    case bridge_log_level::error:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

class structured_log::implementation {
 public:
  implementation(bridge_log_level least, log_format format, std::vector<std::string> secrets)
      : format_(format),
        secrets_(std::move(secrets)),
        to_("restante-bridge", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    to_.set_pattern(format == log_format::json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                               : "time=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v",
                    spdlog::pattern_time_type::utc);
    to_.set_level(to_spdlog(least));
    to_.flush_on(spdlog::level::debug);
  }

  void write(bridge_log_level level, std::string_view event, std::span<const field> fields) {
    if (!to_.should_log(to_spdlog(level))) return;
    to_.log(to_spdlog(level), spdlog::string_view_t(format_line(format_, event, fields, secrets_)));
  }

 private:
  const log_format format_;
  const std::vector<std::string> secrets_;
  spdlog::logger to_;
};

structured_log::structured_log(bridge_log_level least, log_format format, std::vector<std::string> secrets)
    : how_(std::make_unique<implementation>(least, format, std::move(secrets))) {}
structured_log::~structured_log() = default;

void structured_log::write(bridge_log_level level, std::string_view event, std::span<const field> fields) {
  how_->write(level, event, fields);
}

std::string structured_log::format_line(log_format format, std::string_view event,
                                        std::span<const field> fields, std::span<const std::string> secrets) {
  const bool is_json = format == log_format::json;
  std::string line = is_json ? "\"event\":" + json_text(event) : "event=" + std::string(event);
  for (const field& each : fields) {
    const std::string value = without_secrets(each.value, secrets);
    if (is_json) {
      line += "," + json_text(each.name) + ":" + json_text(value);
    } else {
      line += " " + std::string(each.name) + "=" + (is_bare(value) ? value : json_text(value));
    }
  }
  return line;
}

bridge_log_level parse_log_level(std::string_view name) {
  if (name == "debug") return bridge_log_level::debug;
  if (name == "warning") return bridge_log_level::warning;
  return name == "error" ? bridge_log_level::error : bridge_log_level::info;
}

}  // namespace restante
