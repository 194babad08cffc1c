// Signed tokens (JWT, RFC 7519) with HMAC-SHA-256.
#pragma once

#include <string>
#include <string_view>

namespace restante {

// `claims` is a JSON object as text, `secret` any bytes but none at all. Throws std::runtime_error for claims
// that are none, an empty secret, and when there is no memory.
std::string sign_hs256(std::string_view claims, std::string_view secret);

}  // namespace restante
