#include "support/stream/user.h"

#include <ctime>
#include <nlohmann/json.hpp>
#include <string_view>

namespace restante::stream_stand_in {
namespace {

void append_list(std::string& text, const std::vector<std::string>& what) {
  text += '[';
  for (const std::string& each : what) {
    if (text.back() != '[') text += ',';
    append_quoted(text, each);
  }
  text += ']';
}

void append_time(std::string& text, std::int64_t time_us, dialect shape) {
  if (shape == dialect::v2) {
    text += std::to_string(time_us * 1000);
  } else {
    text += '"' + rfc3339(time_us) + '"';
  }
}

void append_flat(std::string& text, const std::string& object) {
  if (object.size() <= 2) return;
  text += ',';
  text.append(object, 1, object.size() - 2);
}

}  // namespace

void append_quoted(std::string& text, const std::string& what) {
  bool plain = true;
  for (const char c : what) plain = plain && static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\';
  text += plain ? '"' + what + '"' : nlohmann::json(what).dump();
}

std::string rfc3339(std::int64_t time_us) {
  const std::time_t seconds = time_us / 1'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  const std::string fraction = std::to_string(1'000'000 + time_us % 1'000'000);
  return std::string(text, length) + '.' + fraction.substr(1) + 'Z';
}

void append_json(std::string& text, const user& who, dialect shape, detail how_much) {
  text += R"({"id":)";
  append_quoted(text, who.id);
  if (shape == dialect::v2) {
    text += R"(,"custom":)" + who.custom;
  } else {
    append_flat(text, who.custom);
  }
  text += R"(,"language":)";
  append_quoted(text, who.language);
  text += R"(,"role":)";
  append_quoted(text, who.role);
  text += R"(,"teams":)";
  append_list(text, who.teams);
  text += R"(,"created_at":)";
  append_time(text, who.created_us, shape);
  text += R"(,"updated_at":)";
  append_time(text, who.updated_us, shape);
  text += R"(,"banned":false,"online":false,"invisible":)";
  text += who.invisible ? "true" : "false";
  if (shape == dialect::v2) {
    text += R"(,"devices":[],"shadow_banned":false)";
    if (how_much == detail::full) {
      text += R"(,"mutes":[],"channel_mutes":[],"unread_count":0,"total_unread_count":0)"
              R"(,"unread_channels":0,"unread_threads":0)";
    }
  }
  text += R"(,"blocked_user_ids":)";
  append_list(text, who.blocked_user_ids);
  const auto append_text = [&](std::string_view name, const std::string& value) {
    text += ",\"";
    text += name;
    text += "\":";
    append_quoted(text, value);
  };
  if (who.name) append_text("name", *who.name);
  if (who.image) append_text("image", *who.image);
  if (!who.revoke_tokens_issued_before.empty()) {
    append_text("revoke_tokens_issued_before", who.revoke_tokens_issued_before);
  }
  if (who.teams_role != "{}") text += R"(,"teams_role":)" + who.teams_role;
  if (who.privacy_settings != "{}") text += R"(,"privacy_settings":)" + who.privacy_settings;
  if (who.deactivated_us != 0) {
    text += R"(,"deactivated_at":)";
    append_time(text, who.deactivated_us, shape);
  }
  if (who.deleted_us != 0) {
    text += R"(,"deleted_at":)";
    append_time(text, who.deleted_us, shape);
  }
  text += '}';
}

}  // namespace restante::stream_stand_in
