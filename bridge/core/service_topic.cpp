#include "bridge/core/service_topic.h"

#include "core/names.h"

namespace restante {

namespace {

// Takes the level before the next slash from the front of `text`; the last has none behind it.
std::string_view take_level(std::string_view& text) {
  const auto slash = text.find('/');
  const auto level = text.substr(0, slash);
  text = slash == std::string_view::npos ? std::string_view{} : text.substr(slash + 1);
  return level;
}

std::string with_slash(std::string_view prefix) {
  std::string text(prefix);
  if (!text.empty() && !text.ends_with('/')) text += '/';
  return text;
}

}  // namespace

std::optional<service_topic> parse_service_topic(std::string_view topic, std::string_view prefix) {
  const auto before = with_slash(prefix);
  if (!topic.starts_with(before)) return std::nullopt;
  topic.remove_prefix(before.size());
  if (take_level(topic) != "service") return std::nullopt;
  service_topic parsed;
  parsed.service = take_level(topic);
  parsed.from = take_level(topic);
  parsed.id = topic;  // what is left: a slash in it makes it no id
  if (!is_account_name(parsed.service) || !is_account_name(parsed.from) || !is_message_id(parsed.id)) {
    return std::nullopt;
  }
  return parsed;
}

std::string answer_topic(const service_topic& request, std::string_view prefix) {
  auto topic = with_slash(prefix);
  topic.append("answer/")
      .append(request.from)
      .append("/")
      .append(request.service)
      .append("/")
      .append(request.id);
  return topic;
}

std::string service_filter(std::string_view service, std::string_view prefix) {
  return with_slash(prefix).append("service/").append(service).append("/#");
}

}  // namespace restante
