// Finding accounts and groups for verbs, and saying well that there is none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "outcome.h"
#include "postgres/connection.h"

namespace restante {

enum class directory_kind { account, group };

// The id of an account or group that is not deleted, or how the verb ends.
std::variant<std::int64_t, outcome> find_by_name(connection& from, directory_kind kind,
                                                 const std::string& name);

// Why no account or group may be created with this name: taken or reserved, also when written in other case.
outcome name_is_taken(connection& from, directory_kind kind, const std::string& name);

}  // namespace restante
