// What may be written of a user, and what becomes of it. Everything that Stream refuses is refused here.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>

#include "support/stream/user.h"

namespace restante::stream_stand_in {

constexpr std::size_t batch_limit = 100;
constexpr std::size_t custom_limit_bytes = 5 * 1024;
constexpr std::size_t id_limit_bytes = 255;

// What Stream has when an app is new. An operator may define more.
const std::set<std::string>& roles_of_a_new_app();

// Letters, digits, @ _ and -.
bool is_valid_id(std::string_view id);

// `before` after an upsert of `wanted` under `key`: what is not in `wanted` is removed, but for
// blocked_user_ids. `before` is a user without a name when there is none yet. Throws refusal.
user replaced(user before, const std::string& key, const nlohmann::json& wanted, dialect shape,
              const std::set<std::string>& roles);

// `before` after a partial update {id, set, unset}. Keys are flat in both dialects, dots are paths.
user patched(user before, const nlohmann::json& patch, const std::set<std::string>& roles);

}  // namespace restante::stream_stand_in
