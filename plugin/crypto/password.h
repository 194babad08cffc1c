// Passwords: made with argon2id, verified in the forms that other systems left behind as well.
//
// Threads: any number at once. Both calls are slow on purpose, see below.
#pragma once

#include <string>
#include <string_view>

namespace restante {

// The PHC string `$argon2id$v=19$m=12288,t=3,p=1$salt$hash` with a fresh salt. About 17 ms and 12 MB: of the
// parameter sets that OWASP counts as equally strong, one that keeps a login's memory and time small.
// Throws std::runtime_error when there is no memory or no randomness.
std::string hash_password(std::string_view plain);

// Whether `plain` is the password of `hash`, in constant time once the hash is computed. Forms:
//
//   $argon2id$...                 any parameters up to 256 MB, 1 GB in all passes together
//   $2a$ $2b$ $2y$ $y$ $6$        crypt(3): bcrypt up to cost 14, yescrypt up to cost 9, SHA-512 up to
//   1,000,000
//                                 rounds
//   $6$salt$hash, $7$n$salt$hash  Mosquitto's own, known by the padding of their base64: SHA-512, and PBKDF2
//   of up
//                                 to 1,000,000 rounds
//
// False for any other form, for parameters beyond these bounds (none takes much over a second), for an empty
// password, and for a password with a NUL in it where crypt(3) would only look at what comes before.
bool verify_password(std::string_view plain, std::string_view hash) noexcept;

}  // namespace restante
