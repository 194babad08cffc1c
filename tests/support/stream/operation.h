// What Stream can be asked for, by the names that it uses in errors and in its table of rate limits.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "support/stream/exchange.h"

namespace restante::stream_stand_in {

enum class operation {
  update_users,
  update_users_partial,
  query_users,
  deactivate_user,
  deactivate_users,
  reactivate_user,
  reactivate_users,
  delete_user,
  delete_users,
  restore_users,
  get_task,
  get_rate_limits,
};

struct operation_facts {
  operation what;
  std::string_view name;
  int limit_per_minute;  // as self-serve plans have it; 300 where nothing is published
};

constexpr std::array<operation_facts, 12> operations{{
    {operation::update_users, "UpdateUsers", 300},
    {operation::update_users_partial, "UpdateUsersPartial", 300},
    {operation::query_users, "QueryUsers", 1000},
    {operation::deactivate_user, "DeactivateUser", 60},
    {operation::deactivate_users, "DeactivateUsers", 60},
    {operation::reactivate_user, "ReactivateUser", 60},
    {operation::reactivate_users, "ReactivateUsers", 60},
    {operation::delete_user, "DeleteUser", 60},
    {operation::delete_users, "DeleteUsers", 60},
    {operation::restore_users, "RestoreUsers", 300},
    {operation::get_task, "GetTask", 300},
    {operation::get_rate_limits, "GetRateLimits", 300},
}};

constexpr const operation_facts& facts(operation what) { return operations[static_cast<std::size_t>(what)]; }
std::optional<operation> operation_of_name(std::string_view name);

// Where a request leads: {id} is the user's or the task's, where the path has one.
struct route {
  operation what;
  dialect shape;
  std::string id;
};
std::optional<route> route_of(const request& asked);

}  // namespace restante::stream_stand_in
