#include "support/stream/authentication.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "crypto/hmac.h"

namespace restante::stream_stand_in {
namespace {

using nlohmann::json;

refusal unauthorized(int code, const std::string& message) {
  return {401, code, "JWTAuth error: " + message};
}

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Base64url without padding (RFC 7515); nothing when it is none.
std::optional<std::string> decoded(std::string_view text) {
  std::string bytes;
  unsigned int bits = 0;
  int held = 0;
  for (const char c : text) {
    const std::size_t value = alphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6 | static_cast<unsigned int>(value)) & 0xffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes += static_cast<char>(bits >> held & 0xff);
    }
  }
  return bytes;
}

json object_of(std::string_view part) {
  const std::optional<std::string> text = decoded(part);
  json parsed = text ? json::parse(*text, nullptr, false) : json();
  if (!parsed.is_object()) throw unauthorized(5, "token is malformed");
  return parsed;
}

std::optional<std::int64_t> time_claim(const json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end() || found->is_null()) return std::nullopt;
  if (!found->is_number()) throw unauthorized(5, std::string(name) + " is no number");
  return found->get<std::int64_t>();
}

std::string header_of(const request& asked, const std::string& name) {
  const auto found = asked.headers.find(name);
  return found == asked.headers.end() ? "" : found->second;
}

}  // namespace

caller verify_token(std::string_view token, std::string_view secret, std::int64_t now_us) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    throw unauthorized(5, "token is malformed");
  }
  const json header = object_of(token.substr(0, first));
  const json claims = object_of(token.substr(first + 1, second - first - 1));
  if (claims.contains("user_id") && !claims["user_id"].is_string()) {
    throw unauthorized(5, std::string("json: cannot unmarshal ") + claims["user_id"].type_name() +
                              " into Go struct field StreamJWTClaims.user_id of type string");
  }
  if (header.value("alg", json()) != "HS256") throw unauthorized(5, "signing method is not HS256");

  const sha256_mac mac = hmac_sha256(secret, token.substr(0, second));
  const std::optional<std::string> signature = decoded(token.substr(second + 1));
  if (!signature ||
      !equal_in_constant_time(*signature, {reinterpret_cast<const char*>(mac.data()), mac.size()})) {
    throw unauthorized(43, "signature is invalid");
  }
  const std::int64_t now_s = now_us / 1'000'000;
  if (time_claim(claims, "exp").value_or(now_s + 1) <= now_s) throw unauthorized(40, "token is expired");
  if (time_claim(claims, "nbf").value_or(now_s) > now_s) throw unauthorized(41, "token is not valid yet");
  if (time_claim(claims, "iat").value_or(now_s) > now_s) {
    throw unauthorized(42, "token used before issue at (iat)");
  }

  caller who;
  who.is_server = claims.value("server", json()) == true;
  who.user_id = claims.value("user_id", "");
  if (!who.is_server && who.user_id.empty()) throw unauthorized(5, "token names neither a server nor a user");
  return who;
}

caller authenticate(const request& asked, const credentials& ours, std::int64_t now_us) {
  const auto key = asked.query.find("api_key");
  if (key == asked.query.end() || key->second != ours.api_key) throw refusal(401, 2, "api_key not found");
  if (header_of(asked, "stream-auth-type") != "jwt") throw unauthorized(5, "stream-auth-type must be jwt");
  return verify_token(header_of(asked, "authorization"), ours.api_secret, now_us);
}

}  // namespace restante::stream_stand_in
