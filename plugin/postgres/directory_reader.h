// Accounts and groups as the directory has them now. Reads only; works with the rights of the broker's role.
//
// Threads: that of the connection.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/policy.h"
#include "core/ports.h"
#include "postgres/connection.h"

namespace restante {

// Account, groups and rules in one round trip. None: no account has ever had exactly this name. Blocked and
// deleted ones are returned, as not active.
result<std::optional<account_record>> read_account(connection& from, std::string_view name);

// One roster for each of `groups` that exists, with its active members; those with more than `group_limit`
// members come without them.
result<std::vector<roster>> read_rosters(connection& from, std::span<const std::string> groups,
                                         std::int64_t group_limit);

// A profile as its readers are given it, and those of them that its account blocks; version 0 if there is
// none.
result<profile_answer> read_profile(connection& from, const profile_request& wanted);

}  // namespace restante
