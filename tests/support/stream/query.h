// GET /users: filters, order and pages, as Stream's own SDKs ask for them.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "support/stream/user_store.h"

namespace restante::stream_stand_in {

// `payload`: what stands in the query parameter of that name. Fields of a filter: id, name, role, language,
// teams, created_at, updated_at and custom ones, with or without "custom." in front. Operators: $eq $ne $gt
// $gte $lt $lte $in $nin $exists $contains $autocomplete $and $or $nor. Throws refusal for any other.
std::vector<const user*> query_users(const user_store& users, const nlohmann::json& payload);

}  // namespace restante::stream_stand_in
