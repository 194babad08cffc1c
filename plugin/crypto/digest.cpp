#include "crypto/digest.h"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

namespace restante {

std::string sha256_hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size_bytes = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size_bytes, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 failed");
  }
  constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  for (unsigned int i = 0; i < size_bytes; ++i) {
    hex += digits[digest[i] >> 4];
    hex += digits[digest[i] & 15];
  }
  return hex;
}

}  // namespace restante
