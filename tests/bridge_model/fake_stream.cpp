#include "fake_stream.h"

#include <algorithm>

namespace restante::bridge_model {

namespace {

using nlohmann::json;

http_response with_body(int status, const json& body) {
  http_response response;
  response.status = status;
  response.body = body.dump();
  return response;
}

std::string decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      plain += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

}  // namespace

http_response fake_stream::refuse(int status, int code, const std::string& message,
                                  const std::string& id) const {
  const auto named = weather.names_the_culprit ? message : "something is wrong";
  json body = {{"code", code},
               {"message", "UpdateUsers failed with error: \"" + named + "\""},
               {"StatusCode", status}};
  if (!id.empty() && weather.names_the_culprit) body["exception_fields"] = {{"users[" + id + "]", message}};
  return with_body(status, body);
}

http_response fake_stream::answer(const http_request& request, std::int64_t now_us) {
  ++requests;
  http_response response;
  const auto begin = request.url.find("/api/v2/") + 8;
  const auto path = request.url.substr(begin, request.url.find('?') - begin);
  const auto endpoint = request.method + " " + (path.starts_with("tasks") ? "tasks" : path);
  if (weather.is_away) {
    response.status = 503;
    response.body = "<html>Service Unavailable</html>";
  } else {
    auto& limits =
        limiters_.try_emplace(endpoint, kind_, limit_, std::max<std::int64_t>(limit_ / 30, 1)).first->second;
    if (!limits.take(now_us)) {
      ++limited;
      response = with_body(429, {{"code", 9}, {"message", "Too many requests"}, {"StatusCode", 429}});
    } else if (weather.takes_no_credentials) {
      response = refuse(401, 43, "signature is invalid");
    } else if (chance(weather.error)) {
      response = refuse(500, -1, "internal error");
    } else if (chance(weather.not_json)) {
      response.status = 502;
      response.body = "Bad Gateway";
    } else {
      response = take(request, path, now_us);
      if (chance(weather.half_done)) response = refuse(500, -1, "internal error");
    }
    response.headers = limits.headers(now_us);
  }
  response.headers.emplace_back("date", http_date(now_us / 1'000'000));
  return response;
}

http_response fake_stream::take(const http_request& request, const std::string& path, std::int64_t now_us) {
  if (path == "users" && request.method == "GET") return query(request.url);
  if (path.starts_with("tasks/")) return task(path.substr(6), now_us);
  const auto body = json::parse(request.body);
  if (path == "users") return write(body, request.method == "PATCH");
  return begin(path.substr(6), body, now_us);
}

http_response fake_stream::write(const json& body, bool patch) {
  std::vector<std::pair<std::string, json>> all;
  for (const auto& [key, each] : body.at("users").items())
    all.emplace_back(each.at("id").get<std::string>(), each);
  if (all.size() > 100) return refuse(400, 4, "users must contain a maximum of 100 items");
  for (const auto& [id, each] : all) {
    const auto found = users_.find(id);
    if (troublesome.contains(id)) return refuse(500, -1, "internal error");
    if (poisoned.contains(id)) return refuse(400, 4, "users[" + id + "].x is a reserved field", id);
    if (id.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-@") !=
        std::string::npos) {
      return refuse(400, 4, "users[" + id + "].id is not valid", id);
    }
    if (found == users_.end()) {
      if (patch) return refuse(404, 16, "user " + id + " does not exist", id);
      continue;
    }
    // These two are told by their texts alone, so they stand there in any case.
    const bool is_deleted = found->second.is == state::deleted;
    if (is_deleted || found->second.is == state::deactivated) {
      const auto what = std::string(is_deleted ? "was deleted" : "was deactivated");
      return with_body(
          is_deleted ? 404 : 400,
          {{"code", is_deleted ? 16 : 4},
           {"message", weather.names_the_culprit ? "the user " + id + " " + what : "a user " + what}});
    }
  }
  json written = json::object();
  for (auto& [id, each] : all) {
    auto& known = users_[id];
    if (patch) {
      if (each.contains("set")) {
        for (const auto& [key, value] : each["set"].items()) {
          const bool custom =
              key != "name" && key != "image" && key != "language" && key != "role" && key != "teams";
          (custom ? known.shown["custom"] : known.shown)[key] = value;
        }
      }
      if (each.contains("unset")) {
        for (const auto& key : each["unset"]) {
          known.shown.erase(key.get<std::string>());
          known.shown["custom"].erase(key.get<std::string>());
        }
      }
    } else {
      known.shown = each;
    }
    ++users_written;
    written[id] = known.shown;
  }
  return with_body(patch ? 200 : 201, {{"users", written}});
}

http_response fake_stream::query(const std::string& url) const {
  const auto payload = json::parse(decoded(url.substr(url.find("payload=") + 8)));
  json found = json::array();
  for (const auto& each : payload["filter_conditions"]["id"]["$in"]) {
    const auto at = users_.find(each.get<std::string>());
    if (at == users_.end() || at->second.is == state::deleted) continue;
    json user = {{"id", at->first}};
    if (at->second.is == state::deactivated) user["deactivated_at"] = 1;
    found.push_back(user);
  }
  return with_body(200, {{"users", found}});
}

http_response fake_stream::begin(const std::string& what, const json& body, std::int64_t now_us) {
  begun job;
  job.what = what;
  for (const auto& each : body.at("user_ids")) {
    const auto id = each.get<std::string>();
    const auto found = users_.find(id);
    if (found == users_.end()) return refuse(404, 16, "user " + id + " does not exist", id);
    if (found->second.is == state::deleted) {
      return with_body(404, {{"code", 16}, {"message", "the user " + id + " was deleted"}});
    }
    if (what == "deactivate" && found->second.is == state::deactivated) {
      return with_body(400, {{"code", 4}, {"message", "user " + id + " is already deactivated"}});
    }
    if (what == "reactivate" && found->second.is == state::active) {
      return with_body(400, {{"code", 4}, {"message", "user " + id + " is not deactivated"}});
    }
    job.ids.push_back(id);
  }
  job.ends_us = now_us + static_cast<std::int64_t>(random_() % 4'000'000);
  job.fails = chance(weather.error);
  const auto id = "t" + std::to_string(tasks_.size());
  tasks_[id] = job;
  return with_body(201, {{"task_id", id}});
}

http_response fake_stream::task(const std::string& id, std::int64_t now_us) {
  const auto found = tasks_.find(id);
  if (found == tasks_.end()) return refuse(404, 16, "no such task");
  auto& job = found->second;
  if (now_us < job.ends_us) return with_body(200, {{"task_id", id}, {"status", "running"}});
  if (job.fails) {
    return with_body(
        200, {{"task_id", id}, {"status", "failed"}, {"error", {{"description", "example failure"}}}});
  }
  json result = json::object();
  for (const auto& each : job.ids) {
    auto& is = users_.at(each).is;
    if (!job.is_done && is != state::deleted) {
      is = job.what == "delete"       ? state::deleted
           : job.what == "deactivate" ? state::deactivated
                                      : state::active;
    }
    result[each] = {{"status", "ok"}};
  }
  job.is_done = true;
  return with_body(200, {{"task_id", id}, {"status", "completed"}, {"result", result}});
}

}  // namespace restante::bridge_model
