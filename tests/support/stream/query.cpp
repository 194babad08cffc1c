#include "support/stream/query.h"

#include <algorithm>
#include <string>

namespace restante::stream_stand_in {
namespace {

using nlohmann::json;

// Text of two times compares as the times do once nothing stands behind the fraction.
std::string comparable_time(std::string text) {
  if (text.ends_with('Z')) text.pop_back();
  return text;
}

bool is_time(const std::string& field) { return field == "created_at" || field == "updated_at"; }

json value_of(const user& who, std::string field) {
  if (field == "id") return who.id;
  if (field == "name") return who.name ? json(*who.name) : json();
  if (field == "image") return who.image ? json(*who.image) : json();
  if (field == "role") return who.role;
  if (field == "language") return who.language;
  if (field == "teams") return who.teams;
  if (field == "created_at") return comparable_time(rfc3339(who.created_us));
  if (field == "updated_at") return comparable_time(rfc3339(who.updated_us));
  if (field.starts_with("custom.")) field.erase(0, 7);
  json at = json::parse(who.custom);
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = field.find('.', begin);
    const auto found = at.find(field.substr(begin, end - begin));
    if (found == at.end()) return {};
    json next = *found;
    if (end == std::string::npos) return next;
    if (!next.is_object()) return {};
    at = std::move(next);
    begin = end + 1;
  }
}

std::string lower(std::string text) {
  for (char& c : text) c = (c >= 'A' && c <= 'Z') ? static_cast<char>(c + 32) : c;
  return text;
}

bool is_among(const json& value, const json& list) {
  if (!list.is_array()) throw bad_input("$in and $nin want an array");
  const auto has = [&](const json& each) { return std::find(list.begin(), list.end(), each) != list.end(); };
  return value.is_array() ? std::any_of(value.begin(), value.end(), has) : has(value);
}

bool holds(const json& value, const std::string& how, const json& wanted) {
  if (how == "$eq") return value == wanted;
  if (how == "$ne") return value != wanted;
  if (how == "$exists") return !value.is_null() == (wanted == true);
  if (how == "$in") return is_among(value, wanted);
  if (how == "$nin") return !is_among(value, wanted);
  if (how == "$contains")
    return value.is_array() && std::find(value.begin(), value.end(), wanted) != value.end();
  if (how == "$autocomplete") {
    return value.is_string() && wanted.is_string() &&
           lower(value.get<std::string>()).starts_with(lower(wanted.get<std::string>()));
  }
  const bool comparable = value.type() == wanted.type() || (value.is_number() && wanted.is_number());
  if (how == "$gt") return comparable && value > wanted;
  if (how == "$gte") return comparable && value >= wanted;
  if (how == "$lt") return comparable && value < wanted;
  if (how == "$lte") return comparable && value <= wanted;
  throw bad_input("unknown operator " + how);
}

bool matches(const user& who, const json& filter) {
  if (!filter.is_object()) throw bad_input("filter_conditions must be an object");
  for (const auto& [field, condition] : filter.items()) {
    if (field == "$and" || field == "$or" || field == "$nor") {
      if (!condition.is_array()) throw bad_input(field + " wants an array");
      const auto each = [&](const json& inner) { return matches(who, inner); };
      const bool all = std::all_of(condition.begin(), condition.end(), each);
      const bool any = std::any_of(condition.begin(), condition.end(), each);
      if (field == "$and" ? !all : (field == "$or" ? !any : any)) return false;
      continue;
    }
    if (field.starts_with('$')) throw bad_input("unknown operator " + field);
    const json value = value_of(who, field);
    if (!condition.is_object()) {
      if (!holds(value, condition.is_array() ? "$in" : "$eq", condition)) return false;
      continue;
    }
    for (const auto& [how, wanted] : condition.items()) {
      const bool is_text_of_time = is_time(field) && wanted.is_string();
      if (!holds(value, how, is_text_of_time ? json(comparable_time(wanted.get<std::string>())) : wanted)) {
        return false;
      }
    }
  }
  return true;
}

std::int64_t whole(const json& payload, const char* name, std::int64_t otherwise, std::int64_t most) {
  const auto found = payload.find(name);
  if (found == payload.end() || found->is_null()) return otherwise;
  if (!found->is_number_integer() || *found < 0 || *found > most) {
    throw bad_input(std::string(name) + " must be 0 to " + std::to_string(most));
  }
  return found->get<std::int64_t>();
}

struct order {
  std::string field;
  bool descending = false;
};

std::vector<order> order_of(const json& payload) {
  std::vector<order> all;
  const json sort = payload.value("sort", json::array());
  if (!sort.is_array() || sort.size() > 5) throw bad_input("sort must contain a maximum of 5 items");
  for (const json& each : sort) {
    if (!each.is_object() || !each.contains("field") || !each["field"].is_string()) {
      throw bad_input("sort wants fields");
    }
    all.push_back({each["field"], each.value("direction", 1) < 0});
  }
  return all;
}

bool comes_before(const user& one, const user& other, const std::vector<order>& by) {
  for (const auto& [field, descending] : by) {
    const json left = value_of(one, field), right = value_of(other, field);
    if (left != right) return descending ? right < left : left < right;
  }
  return one.id < other.id;
}

}  // namespace

std::vector<const user*> query_users(const user_store& users, const json& payload) {
  const json filter = payload.value("filter_conditions", json::object());
  const auto limit = static_cast<std::size_t>(whole(payload, "limit", 30, 100));
  const auto offset = static_cast<std::size_t>(whole(payload, "offset", 0, 1000));
  const bool with_deactivated = payload.value("include_deactivated_users", json()) == true;
  const std::vector<order> by = order_of(payload);
  const bool in_order_of_ids = by.empty() || (by.size() == 1 && by[0].field == "id" && !by[0].descending);

  std::vector<const user*> found;
  const auto consider = [&](const user& who) {
    if (who.deleted_us != 0 || (who.deactivated_us != 0 && !with_deactivated)) return;
    if (matches(who, filter)) found.push_back(&who);
  };
  // What most ask for goes by the ids alone; everything else looks at all.
  const json condition = filter.is_object() ? filter.value("id", json()) : json();
  if (condition.is_object() && condition.contains("$in") && condition["$in"].is_array()) {
    std::set<std::string> ids;
    for (const json& id : condition["$in"]) {
      if (id.is_string()) ids.insert(id.get<std::string>());
    }
    for (const std::string& id : ids) {
      if (const user* const who = users.find(id)) consider(*who);
    }
  } else {
    auto at = users.all().begin();
    if (condition.is_object() && condition.contains("$gt") && condition["$gt"].is_string()) {
      at = users.all().upper_bound(condition["$gt"].get<std::string>());
    }
    for (; at != users.all().end() && !(in_order_of_ids && found.size() >= offset + limit); ++at) {
      consider(at->second);
    }
  }
  if (found.empty()) matches(user{}, filter);  // says what is wrong with it also when nobody is there
  if (!in_order_of_ids) {
    std::sort(found.begin(), found.end(),
              [&](const user* one, const user* other) { return comes_before(*one, *other, by); });
  }
  found.erase(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(std::min(offset, found.size())));
  if (found.size() > limit) found.resize(limit);
  return found;
}

}  // namespace restante::stream_stand_in
