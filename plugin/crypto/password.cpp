#include "crypto/password.h"

#include <exception>

#include "crypto/argon2_password.h"
#include "crypto/foreign_password.h"

namespace restante {

bool verify_password(std::string_view plain, std::string_view hash) noexcept try {
  if (plain.empty()) return false;
  if (hash.starts_with("$argon2id$")) return verify_argon2id(plain, hash);
  if (is_mosquitto_hash(hash)) return verify_mosquitto(plain, hash);
  return verify_crypt(plain, hash);
} catch (const std::exception&) {
  return false;  // no memory: nobody is let in for that
}

}  // namespace restante
