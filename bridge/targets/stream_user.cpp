#include "bridge/targets/stream_user.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "bridge/targets/stream_id.h"

namespace restante {

namespace {

using nlohmann::json;

// Keys that mean something to Stream itself, so that none of them can be a custom one.
constexpr std::array<std::string_view, 32> reserved = {"ban_expires",
                                                       "banned",
                                                       "blocked_user_ids",
                                                       "channel_mutes",
                                                       "created_at",
                                                       "custom",
                                                       "deactivated_at",
                                                       "deleted_at",
                                                       "devices",
                                                       "id",
                                                       "image",
                                                       "invisible",
                                                       "language",
                                                       "last_active",
                                                       "mutes",
                                                       "name",
                                                       "online",
                                                       "privacy_settings",
                                                       "push_notifications",
                                                       "revoke_tokens_issued_before",
                                                       "role",
                                                       "shadow_banned",
                                                       "teams",
                                                       "teams_role",
                                                       "total_unread_count",
                                                       "unread_channels",
                                                       "unread_count",
                                                       "unread_threads",
                                                       "updated_at",
                                                       "user_id",
                                                       "user_token",
                                                       "users"};
constexpr std::string_view custom_prefix = "custom.";
constexpr std::size_t most_teams = 250;
constexpr std::size_t longest_team_bytes = 100;

bool is_reserved(std::string_view key) {
  return std::find(reserved.begin(), reserved.end(), key) != reserved.end();
}

bool is_plain_key(std::string_view key) {
  return !key.empty() && key.size() <= 64 && std::all_of(key.begin(), key.end(), [](char each) {
    return (each >= 'A' && each <= 'Z') || (each >= 'a' && each <= 'z') || (each >= '0' && each <= '9') ||
           each == '_' || each == '-';
  });
}

std::string problem_of(std::string_view id, const profile& shown, const json& custom) {
  if (id.empty() || id.size() > longest_stream_id_bytes) return "Stream takes ids of 1 to 255 bytes";
  if (!custom.is_object()) return "custom is no JSON object";
  if (shown.custom.size() > longest_stream_custom_bytes) {
    return "custom has " + std::to_string(shown.custom.size()) + " bytes; Stream takes 5120";
  }
  for (const auto& [key, value] : custom.items()) {
    if (is_reserved(key)) return "custom holds \"" + key + "\", a name that Stream keeps for itself";
    if (key.empty()) return "custom holds a key without a name";
  }
  if (shown.teams.size() > most_teams) return "more than 250 teams, which Stream does not take";
  for (const auto& team : shown.teams) {
    if (team.empty() || team.size() > longest_team_bytes)
      return "Stream takes names of teams of 1 to 100 bytes";
  }
  return {};
}

stream_user print(const json& what) {
  try {
    return {what.dump(), {}};
  } catch (const json::type_error&) {
    return {{}, "the profile is not UTF-8"};
  }
}

}  // namespace

stream_user whole_user(std::string_view id, const profile& shown) {
  auto custom = json::parse(shown.custom, nullptr, false);
  if (auto problem = problem_of(id, shown, custom); !problem.empty()) return {{}, std::move(problem)};
  json user = {{"id", id},
               {"role", shown.role.value_or("user")},
               {"teams", shown.teams},
               {"custom", std::move(custom)}};
  if (shown.name) user["name"] = *shown.name;
  if (shown.image) user["image"] = *shown.image;
  if (shown.language) user["language"] = *shown.language;
  return print(user);
}

std::string problem_of_owned_field(std::string_view field) {
  for (const std::string_view known : {"name", "image", "language", "role", "teams"}) {
    if (field == known) return {};
  }
  if (!field.starts_with(custom_prefix)) return "is none of name, image, language, role, teams, custom.KEY";
  const auto key = field.substr(custom_prefix.size());
  if (!is_plain_key(key)) return "names a key of other than 1 to 64 letters, digits, _ and -";
  if (is_reserved(key)) return "names a key that Stream keeps for itself";
  return {};
}

stream_user owned_fields(std::string_view id, const profile& shown, const std::vector<std::string>& owned) {
  const auto custom = json::parse(shown.custom, nullptr, false);
  if (auto problem = problem_of(id, shown, custom); !problem.empty()) return {{}, std::move(problem)};
  json set = json::object(), unset = json::array();
  const auto give = [&](const std::string& field, const std::optional<std::string>& value) {
    if (value) {
      set[field] = *value;
    } else {
      unset.push_back(field);
    }
  };
  for (const auto& field : owned) {
    if (field == "name") {
      give(field, shown.name);
    } else if (field == "image") {
      give(field, shown.image);
    } else if (field == "language") {
      give(field, shown.language);
    } else if (field == "role") {
      set[field] = shown.role.value_or("user");
    } else if (field == "teams") {
      set[field] = shown.teams;
    } else {
      const auto key = field.substr(custom_prefix.size());
      const auto found = custom.find(key);
      // Null means other things to Stream than "not there".
      if (found == custom.end() || found->is_null()) {
        unset.push_back(key);
      } else {
        set[key] = *found;
      }
    }
  }
  json update = {{"id", id}};
  if (!set.empty()) update["set"] = std::move(set);
  if (!unset.empty()) update["unset"] = std::move(unset);
  return print(update);
}

stream_user new_user_of_owned(std::string_view id, const profile& shown,
                              const std::vector<std::string>& owned) {
  const auto owns = [&](std::string_view field) {
    return std::find(owned.begin(), owned.end(), field) != owned.end();
  };
  profile ours;
  if (owns("name")) ours.name = shown.name;
  if (owns("image")) ours.image = shown.image;
  if (owns("language")) ours.language = shown.language;
  if (owns("role")) ours.role = shown.role;
  if (owns("teams")) ours.teams = shown.teams;
  const auto custom = json::parse(shown.custom, nullptr, false);
  json kept = json::object();
  if (custom.is_object()) {
    for (const auto& [key, value] : custom.items()) {
      if (owns(std::string(custom_prefix) + key)) kept[key] = value;
    }
  }
  auto text = print(kept);
  if (!text.problem.empty()) return text;
  ours.custom = std::move(text.json);
  return whole_user(id, ours);
}

}  // namespace restante
