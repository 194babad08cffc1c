#include "support/stream/fields.h"

#include <algorithm>
#include <array>

namespace restante::stream_stand_in {
namespace {

using nlohmann::json;

constexpr std::array reserved{"online",      "created_at",     "updated_at",
                              "last_active", "deactivated_at", "deleted_at"};

bool is_reserved(std::string_view field) {
  return std::find(reserved.begin(), reserved.end(), field) != reserved.end();
}

[[noreturn]] void refuse_reserved(const std::string& field) {
  throw refusal(400, 4, field + " is a reserved field", field);
}

// One user's fields, for messages that name them as Stream does: users[player-1001].online
struct named {
  const std::string& key;
  std::string field(std::string_view name) const { return "users[" + key + "]." + std::string(name); }

  std::string text(const json& value, std::string_view name) const {
    if (!value.is_string()) throw bad_input(field(name) + " must be a string");
    return value.get<std::string>();
  }
  std::vector<std::string> texts(const json& value, std::string_view name, std::size_t limit,
                                 std::size_t limit_bytes) const {
    if (!value.is_array()) throw bad_input(field(name) + " must be an array");
    if (value.size() > limit) {
      throw bad_input(field(name) + " must contain a maximum of " + std::to_string(limit) + " items");
    }
    std::vector<std::string> all;
    for (const json& each : value) {
      all.push_back(text(each, name));
      if (all.back().size() > limit_bytes) throw bad_input(field(name) + " has an item that is too long");
    }
    return all;
  }
  std::string object(const json& value, std::string_view name) const {
    if (!value.is_object()) throw bad_input(field(name) + " must be an object");
    return value.dump();
  }
};

constexpr std::size_t team_limit = 250, team_limit_bytes = 100;

// Sets a built-in field; false when there is none of that name.
bool set_built_in(user& who, const named& names, const std::string& name, const json& value,
                  const std::set<std::string>& roles) {
  if (name == "name") {
    who.name = names.text(value, name);
  } else if (name == "image") {
    who.image = names.text(value, name);
  } else if (name == "role") {
    who.role = names.text(value, name);
    if (!roles.contains(who.role)) throw bad_input("role \"" + who.role + "\" is not defined");
  } else if (name == "language") {
    who.language = names.text(value, name);
  } else if (name == "teams") {
    who.teams = names.texts(value, name, team_limit, team_limit_bytes);
  } else if (name == "teams_role") {
    who.teams_role = value.is_null() ? "{}" : names.object(value, name);
  } else if (name == "privacy_settings") {
    json merged = json::parse(who.privacy_settings);
    names.object(value, name);
    merged.merge_patch(value);
    who.privacy_settings = merged.dump();
  } else if (name == "invisible") {
    if (!value.is_boolean()) throw bad_input(names.field(name) + " must be a boolean");
    who.invisible = value.get<bool>();
  } else if (name == "blocked_user_ids") {
    who.blocked_user_ids.clear();
    if (!value.is_null()) who.blocked_user_ids = names.texts(value, name, 100, id_limit_bytes);
  } else {
    return false;
  }
  return true;
}

void unset_built_in(user& who, const std::string& name) {
  const user fresh;
  if (name == "name") who.name = fresh.name;
  if (name == "image") who.image = fresh.image;
  if (name == "role") who.role = fresh.role;
  if (name == "language") who.language = fresh.language;
  if (name == "teams") who.teams = fresh.teams;
  if (name == "teams_role") who.teams_role = fresh.teams_role;
  if (name == "privacy_settings") who.privacy_settings = fresh.privacy_settings;
  if (name == "invisible") who.invisible = fresh.invisible;
  if (name == "blocked_user_ids") who.blocked_user_ids = fresh.blocked_user_ids;
}

bool is_built_in(const std::string& name) {
  static const std::set<std::string> all{
      "name",      "image",           "role", "language", "teams", "teams_role", "privacy_settings",
      "invisible", "blocked_user_ids"};
  return all.contains(name);
}

void set_custom(user& who, const json& custom) {
  who.custom = custom.dump();
  if (who.custom.size() > custom_limit_bytes) throw too_big("custom data is too big");
}

std::vector<std::string> steps_of(const std::string& path) {
  std::vector<std::string> steps{""};
  bool good = !path.empty();
  for (const char c : path) {
    if (c == '.') {
      good = good && !steps.back().empty();
      steps.emplace_back();
    } else {
      good = good && c != ' ';
      steps.back() += c;
    }
  }
  if (!good || steps.back().empty()) throw bad_input("invalid field path " + path);
  return steps;
}

bool overlap(const std::string& one, const std::string& other) {
  const std::string& shorter = one.size() < other.size() ? one : other;
  const std::string& longer = one.size() < other.size() ? other : one;
  return longer.starts_with(shorter) && (longer.size() == shorter.size() || longer[shorter.size()] == '.');
}

void set_path(json& custom, const std::vector<std::string>& steps, const std::string& path,
              const json& value) {
  json* at = &custom;
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
    at = &(*at)[steps[i]];
    if (!at->is_object() && !at->is_null()) throw bad_input("invalid field path " + path);
  }
  (*at)[steps.back()] = value;
}

void unset_path(json& custom, const std::vector<std::string>& steps) {
  json* at = &custom;
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
    const auto next = at->find(steps[i]);
    if (next == at->end() || !next->is_object()) return;
    at = &*next;
  }
  at->erase(steps.back());
}

}  // namespace

const std::set<std::string>& roles_of_a_new_app() {
  static const std::set<std::string> all{"user",
                                         "guest",
                                         "anonymous",
                                         "admin",
                                         "moderator",
                                         "channel_member",
                                         "channel_moderator",
                                         "global_admin",
                                         "global_moderator"};
  return all;
}

bool is_valid_id(std::string_view id) {
  return !id.empty() && id.size() <= id_limit_bytes && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '@' ||
           c == '_' || c == '-';
  });
}

user replaced(user before, const std::string& key, const json& wanted, dialect shape,
              const std::set<std::string>& roles) {
  const named names{key};
  if (key.empty()) throw bad_input("users[] is a required field");
  if (!wanted.is_object()) throw bad_input("users[" + key + "] must be an object");
  const auto id = wanted.find("id");
  if (id == wanted.end()) throw bad_input(names.field("id") + " is a required field");
  if (!is_valid_id(key) || *id != key) throw bad_input(names.field("id") + " is not valid");

  user after;
  after.id = key;
  after.blocked_user_ids = std::move(before.blocked_user_ids);
  after.revoke_tokens_issued_before = std::move(before.revoke_tokens_issued_before);
  after.created_us = before.created_us;
  after.writes = before.writes;
  json flat = json::object();
  const json* custom = &flat;
  for (const auto& [name, value] : wanted.items()) {
    if (name == "id" || set_built_in(after, names, name, value, roles)) continue;
    if (is_reserved(name)) refuse_reserved(names.field(name));
    if (shape == dialect::v1) {
      flat[name] = value;
    } else if (name == "custom" && !value.is_null()) {
      if (!value.is_object()) throw bad_input(names.field(name) + " must be an object");
      for (const auto& [inner, unused] : value.items()) {
        if (is_reserved(inner)) refuse_reserved(names.field("custom." + inner));
      }
      custom = &value;
    }
    // v2 ignores what it does not know beside `custom`, as decoders of the published types do.
  }
  set_custom(after, *custom);
  return after;
}

user patched(user before, const json& patch, const std::set<std::string>& roles) {
  const named names{before.id};
  const json set = patch.value("set", json::object());
  const json unset = patch.value("unset", json::array());
  if (!set.is_object()) throw bad_input(names.field("set") + " must be an object");
  const std::vector<std::string> removed = names.texts(unset, "unset", 1000, 1000);
  json custom = json::parse(before.custom);
  for (const auto& [path, value] : set.items()) {
    const std::vector<std::string> steps = steps_of(path);
    for (const std::string& other : removed) {
      if (overlap(path, other)) throw bad_input("cannot set and unset " + path + " at the same time");
    }
    if (steps[0] == "id" || is_reserved(steps[0])) refuse_reserved(names.field(steps[0]));
    if (steps[0] == "revoke_tokens_issued_before") {
      before.revoke_tokens_issued_before = value.is_null() ? "" : names.text(value, steps[0]);
    } else if (steps.size() > 1 && is_built_in(steps[0])) {
      json inner = value;
      for (std::size_t i = steps.size() - 1; i > 0; --i) inner = json{{steps[i], inner}};
      set_built_in(before, names, steps[0], inner, roles);
    } else if (!set_built_in(before, names, path, value, roles)) {
      set_path(custom, steps, path, value);
    }
  }
  for (const std::string& path : removed) {
    const std::vector<std::string> steps = steps_of(path);
    if (steps[0] == "id" || is_reserved(steps[0])) refuse_reserved(names.field(steps[0]));
    if (is_built_in(path)) {
      unset_built_in(before, path);
    } else {
      unset_path(custom, steps);
    }
  }
  set_custom(before, custom);
  return before;
}

}  // namespace restante::stream_stand_in
