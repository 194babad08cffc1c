// Input: a password's hash, of the password `secret` in the seeds.
#include "crypto/password.h"

#include <cctype>
#include <string>

#include "check.h"

namespace {

// Costs are slow on purpose: only hashes with none that a fuzzer could not wait for.
bool is_cheap(std::string_view hash) {
  if (hash.starts_with("$6$")) return hash.find("rounds") == std::string_view::npos;
  if (!hash.starts_with("$argon2id$") && !hash.starts_with("$7$")) return false;
  // The costs stand before the salt.
  std::size_t digits = 0;
  for (const char c : hash.substr(0, hash.starts_with("$7$") ? 12 : 40)) {
    digits = std::isdigit(static_cast<unsigned char>(c)) != 0 ? digits + 1 : 0;
    if (digits > 2) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace restante;
  using namespace restante::fuzz;
  const auto hash = text_of(data, size);
  check(!verify_password("", hash), "nobody comes in without a password");
  if (!is_cheap(hash)) return 0;
  const bool right = verify_password("secret", hash), wrong = verify_password("Secret", hash);
  check(!right || !wrong, "no hash takes two passwords");
  check(!wrong, "no change to a hash lets another password in");
  return 0;
}
