#include "support/stream/user_store.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "support/stream/fields.h"

namespace restante::stream_stand_in {
namespace {

using nlohmann::json;

[[noreturn]] void refuse_missing(const std::string& id) {
  throw does_not_exist("the user " + id + " doesn't exist");
}
[[noreturn]] void refuse_deleted(const std::string& id) {
  throw does_not_exist("the user " + id + " was deleted");
}
[[noreturn]] void refuse_deactivated(const std::string& id) {
  throw bad_input("the user " + id + " was deactivated");
}

void require_writable(const user& who) {
  if (who.deleted_us != 0) refuse_deleted(who.id);
  if (who.deactivated_us != 0) refuse_deactivated(who.id);
}

std::string normalised(const std::string& name) {
  std::string text;
  for (const char c : name) text += (c >= 'A' && c <= 'Z') ? static_cast<char>(c + 32) : c;
  return text;
}

void require_batch(std::size_t size) {
  if (size == 0) throw bad_input("users is a required field");
  if (size > batch_limit) throw bad_input("users must contain a maximum of 100 items");
}

}  // namespace

const user* user_store::find(const std::string& id) const {
  const auto found = users_.find(id);
  return found == users_.end() ? nullptr : &found->second;
}

user& user_store::alive(const std::string& id) {
  const auto found = users_.find(id);
  if (found == users_.end()) refuse_missing(id);
  if (found->second.deleted_us != 0) refuse_deleted(id);
  return found->second;
}

void user_store::require_free_name(const user& who) const {
  if (!settings_.unique_names || !who.name) return;
  const auto found = ids_of_name_.find(normalised(*who.name));
  if (found == ids_of_name_.end()) return;
  for (const std::string& id : found->second) {
    if (id != who.id) throw refusal(400, 6, "username '" + *who.name + "' already exists");
  }
}

const user& user_store::write(user after, std::int64_t now_us) {
  after.updated_us = now_us;
  if (after.created_us == 0) after.created_us = now_us;
  ++after.writes;
  user& kept = users_[after.id];
  if (settings_.unique_names) {
    if (kept.name) ids_of_name_[normalised(*kept.name)].erase(after.id);
    if (after.name) ids_of_name_[normalised(*after.name)].insert(after.id);
  }
  kept = std::move(after);
  return kept;
}

std::vector<const user*> user_store::upsert(const json& users, dialect shape, std::int64_t now_us) {
  if (!users.is_object()) throw bad_input("users is a required field");
  require_batch(users.size());
  std::vector<user> after;
  for (const auto& [id, wanted] : users.items()) {
    const user* const before = find(id);
    if (before != nullptr) require_writable(*before);
    after.push_back(replaced(before != nullptr ? *before : user{}, id, wanted, shape, settings_.roles));
    require_free_name(after.back());
  }
  std::vector<const user*> written;
  written.reserve(after.size());
  for (user& each : after) written.push_back(&write(std::move(each), now_us));
  return written;
}

std::vector<const user*> user_store::patch(const json& users, std::int64_t now_us) {
  if (!users.is_array()) throw bad_input("users is a required field");
  require_batch(users.size());
  std::map<std::string, user> after;
  for (const json& each : users) {
    if (!each.is_object() || !each.contains("id") || !each["id"].is_string() ||
        each["id"].get<std::string>().empty()) {
      throw bad_input("users[].id is a required field");
    }
    const std::string id = each["id"];
    if (!is_valid_id(id)) throw bad_input("users[" + id + "].id is not valid");
    const user& before = alive(id);
    require_writable(before);
    user& changed = after.try_emplace(id, before).first->second;
    changed = patched(std::move(changed), each, settings_.roles);
    require_free_name(changed);
  }
  std::vector<const user*> written;
  written.reserve(after.size());
  for (auto& [id, each] : after) written.push_back(&write(std::move(each), now_us));
  return written;
}

const user& user_store::deactivate(const std::string& id, std::int64_t now_us) {
  user& who = alive(id);
  if (who.deactivated_us != 0) throw bad_input("user \"" + id + "\" is already deactivated");
  who.deactivated_us = now_us;
  return who;
}

const user& user_store::reactivate(const std::string& id, const std::optional<std::string>& name,
                                   std::int64_t now_us) {
  user after = alive(id);
  if (after.deactivated_us == 0) throw bad_input("user \"" + id + "\" is not deactivated");
  after.deactivated_us = 0;
  if (!name) return users_[id] = after;
  after.name = name;
  require_free_name(after);
  const std::int64_t updated_us = after.updated_us;
  write(std::move(after), now_us);
  users_[id].updated_us = updated_us;
  return users_[id];
}

const user& user_store::remove(const std::string& id, deletion how, std::int64_t now_us) {
  user& who = alive(id);
  who.deleted_us = now_us;
  who.hard_deleted = how == deletion::hard;
  if (who.name) ids_of_name_[normalised(*who.name)].erase(id);
  return who;
}

void user_store::restore(const std::vector<std::string>& ids, std::int64_t now_us) {
  for (const std::string& id : ids) {
    const user* const who = find(id);
    if (who == nullptr || who->hard_deleted) refuse_missing(id);
    if (who->deleted_us == 0) throw bad_input("user \"" + id + "\" is not deleted, it can't be restored");
  }
  for (const std::string& id : ids) {
    users_[id].deleted_us = 0;
    users_[id].updated_us = now_us;
  }
}

void user_store::require_alive(const std::vector<std::string>& ids) const {
  for (const std::string& id : ids) {
    const user* const who = find(id);
    if (who == nullptr) refuse_missing(id);
    if (who->deleted_us != 0) refuse_deleted(id);
  }
}

void user_store::require_active(const std::vector<std::string>& ids) const {
  require_alive(ids);
  for (const std::string& id : ids) {
    if (find(id)->deactivated_us != 0) throw bad_input("user \"" + id + "\" is already deactivated");
  }
}

void user_store::require_deactivated(const std::vector<std::string>& ids) const {
  require_alive(ids);
  for (const std::string& id : ids) {
    if (find(id)->deactivated_us == 0) throw bad_input("user \"" + id + "\" is not deactivated");
  }
}

void user_store::clear() {
  users_.clear();
  ids_of_name_.clear();
  tasks_.clear();
}

const task& user_store::begin_task(std::string result, bool fails, std::int64_t now_us) {
  std::array<char, 40> id{};
  std::snprintf(id.data(), id.size(), "00000000-0000-4000-8000-%012zx", tasks_.size() + 1);
  return tasks_[id.data()] = task{id.data(), now_us, std::move(result), fails};
}

const task& user_store::find_task(const std::string& id) const {
  const auto found = tasks_.find(id);
  if (found == tasks_.end()) throw does_not_exist("the task " + id + " doesn't exist");
  return found->second;
}

std::string_view user_store::status_of(const task& what, std::int64_t now_us) const {
  const std::int64_t age_us = now_us - what.created_us;
  if (age_us < settings_.task_duration_us / 2) return "waiting";
  if (age_us < settings_.task_duration_us) return "running";
  return what.fails ? "failed" : "completed";
}

}  // namespace restante::stream_stand_in
