#include "bridge/daemon/targets.h"

#include <optional>
#include <utility>

#include "bridge/targets/stream_target.h"
#include "bridge/targets/webhook_target.h"

namespace restante {
namespace {

departure read_departure(const std::string& blocked, const std::string& deleted) {
  departure read;
  read.blocked = blocked == "keep" ? on_block::keep : on_block::deactivate;
  if (deleted == "soft") read.deleted = on_delete::remove_softly;
  if (deleted == "hard") read.deleted = on_delete::remove_hard;
  if (deleted == "deactivate") read.deleted = on_delete::deactivate;
  if (deleted == "keep") read.deleted = on_delete::keep;
  return read;
}

// What is wrong, or nothing.
std::optional<std::string> read_avatar(const std::string& text, avatar_template& into) {
  auto parsed = avatar_template::parse(text);
  if (auto* wrong = std::get_if<std::string>(&parsed)) return std::move(*wrong);
  into = std::get<avatar_template>(std::move(parsed));
  return std::nullopt;
}

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

std::optional<std::string> add_stream(const configuration& from, std::vector<named_target>& to) {
  stream_settings settings;
  settings.api_key = from.stream_api_key;
  settings.api_secret = from.stream_api_secret;
  settings.base_url = without_slash(from.stream_base_url);
  settings.mode =
      from.stream_write == "patch" ? stream_settings::writing::patch : stream_settings::writing::replace;
  settings.owned = from.stream_owned;
  settings.left = read_departure(from.stream_on_block, from.stream_on_delete);
  if (auto wrong = read_avatar(from.stream_avatar, settings.avatar)) return "stream.avatar: " + *wrong;
  if (auto wrong = stream_target::problem_of(settings); !wrong.empty()) return "stream: " + wrong;
  auto made = std::make_unique<stream_target>(std::move(settings));
  http_request probe = made->probe();
  to.push_back({"stream", std::move(made), std::move(probe)});
  return std::nullopt;
}

std::optional<std::string> add_webhook(const configuration& from, const bridge_clock& clock,
                                       std::vector<named_target>& to) {
  webhook_settings settings;
  settings.url = from.webhook_url;
  settings.secret = from.webhook_secret;
  settings.left = read_departure(from.webhook_on_block, from.webhook_on_delete);
  if (auto wrong = read_avatar(from.webhook_avatar, settings.avatar)) return "webhook.avatar: " + *wrong;
  if (auto wrong = webhook_target::problem_of(settings); !wrong.empty()) return "webhook: " + wrong;
  // A receiver need not answer this one well, only answer.
  http_request probe{.method = "GET", .url = settings.url};
  to.push_back({"webhook", std::make_unique<webhook_target>(std::move(settings), clock), std::move(probe)});
  return std::nullopt;
}

}  // namespace

std::variant<std::vector<named_target>, std::string> make_targets(const configuration& from,
                                                                  const bridge_clock& clock) {
  std::vector<named_target> made;
  if (!from.stream_api_key.empty()) {
    if (auto wrong = add_stream(from, made)) return std::move(*wrong);
  }
  if (!from.webhook_url.empty()) {
    if (auto wrong = add_webhook(from, clock, made)) return std::move(*wrong);
  }
  return made;
}

}  // namespace restante
