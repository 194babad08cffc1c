// Passwords hashed with argon2id, in PHC form. Inside this folder; password.h is what others use.
#pragma once

#include <string_view>

namespace restante {

bool verify_argon2id(std::string_view plain, std::string_view hash);

}  // namespace restante
