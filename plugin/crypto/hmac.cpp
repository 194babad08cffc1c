#include "crypto/hmac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdexcept>

namespace restante {

sha256_mac hmac_sha256(std::string_view key, std::string_view text) {
  sha256_mac mac{};
  unsigned int size_bytes = 0;
  // OpenSSL takes a null key for "as before", also when it is empty.
  const char* const key_bytes = key.empty() ? "" : key.data();
  if (HMAC(EVP_sha256(), key_bytes, static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(),
           &size_bytes) == nullptr ||
      size_bytes != mac.size()) {
    throw std::runtime_error("HMAC-SHA-256 failed");
  }
  return mac;
}

bool equal_in_constant_time(std::string_view one, std::string_view other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

}  // namespace restante
