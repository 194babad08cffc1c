#include "bridge/targets/stream_target.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "bridge/targets/percent.h"
#include "bridge/targets/stream_id.h"
#include "bridge/targets/stream_user.h"
#include "crypto/digest.h"
#include "crypto/token.h"

namespace restante {

namespace {

struct operation_row {
  stream_request what;
  target_operation limits;
};

// The first is what most accounts need.
constexpr std::array<operation_row, 4> replacing = {
    {{stream_request::upsert, {"upsert", 100, 1'000'000}},
     {stream_request::reactivate, {"reactivate", 100, 1'000'000}},
     {stream_request::deactivate, {"deactivate", 100, 1'000'000}},
     {stream_request::remove, {"delete", 100, 1'000'000}}}};
constexpr std::array<operation_row, 6> patching = {
    {{stream_request::patch, {"patch", 100, 1'000'000}},
     {stream_request::query, {"query", 100, 1'000'000}},
     {stream_request::upsert, {"upsert", 100, 1'000'000}},
     {stream_request::reactivate, {"reactivate", 100, 1'000'000}},
     {stream_request::deactivate, {"deactivate", 100, 1'000'000}},
     {stream_request::remove, {"delete", 100, 1'000'000}}}};

template <std::size_t count>
constexpr std::array<target_operation, count> limits_of(const std::array<operation_row, count>& rows) {
  std::array<target_operation, count> limits;
  for (std::size_t i = 0; i < count; ++i) limits[i] = rows[i].limits;
  return limits;
}
constexpr auto limits_of_replacing = limits_of(replacing);
constexpr auto limits_of_patching = limits_of(patching);

std::span<const operation_row> rows_of(stream_settings::writing mode) {
  if (mode == stream_settings::writing::patch) return patching;
  return replacing;
}

// Of a user, and of what is done to it: the same only for the same.
std::string hash_of(std::string_view what, std::string_view content) {
  return sha256_hex(std::string(what) + "\n" + std::string(content));
}

std::string joined(std::span<const sync_item> items) {
  std::string all;
  for (const auto& each : items) {
    if (!all.empty()) all += ',';
    all += each.step.content;
  }
  return all;
}

std::string quoted_id(const sync_job& job) { return "\"" + stream_id(job.account) + "\""; }

}  // namespace

std::string stream_target::problem_of(const stream_settings& settings) {
  if (settings.api_key.empty()) return "STREAM_API_KEY is not set";
  if (settings.api_secret.empty()) return "STREAM_API_SECRET is not set";
  if (!settings.base_url.starts_with("https://") && !settings.base_url.starts_with("http://")) {
    return "STREAM_BASE_URL begins with neither https:// nor http://";
  }
  if (settings.base_url.find_first_of("?# ") != std::string::npos)
    return "STREAM_BASE_URL holds ?, # or a blank";
  if (settings.mode == stream_settings::writing::patch) {
    if (settings.owned.empty())
      return "with mode patch, owned names the fields that the bridge writes; there is none";
    for (const auto& each : settings.owned) {
      auto problem = problem_of_owned_field(each);
      if (std::count(settings.owned.begin(), settings.owned.end(), each) > 1) problem = "stands twice";
      if (!problem.empty()) return std::string("owned: ").append(each).append(" ").append(problem);
    }
  } else if (!settings.owned.empty()) {
    return "owned goes with mode patch only";
  }
  return {};
}

stream_target::stream_target(stream_settings settings) : settings_(std::move(settings)) {
  if (const auto problem = problem_of(settings_); !problem.empty()) throw std::invalid_argument(problem);
  while (settings_.base_url.ends_with('/')) settings_.base_url.pop_back();
  renew_credentials();
}

void stream_target::renew_credentials() { token_ = sign_hs256(R"({"server":true})", settings_.api_secret); }

std::string_view stream_target::credentials_remedy() const {
  return "compare STREAM_API_KEY, STREAM_API_SECRET and STREAM_BASE_URL with Stream's dashboard";
}

std::span<const target_operation> stream_target::operations() const {
  if (settings_.mode == stream_settings::writing::patch) return limits_of_patching;
  return limits_of_replacing;
}

sync_step stream_target::next_step(const sync_job& job) const {
  return job.status == account_status::active ? write_step(job) : leave_step(job);
}

sync_step stream_target::to(stream_request what, std::string content, remote_state after,
                            std::string hash) const {
  const auto rows = rows_of(settings_.mode);
  const auto at =
      std::find_if(rows.begin(), rows.end(), [&](const operation_row& each) { return each.what == what; });
  sync_step step;
  step.what = sync_step::kind::request;
  step.operation = static_cast<std::size_t>(at - rows.begin());
  step.content = std::move(content);
  step.remote = after;
  step.hash = std::move(hash);
  return step;
}

sync_step stream_target::write_step(const sync_job& job) const {
  if (job.remote == remote_state::deleted) {
    sync_step step;
    step.what = sync_step::kind::gone;
    step.why = "Stream has deleted this id, and takes no deleted id again";
    return step;
  }
  const bool patches = settings_.mode == stream_settings::writing::patch;
  profile shown = job.wanted;
  shown.image = settings_.avatar.image_of(job.account, job.wanted);
  const auto id = stream_id(job.account);
  auto user = patches ? owned_fields(id, shown, settings_.owned) : whole_user(id, shown);
  if (!user.problem.empty()) {
    sync_step step;
    step.what = sync_step::kind::refuse;
    step.why = std::move(user.problem);
    return step;
  }
  auto hash = hash_of("active", user.json);
  if (job.remote == remote_state::active && !job.in_doubt && job.synced_hash == hash) return {};
  if (job.remote == remote_state::deactivated) {
    return to(stream_request::reactivate, quoted_id(job), remote_state::active, {});
  }
  if (!patches) {
    return to(stream_request::upsert, quoted_id(job) + ":" + user.json, remote_state::active,
              std::move(hash));
  }
  if (job.remote == remote_state::unknown || job.in_doubt) {
    return to(stream_request::query, quoted_id(job), remote_state::unknown, job.synced_hash);
  }
  if (job.remote == remote_state::active) {
    return to(stream_request::patch, std::move(user.json), remote_state::active, std::move(hash));
  }
  auto made = new_user_of_owned(id, shown, settings_.owned);
  if (!made.problem.empty()) {
    sync_step step;
    step.what = sync_step::kind::refuse;
    step.why = std::move(made.problem);
    return step;
  }
  return to(stream_request::upsert, quoted_id(job) + ":" + made.json, remote_state::active, std::move(hash));
}

sync_step stream_target::leave_step(const sync_job& job) const {
  const bool is_deleted = job.status == account_status::deleted;
  const bool keeps =
      is_deleted ? settings_.left.deleted == on_delete::keep : settings_.left.blocked == on_block::keep;
  const bool was_never_there =
      job.remote == remote_state::absent || (job.remote == remote_state::unknown && !job.in_doubt);
  if (keeps || was_never_there || job.remote == remote_state::deleted) return {};
  if (is_deleted && settings_.left.deleted != on_delete::deactivate) {
    return to(stream_request::remove, quoted_id(job), remote_state::deleted, hash_of("deleted", {}));
  }
  if (job.remote == remote_state::deactivated && !job.in_doubt) return {};
  return to(stream_request::deactivate, quoted_id(job), remote_state::deactivated,
            hash_of("deactivated", {}));
}

http_request stream_target::make(const char* method, const std::string& path, std::string body,
                                 const std::string& query) const {
  http_request made;
  made.method = method;
  made.url = settings_.base_url + path + "?api_key=" + percent_encode(settings_.api_key) + query;
  made.headers = {{"Authorization", token_},
                  {"stream-auth-type", "jwt"},
                  {"Content-Type", "application/json"},
                  {"X-Stream-Client", "restante-bridge-0.1.0"}};
  made.body = std::move(body);
  return made;
}

http_request stream_target::request(std::size_t operation, std::span<const sync_item> items) const {
  const auto ids = [&] { return R"({"user_ids":[)" + joined(items) + "]"; };
  switch (rows_of(settings_.mode)[operation].what) {
    case stream_request::upsert:
      return make("POST", "/api/v2/users", R"({"users":{)" + joined(items) + "}}");
    case stream_request::patch:
      return make("PATCH", "/api/v2/users", R"({"users":[)" + joined(items) + "]}");
    case stream_request::query:
      return make("GET", "/api/v2/users", {},
                  "&payload=" + percent_encode(R"({"filter_conditions":{"id":{"$in":[)" + joined(items) +
                                               R"(]}},"include_deactivated_users":true,"limit":)" +
                                               std::to_string(items.size()) + "}"));
    case stream_request::deactivate:
      return make("POST", "/api/v2/users/deactivate", ids() + R"(,"mark_messages_deleted":false})");
    case stream_request::reactivate:
      return make("POST", "/api/v2/users/reactivate", ids() + R"(,"restore_messages":true})");
    case stream_request::remove:
      return make("POST", "/api/v2/users/delete",
                  ids() + (settings_.left.deleted == on_delete::remove_hard
                               ? R"(,"user":"hard","messages":"hard","conversations":"hard"})"
                               : R"(,"user":"soft"})"));
    case stream_request::task:
      break;
  }
  return {};
}

http_request stream_target::task_request(std::string_view task) const {
  return make("GET", "/api/v2/tasks/" + percent_encode(task), {});
}

http_request stream_target::probe() const { return make("GET", "/api/v2/rate_limits", {}); }

sync_answer stream_target::judge(std::size_t operation, std::span<const sync_item> items,
                                 const http_response& response, bool of_task) const {
  std::vector<std::string> ids;
  ids.reserve(items.size());
  for (const auto& each : items) ids.push_back(stream_id(each.job.account));
  const auto began = rows_of(settings_.mode)[operation].what;
  return judge_stream_answer(of_task ? stream_request::task : began, began, ids, response);
}

}  // namespace restante
