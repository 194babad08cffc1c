#include "crypto/foreign_password.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "crypto/hash_text.h"

namespace restante {
namespace {

constexpr std::uint32_t most_rounds = 1'000'000;
constexpr std::size_t sha512_size_bytes = 64;

std::string sha512(std::string_view text) {
  std::string digest(sha512_size_bytes, '\0');
  if (EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr,
                 EVP_sha512(), nullptr) != 1) {
    return {};
  }
  return digest;
}

std::string pbkdf2_sha512(std::string_view plain, std::string_view salt, std::uint32_t rounds) {
  std::string key(sha512_size_bytes, '\0');
  if (PKCS5_PBKDF2_HMAC(plain.data(), static_cast<int>(plain.size()),
                        reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()),
                        static_cast<int>(rounds), EVP_sha512(), static_cast<int>(key.size()),
                        reinterpret_cast<unsigned char*>(key.data())) != 1) {
    return {};
  }
  return key;
}

bool in_range(std::string_view text, std::size_t at, char low, char high) {
  return at < text.size() && text[at] >= low && text[at] <= high;
}

// $2b$NN$...
bool is_affordable_bcrypt(std::string_view hash) {
  if (!hash.starts_with("$2a$") && !hash.starts_with("$2b$") && !hash.starts_with("$2y$")) return false;
  if (!in_range(hash, 4, '0', '1') || !in_range(hash, 5, '0', '9')) return false;
  return (hash[4] - '0') * 10 + (hash[5] - '0') <= 14;
}

// $y$jNT$..., where each next letter for N is twice the memory and time. crypt_gensalt(5) writes no other
// form for costs 1 (j75) to 9 (jDT).
bool is_affordable_yescrypt(std::string_view hash) {
  return hash.starts_with("$y$j") && (in_range(hash, 4, '7', '9') || in_range(hash, 4, 'A', 'D')) &&
         (in_range(hash, 5, '5', '5') || in_range(hash, 5, 'T', 'T')) && in_range(hash, 6, '$', '$');
}

// $6$salt$... or $6$rounds=N$salt$...
bool is_affordable_sha512(std::string_view hash) {
  constexpr std::string_view rounds = "$6$rounds=";
  if (!hash.starts_with(rounds)) return hash.starts_with("$6$");
  hash.remove_prefix(rounds.size());
  return read_decimal(take_field(hash, '$'), most_rounds).has_value();
}

}  // namespace

bool is_mosquitto_hash(std::string_view hash) noexcept {
  return (hash.starts_with("$6$") || hash.starts_with("$7$")) && hash.ends_with("==");
}

bool verify_mosquitto(std::string_view plain, std::string_view hash) {
  const bool stretched = hash.starts_with("$7$");
  hash.remove_prefix(3);
  std::optional<std::uint32_t> rounds = 1;
  if (stretched) rounds = read_decimal(take_field(hash, '$'), most_rounds);
  const auto salt = decode_base64(take_field(hash, '$'));
  const auto wanted = decode_base64(hash);
  if (!rounds || *rounds == 0 || !salt || salt->empty() || !wanted || wanted->size() != sha512_size_bytes) {
    return false;
  }
  if (stretched) return same_bytes(pbkdf2_sha512(plain, *salt, *rounds), *wanted);
  std::string salted = std::string(plain) + *salt;
  const std::string digest = sha512(salted);
  OPENSSL_cleanse(salted.data(), salted.size());
  return same_bytes(digest, *wanted);
}

bool verify_crypt(std::string_view plain, std::string_view hash) {
  if (!is_affordable_bcrypt(hash) && !is_affordable_yescrypt(hash) && !is_affordable_sha512(hash))
    return false;
  if (plain.find('\0') != std::string_view::npos || plain.size() >= CRYPT_MAX_PASSPHRASE_SIZE) return false;
  std::string password(plain);
  const std::string setting(hash);
  const auto work = std::make_unique<crypt_data>();
  const char* computed =
      crypt_rn(password.c_str(), setting.c_str(), work.get(), static_cast<int>(sizeof(crypt_data)));
  const bool same = computed && same_bytes(computed, hash);
  OPENSSL_cleanse(password.data(), password.size());
  OPENSSL_cleanse(work.get(), sizeof(crypt_data));
  return same;
}

}  // namespace restante
