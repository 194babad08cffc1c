// What each operation does and shows, once it is known that it may. Called with the service locked.
#include <algorithm>

#include "support/stream/fields.h"
#include "support/stream/member.h"
#include "support/stream/query.h"
#include "support/stream/service.h"

namespace restante::stream_stand_in {
namespace {

using nlohmann::json;

std::string shown_by_id(const std::vector<const user*>& users, dialect shape) {
  std::string text = R"("users":{)";
  for (const user* const each : users) {
    if (text.back() != '{') text += ',';
    append_quoted(text, each->id);
    text += ':';
    append_json(text, *each, shape);
  }
  return text + R"(},"membership_deletion_task_id":"",)";
}

std::string shown_as_list(const std::vector<const user*>& users, dialect shape) {
  std::string text = R"("users":[)";
  for (const user* const each : users) {
    if (text.back() != '[') text += ',';
    append_json(text, *each, shape);
  }
  return text + "],";
}

std::string shown(const user& who, dialect shape) {
  std::string text = R"("user":)";
  append_json(text, who, shape, detail::brief);
  return text + ',';
}

std::vector<std::string> ids_of(const json& body) {
  const json& ids = member(body, "user_ids");
  if (!ids.is_array() || ids.empty()) throw bad_input("user_ids is a required field");
  if (ids.size() > batch_limit) throw bad_input("user_ids must contain a maximum of 100 items");
  std::set<std::string> all;
  for (const json& id : ids) {
    if (!id.is_string() || !is_valid_id(id.get<std::string>()))
      throw bad_input("user_ids has an id that is not valid");
    all.insert(id);
  }
  return {all.begin(), all.end()};
}

deletion deletion_of(const json& body) {
  const auto level = [&](const char* field, std::initializer_list<const char*> known) {
    const std::string given = body.value(field, "");
    if (!given.empty() && std::find(known.begin(), known.end(), given) == known.end()) {
      throw bad_input(std::string(field) + " is not valid");
    }
    return given;
  };
  const std::string of_user = level("user", {"soft", "pruning", "hard"});
  const std::string of_messages = level("messages", {"soft", "pruning", "hard"});
  const std::string of_conversations = level("conversations", {"soft", "hard"});
  level("calls", {"soft", "hard"});
  if (of_user != "hard") return of_user == "pruning" ? deletion::pruning : deletion::soft;
  if (of_messages != "hard" || of_conversations != "hard") {
    throw bad_input("user hard deletion requires hard deletion of messages and conversations");
  }
  return deletion::hard;
}

std::string quoted(const std::string& what) {
  std::string text;
  append_quoted(text, what);
  return text;
}

std::string status_by_id(const std::vector<std::string>& ids) {
  std::string text = "{";
  for (const std::string& id : ids) {
    if (text.size() > 1) text += ',';
    text += quoted(id) + R"(:{"status":"ok"})";
  }
  return text + '}';
}

std::string query_parameter(const request& asked, const std::string& name) {
  const auto found = asked.query.find(name);
  return found == asked.query.end() ? "" : found->second;
}

std::string shown(const task& what, std::string_view status, dialect shape, std::int64_t now_us) {
  const auto time = [&](std::int64_t time_us) {
    return shape == dialect::v2 ? std::to_string(time_us * 1000) : quoted(rfc3339(time_us));
  };
  std::string text = R"("task_id":)" + quoted(what.id) + R"(,"status":")" + std::string(status) + '"';
  text += R"(,"created_at":)" + time(what.created_us) + R"(,"updated_at":)" + time(now_us) + ',';
  if (status == "completed") text += R"("result":)" + what.result + ',';
  if (status == "failed") {
    text += R"("error":{"type":"InternalSystemError","description":"example failure"},)";
  }
  return text;
}

std::string shown(const rate_limits& limits, const std::string& wanted, std::int64_t now_us) {
  std::string text;
  for (const operation_facts& each : operations) {
    const std::string name(each.name);
    if (!wanted.empty() && (',' + wanted + ',').find(',' + name + ',') == std::string::npos) continue;
    const rate_limits::state now = limits.look(each.what, now_us);
    if (!text.empty()) text += ',';
    text += quoted(name) + R"(:{"limit":)" + std::to_string(now.limit) + R"(,"remaining":)" +
            std::to_string(now.remaining) + R"(,"reset":)" + std::to_string(now.reset_s) + '}';
  }
  return R"("server_side":{)" + text + "},";
}

}  // namespace

std::string service::begin_task(std::string result, bool fails) {
  return R"("task_id":)" + quoted(users_.begin_task(std::move(result), fails, now_us()).id) + ',';
}

std::string service::apply(const parsed& what, bool task_fails) {
  const dialect shape = what.where.shape;
  const std::string& id = what.where.id;
  const json& body = what.body;
  switch (what.where.what) {
    case operation::update_users:
      return shown_by_id(users_.upsert(member(body, "users"), shape, now_us()), shape);
    case operation::update_users_partial:
      return shown_by_id(users_.patch(member(body, "users"), now_us()), shape);
    case operation::query_users: {
      const std::string payload = query_parameter(what.asked, "payload");
      const json wanted = payload.empty() ? json::object() : json::parse(payload, nullptr, false);
      if (!wanted.is_object()) throw bad_input("payload is no JSON object");
      return shown_as_list(query_users(users_, wanted), shape);
    }
    case operation::deactivate_user:
      return shown(users_.deactivate(id, now_us()), shape);
    case operation::reactivate_user: {
      const bool renames = body.contains("name") && !body["name"].is_null();
      return shown(
          users_.reactivate(id, renames ? std::optional<std::string>(body["name"]) : std::nullopt, now_us()),
          shape);
    }
    case operation::delete_user: {
      const bool hard = query_parameter(what.asked, "hard_delete") == "true";
      return shown(users_.remove(id, hard ? deletion::hard : deletion::soft, now_us()), shape);
    }
    case operation::deactivate_users: {
      const std::vector<std::string> ids = ids_of(body);
      users_.require_active(ids);
      json result = json::array();
      for (const std::string& each : ids) {
        users_.deactivate(each, now_us());
        result.push_back({{"id", each}, {"deactivated_at", rfc3339(now_us())}});
      }
      return begin_task(json{{"users", result}}.dump(), task_fails);
    }
    case operation::reactivate_users: {
      const std::vector<std::string> ids = ids_of(body);
      users_.require_deactivated(ids);
      for (const std::string& each : ids) users_.reactivate(each, std::nullopt, now_us());
      return begin_task(status_by_id(ids), task_fails);
    }
    case operation::delete_users: {
      const std::vector<std::string> ids = ids_of(body);
      const deletion how = deletion_of(body);
      users_.require_alive(ids);
      for (const std::string& each : ids) users_.remove(each, how, now_us());
      return begin_task(status_by_id(ids), task_fails);
    }
    case operation::restore_users:
      users_.restore(ids_of(body), now_us());
      return {};
    case operation::get_task: {
      const task& found = users_.find_task(id);
      return shown(found, users_.status_of(found, now_us()), shape, now_us());
    }
    case operation::get_rate_limits:
      return shown(limits_, query_parameter(what.asked, "endpoints"), now_us());
  }
  return {};
}

}  // namespace restante::stream_stand_in
