#include "crypto/argon2_password.h"

#include <argon2.h>

#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "crypto/hash_text.h"
#include "crypto/password.h"
#include "crypto/random.h"

namespace restante {
namespace {

constexpr std::uint32_t memory_kib = 12'288, passes = 3, salt_size_bytes = 16, hash_size_bytes = 32;

constexpr std::uint32_t most_memory_kib = 256 << 10, most_passes = 64, most_lanes = 64;
constexpr std::uint64_t most_work_kib = 1 << 20;

struct argon2_hash {
  std::uint32_t version = 0, memory_kib = 0, passes = 0, lanes = 0;
  std::string salt, hash;
};

// $argon2id[$v=N]$m=N,t=N,p=N$salt$hash
std::optional<argon2_hash> parse(std::string_view text) {
  argon2_hash parsed;
  if (!take_field(text, '$').empty() || take_field(text, '$') != "argon2id") return std::nullopt;
  parsed.version = ARGON2_VERSION_10;
  std::string_view costs = take_field(text, '$');
  if (costs.starts_with("v=")) {
    const auto version = read_decimal(costs.substr(2), ARGON2_VERSION_13);
    if (version != ARGON2_VERSION_10 && version != ARGON2_VERSION_13) return std::nullopt;
    parsed.version = *version;
    costs = take_field(text, '$');
  }
  const struct {
    std::string_view name;
    std::uint32_t most;
    std::uint32_t& into;
  } wanted[] = {{"m=", most_memory_kib, parsed.memory_kib},
                {"t=", most_passes, parsed.passes},
                {"p=", most_lanes, parsed.lanes}};
  for (const auto& cost : wanted) {
    const std::string_view field = take_field(costs, ',');
    if (!field.starts_with(cost.name)) return std::nullopt;
    const auto value = read_decimal(field.substr(cost.name.size()), cost.most);
    if (!value) return std::nullopt;
    cost.into = *value;
  }
  if (!costs.empty() || std::uint64_t{parsed.memory_kib} * parsed.passes > most_work_kib) return std::nullopt;
  auto salt = decode_base64(take_field(text, '$'));
  auto hash = decode_base64(take_field(text, '$'));
  if (!salt || !hash || !text.empty()) return std::nullopt;
  parsed.salt = std::move(*salt);
  parsed.hash = std::move(*hash);
  return parsed;
}

}  // namespace

std::string hash_password(std::string_view plain) {
  const std::string salt = random_bytes(salt_size_bytes);
  std::array<char, 256> encoded{};
  const int status = argon2id_hash_encoded(passes, memory_kib, 1, plain.data(), plain.size(), salt.data(),
                                           salt.size(), hash_size_bytes, encoded.data(), encoded.size());
  if (status != ARGON2_OK) throw std::runtime_error(argon2_error_message(status));
  return encoded.data();
}

bool verify_argon2id(std::string_view plain, std::string_view hash) {
  std::optional<argon2_hash> parsed = parse(hash);
  if (!parsed || plain.size() > ARGON2_MAX_PWD_LENGTH) return false;
  std::string password(plain);
  std::string computed(parsed->hash.size(), '\0');
  argon2_context context{};
  context.out = reinterpret_cast<std::uint8_t*>(computed.data());
  context.outlen = static_cast<std::uint32_t>(computed.size());
  context.pwd = reinterpret_cast<std::uint8_t*>(password.data());
  context.pwdlen = static_cast<std::uint32_t>(password.size());
  context.salt = reinterpret_cast<std::uint8_t*>(parsed->salt.data());
  context.saltlen = static_cast<std::uint32_t>(parsed->salt.size());
  context.t_cost = parsed->passes;
  context.m_cost = parsed->memory_kib;
  context.lanes = parsed->lanes;
  context.threads = 1;  // whatever the lanes: a login starts no threads
  context.version = parsed->version;
  context.flags = ARGON2_FLAG_CLEAR_PASSWORD;
  return argon2id_ctx(&context) == ARGON2_OK && same_bytes(computed, parsed->hash);
}

}  // namespace restante
