#include "support/stream/service.h"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <set>
#include <utility>

#include "support/stream/envelope.h"
#include "support/stream/fields.h"
#include "support/stream/member.h"

namespace restante::stream_stand_in {
namespace {

using nlohmann::json;

std::int64_t steady_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string duration_since(std::int64_t begun_us) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2fms", static_cast<double>(steady_us() - begun_us) / 1000);
  return text;
}

answer refused(const refusal& why, operation what, const std::string& duration) {
  answer to{why.status, {{"Content-Type", "application/json"}}, {}};
  const bool named = why.status != 401 && why.status != 429;
  const std::string message =
      named ? std::string(facts(what).name) + " failed with error: \"" + why.message + '"' : why.message;
  to.body = error_body(why.status, why.code, message, why.field, duration);
  return to;
}

bool has_body(operation what) {
  return what != operation::query_users && what != operation::delete_user && what != operation::get_task &&
         what != operation::get_rate_limits;
}

// The users that a request changes, as far as it can be read.
std::vector<std::string> users_of(const route& where, const json& body) {
  std::set<std::string> ids;
  if (where.what != operation::get_task && !where.id.empty()) ids.insert(where.id);
  if (!body.is_object()) return {ids.begin(), ids.end()};
  const json& users = member(body, "users");
  if (users.is_object()) {
    for (const auto& [id, unused] : users.items()) ids.insert(id);
  } else if (users.is_array()) {
    for (const json& each : users) {
      if (each.is_object() && each.contains("id") && each["id"].is_string()) ids.insert(each["id"]);
    }
  }
  const json& list = member(body, "user_ids");
  if (list.is_array()) {
    for (const json& id : list) {
      if (id.is_string()) ids.insert(id);
    }
  }
  return {ids.begin(), ids.end()};
}

}  // namespace

service::service(credentials ours, clock now) : ours_(std::move(ours)), now_(std::move(now)) {
  users_.settings().roles = roles_of_a_new_app();
}

service::outcome service::handle(const request& asked) {
  const std::int64_t begun_us = steady_us();
  const std::optional<route> where = route_of(asked);
  if (!where) return {{404, {{"Content-Type", "text/plain"}}, "404 page not found\n"}};
  parsed what{asked, *where, {}, {}};
  if (asked.body.size() <= body_limit_bytes) what.body = json::parse(asked.body, nullptr, false);
  what.users = users_of(*where, what.body);

  std::unique_lock lock(mutex_);
  tally_.asked(where->what, now_us());
  tally_.begin(what.users);
  const fault_plan::verdict wrong = faults_.next(where->what, what.users);
  if (wrong.wait_ms > 0) {
    stopping_.wait_for(lock, std::chrono::milliseconds(wrong.wait_ms), [&] { return stopped_; });
  }
  outcome result;
  const std::string kind = wrong.what ? wrong.what->kind : "";
  bool by_fault = wrong.what && wrong.what->status != 0;
  const std::int64_t asked_us = now_us();
  // A limit that is only played does not count; every other answer does.
  const bool is_played_limit = by_fault && wrong.what->status == 429 && !wrong.what->taken;
  if (kind == "cut_before") {
    result.cut = true;
  } else if (!is_played_limit && !limits_.take(where->what, asked_us)) {
    by_fault = false;
    result.what = refused({429, 9, "Too many requests, check response headers for more information."},
                          where->what, "0.00ms");
  } else {
    if (!by_fault || wrong.what->taken) {
      lock.unlock();
      result.what = do_request(what, kind == "fail_task", asked_us, begun_us);
      lock.lock();
    }
    result.cut = kind == "cut_after";
    if (by_fault) result.what = {wrong.what->status, {}, wrong.what->body};
  }
  if (kind != "edge_limited") add_rate_limit_headers(result.what, where->what);
  if (by_fault) {
    for (const auto& [name, value] : wrong.what->headers) result.what.headers[name] = value;
  }
  add_date(result.what);
  tally_.end(what.users);
  if (result.cut) {
    tally_.cut();
  } else {
    tally_.answered(result.what.status, by_fault);
  }
  return result;
}

answer service::do_request(const parsed& what, bool task_fails, std::int64_t asked_us,
                           std::int64_t begun_us) {
  try {
    const caller who = authenticate(what.asked, ours_, asked_us);
    if (has_body(what.where.what)) {
      if (what.asked.body.size() > body_limit_bytes) throw too_big("request body is too big");
      const auto type = what.asked.headers.find("content-type");
      if (type == what.asked.headers.end() || !type->second.starts_with("application/json")) {
        throw bad_input("Content-Type must be application/json");
      }
      if (!what.body.is_object()) throw bad_input("request body is no JSON object");
    }
    answer done{201, {{"Content-Type", "application/json"}}, {}};
    if (!has_body(what.where.what) || what.where.what == operation::update_users_partial) done.status = 200;
    const std::scoped_lock lock(mutex_);
    require_own(what, who);
    done.body = '{' + apply(what, task_fails) + R"("duration":")" + duration_since(begun_us) + "\"}";
    return done;
  } catch (const refusal& why) {
    return refused(why, what.where.what, duration_since(begun_us));
  } catch (const json::exception& error) {
    return refused(bad_input(error.what()), what.where.what, duration_since(begun_us));
  }
}

// A user's own token may query, and change that user, but neither role nor teams.
void service::require_own(const parsed& what, const caller& who) const {
  if (who.is_server || what.where.what == operation::query_users) return;
  if (what.where.what != operation::update_users_partial || what.users != std::vector{who.user_id}) {
    throw not_allowed();
  }
  for (const json& each : what.body["users"]) {
    for (const char* const field : {"role", "teams", "teams_role"}) {
      if (each.value("set", json::object()).contains(field)) throw not_allowed();
    }
  }
}

void service::add_rate_limit_headers(answer& to, operation what) const {
  if (!limits_.on()) return;
  const rate_limits::state now = limits_.look(what, now_us());
  const auto set = [&](const char* name, std::int64_t value) {
    const std::string text = std::to_string(value);
    to.headers[name] = doubled_headers_ ? text + ", " + text : text;
  };
  set("X-RateLimit-Limit", now.limit);
  set("X-RateLimit-Remaining", now.remaining);
  set("X-RateLimit-Reset", now.reset_s);
}

void service::add_date(answer& to) const {
  const std::time_t seconds = now_us() / 1'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  to.headers["Date"] = text;
}

void service::set_faults(std::vector<fault> all, std::uint64_t seed) {
  const std::scoped_lock lock(mutex_);
  faults_.set(std::move(all), seed);
}

void service::set_clock(clock now) {
  const std::scoped_lock lock(mutex_);
  now_ = std::move(now);
}

void service::set_settings(const json& settings) {
  const std::scoped_lock lock(mutex_);
  try {
    if (settings.contains("roles")) users_.settings().roles = settings["roles"];
    users_.settings().unique_names = settings.value("unique_names", users_.settings().unique_names);
    users_.settings().task_duration_us =
        1000 * settings.value("task_ms", users_.settings().task_duration_us / 1000);
    doubled_headers_ = settings.value("doubled_headers", doubled_headers_);
    const json limits = settings.value("rate_limits", json());
    if (limits == "off") {
      limits_.switch_off();
    } else if (!limits.is_null()) {
      limits_ = rate_limits();
      const json each = limits.is_object() ? limits : json::object();
      for (const auto& [name, limit] : each.items()) {
        const std::optional<operation> what = operation_of_name(name);
        if (!what) throw bad_input("no operation \"" + name + '"');
        limits_.set(*what, limit);
      }
    }
  } catch (const json::exception& error) {
    throw bad_input(error.what());
  }
}

void service::stop() {
  const std::scoped_lock lock(mutex_);
  stopped_ = true;
  stopping_.notify_all();
}

json service::counts() const {
  const std::scoped_lock lock(mutex_);
  json counts = tally_.to_json();
  counts["users"] = users_.all().size();
  return counts;
}

void service::clear_counts() {
  const std::scoped_lock lock(mutex_);
  tally_.clear();
}

std::string service::users() const {
  const std::scoped_lock lock(mutex_);
  std::string text = "{";
  for (const auto& [id, who] : users_.all()) {
    if (text.size() > 1) text += ',';
    append_quoted(text, id);
    json shown{{"role", who.role},
               {"language", who.language},
               {"teams", who.teams},
               {"custom", json::parse(who.custom)},
               {"deactivated", who.deactivated_us != 0},
               {"deleted", who.deleted_us != 0},
               {"writes", who.writes}};
    if (who.name) shown["name"] = *who.name;
    if (who.image) shown["image"] = *who.image;
    text += ':' + shown.dump();
  }
  return text + '}';
}

void service::clear_users() {
  const std::scoped_lock lock(mutex_);
  users_.clear();
}

}  // namespace restante::stream_stand_in
