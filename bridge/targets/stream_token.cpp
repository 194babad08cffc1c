#include "bridge/targets/stream_token.h"

#include <nlohmann/json.hpp>
#include <variant>

#include "bridge/core/profile_request.h"
#include "bridge/core/strict_json.h"
#include "bridge/targets/stream_id.h"
#include "crypto/token.h"

namespace restante {

namespace {

using nlohmann::json;

constexpr std::int64_t dated_back_s = 5;

// How long, or why not.
std::variant<std::int64_t, request_refusal> wish(const stream_token_settings& settings,
                                                 std::string_view payload) {
  if (payload.empty()) return settings.usual_s;
  auto parsed = parse_strict_json(payload, {.bytes = 1'024, .depth = 2});
  if (auto* error = std::get_if<strict_json_error>(&parsed)) {
    return request_refusal{error->field.empty() ? "payload" : std::move(error->field),
                           std::move(error->reason)};
  }
  const auto& body = std::get<json>(parsed);
  if (!body.is_object()) return request_refusal{"payload", "is no JSON object"};
  auto wanted_s = settings.usual_s;
  for (const auto& [field, value] : body.items()) {
    if (field != "expires_in_s") return request_refusal{field, "is no field of this request"};
    const bool fits = value.is_number_unsigned() && value.get<std::uint64_t>() >= 1 &&
                      value.get<std::uint64_t>() <= static_cast<std::uint64_t>(settings.longest_s);
    if (!fits)
      return request_refusal{field,
                             "is no number of seconds from 1 to " + std::to_string(settings.longest_s)};
    wanted_s = value.get<std::int64_t>();
  }
  return wanted_s;
}

}  // namespace

std::string answer_stream_token(const stream_token_settings& settings, std::string_view account,
                                std::optional<account_status> status, std::string_view payload,
                                std::int64_t now_unix_s) {
  // One reason for all, as for logins.
  if (status != account_status::active) return refusal_answer({"account", "gets no token"});
  const auto wanted = wish(settings, payload);
  if (const auto* refusal = std::get_if<request_refusal>(&wanted)) return refusal_answer(*refusal);
  const std::int64_t expires_at = now_unix_s + std::get<std::int64_t>(wanted);
  const auto id = stream_id(account);
  const json claims = {{"user_id", id}, {"iat", now_unix_s - dated_back_s}, {"exp", expires_at}};
  return json{{"token", sign_hs256(claims.dump(), settings.api_secret)},
              {"user_id", id},
              {"api_key", settings.api_key},
              {"expires_at", expires_at}}
      .dump();
}

}  // namespace restante
