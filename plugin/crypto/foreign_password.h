// Passwords that other systems hashed. Inside this folder; password.h is what others use.
#pragma once

#include <string_view>

namespace restante {

// $6$salt$hash of Mosquitto, told from crypt(3)'s by its padded base64; and $7$rounds$salt$hash.
bool is_mosquitto_hash(std::string_view hash) noexcept;
bool verify_mosquitto(std::string_view plain, std::string_view hash);

// crypt(3): bcrypt, yescrypt, SHA-512.
bool verify_crypt(std::string_view plain, std::string_view hash);

}  // namespace restante
