#include "crypto/password_memory.h"

#include <openssl/crypto.h>

#include <exception>
#include <utility>

#include "crypto/password.h"
#include "crypto/random.h"

namespace restante {
namespace {

// Of both texts, so that no two pairs read the same.
sha256_mac mac_of(std::string_view key, std::string_view plain, std::string_view hash) {
  std::string text = std::to_string(hash.size());
  text.reserve(text.size() + 1 + hash.size() + plain.size());  // nothing is left behind by growing
  text += ':';
  text += hash;
  text += plain;
  const auto made = hmac_sha256(key, text);
  OPENSSL_cleanse(text.data(), text.size());
  return made;
}

}  // namespace

bool password_memory::recent_set::contains(const sha256_mac& mac) {
  if (younger_.contains(mac)) return true;
  if (!older_.contains(mac)) return false;
  insert(mac);
  return true;
}

void password_memory::recent_set::insert(const sha256_mac& mac) {
  if (younger_.size() >= half_) older_ = std::exchange(younger_, {});
  younger_.insert(mac);
}

password_memory::password_memory() : key_(random_bytes(32)) {}

bool password_memory::verify(std::string_view plain, std::string_view hash) noexcept {
  try {
    const auto mac = mac_of(key_, plain, hash);
    if (right_.contains(mac)) return true;
    if (wrong_.contains(mac)) return false;
    const bool is_right = verify_password(plain, hash);
    (is_right ? right_ : wrong_).insert(mac);
    return is_right;
  } catch (const std::exception&) {
    return verify_password(plain, hash);
  }
}

}  // namespace restante
