#include "crypto/token.h"

#include <jwt.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace restante {

namespace {

struct free_token {
  void operator()(jwt_t* token) const noexcept { jwt_free(token); }
};
struct free_text {
  void operator()(char* text) const noexcept { std::free(text); }
};

}  // namespace

std::string sign_hs256(std::string_view claims, std::string_view secret) {
  if (secret.empty()) throw std::runtime_error("a token cannot be signed without a secret");
  jwt_t* made = nullptr;
  if (jwt_new(&made) != 0) throw std::runtime_error("no memory for a token");
  const std::unique_ptr<jwt_t, free_token> token(made);
  if (jwt_add_grants_json(token.get(), std::string(claims).c_str()) != 0) {
    throw std::runtime_error("claims of a token are to be a JSON object");
  }
  if (jwt_set_alg(token.get(), JWT_ALG_HS256, reinterpret_cast<const unsigned char*>(secret.data()),
                  static_cast<int>(secret.size())) != 0) {
    throw std::runtime_error("a token cannot be signed with this secret");
  }
  const std::unique_ptr<char, free_text> text(jwt_encode_str(token.get()));
  if (!text) throw std::runtime_error("signing a token failed");
  return text.get();
}

}  // namespace restante
