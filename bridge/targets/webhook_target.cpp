#include "bridge/targets/webhook_target.h"

#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "crypto/digest.h"
#include "crypto/hmac.h"

namespace restante {

namespace {

using nlohmann::json;

constexpr std::array<target_operation, 1> deliver = {target_operation{"deliver", 1}};

sync_step refusal(std::string why) {
  sync_step step;
  step.what = sync_step::kind::refuse;
  step.why = std::move(why);
  return step;
}

std::string hex(const sha256_mac& mac) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : mac) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

json shown_as_json(const profile& shown) {
  const auto or_null = [](const std::optional<std::string>& value) {
    return value ? json(*value) : json(nullptr);
  };
  return {{"name", or_null(shown.name)},
          {"image", or_null(shown.image)},
          {"language", or_null(shown.language)},
          {"role", or_null(shown.role)},
          {"teams", shown.teams},
          {"custom", json::parse(shown.custom, nullptr, false)}};
}

}  // namespace

std::string webhook_target::problem_of(const webhook_settings& settings) {
  if (!settings.url.starts_with("https://") && !settings.url.starts_with("http://")) {
    return "url begins with neither https:// nor http://";
  }
  if (settings.url.find_first_of("# ") != std::string::npos) return "url holds # or a blank";
  if (settings.secret.size() < 16) return "secret has fewer than 16 characters";
  return {};
}

webhook_target::webhook_target(webhook_settings settings, const bridge_clock& clock)
    : settings_(std::move(settings)), clock_(clock) {
  if (const auto problem = problem_of(settings_); !problem.empty()) throw std::invalid_argument(problem);
}

std::span<const target_operation> webhook_target::operations() const { return deliver; }

sync_step webhook_target::next_step(const sync_job& job) const {
  sync_step step;
  if (job.remote == remote_state::deleted) {
    if (job.status == account_status::deleted) return step;
    step.what = sync_step::kind::gone;
    step.why = "the receiver said that this account is gone for good";
    return step;
  }
  json body = {{"account", job.account}};
  step.remote = remote_state::active;
  if (job.status == account_status::active) {
    profile shown = job.wanted;
    shown.image = settings_.avatar.image_of(job.account, job.wanted);
    body["event"] = "profile.updated";
    body["profile"] = shown_as_json(shown);
    if (body["profile"]["custom"].is_discarded()) return refusal("custom is no JSON");
  } else {
    const bool is_deleted = job.status == account_status::deleted;
    const bool keeps =
        is_deleted ? settings_.left.deleted == on_delete::keep : settings_.left.blocked == on_block::keep;
    if (keeps || (job.remote == remote_state::unknown && !job.in_doubt)) return step;
    const bool removes = is_deleted && settings_.left.deleted != on_delete::deactivate;
    step.remote = removes ? remote_state::deleted : remote_state::deactivated;
    body["event"] = removes ? "profile.deleted" : "profile.deactivated";
  }
  try {
    step.hash = sha256_hex(body.dump());
    body["version"] = job.version;
    step.content = body.dump();
  } catch (const json::type_error&) {
    return refusal("the profile is not UTF-8");
  }
  if (job.remote == step.remote && !job.in_doubt && job.synced_hash == step.hash) return {};
  step.what = sync_step::kind::request;
  return step;
}

http_request webhook_target::request(std::size_t, std::span<const sync_item> items) const {
  const auto& item = items.front();
  const auto timestamp = std::to_string(clock_.now_us() / 1'000'000);
  http_request made;
  made.method = "POST";
  made.url = settings_.url;
  made.body = item.step.content;
  made.headers = {
      {"Content-Type", "application/json"},
      {"X-Restante-Delivery", sha256_hex(settings_.url + "\n" + item.step.content).substr(0, 32)},
      {"X-Restante-Timestamp", timestamp},
      {"X-Restante-Signature", "sha256=" + hex(hmac_sha256(settings_.secret, timestamp + "." + made.body))}};
  return made;
}

http_request webhook_target::task_request(std::string_view) const { return {}; }

sync_answer webhook_target::judge(std::size_t, std::span<const sync_item>, const http_response& response,
                                  bool) const {
  if (response.failure != http_failure::none) return {answer_kind::unavailable, response.error};
  const int status = response.status;
  if (status >= 200 && status < 300) return {answer_kind::done};
  const auto error = "the receiver answered with status " + std::to_string(status);
  switch (status) {
    case 401:
      return {answer_kind::credentials, error};
    case 403:
      return {answer_kind::forbidden, error};
    case 408:
      return {answer_kind::unavailable, error};
    case 410:
      return {answer_kind::deleted, error};
    case 429:
      return {answer_kind::rate_limited, error};
    default:
      break;
  }
  return {status >= 400 && status < 500 ? answer_kind::refused : answer_kind::unavailable, error};
}

std::string_view webhook_target::credentials_remedy() const {
  return "give the receiver and the bridge the same secret";
}

}  // namespace restante
