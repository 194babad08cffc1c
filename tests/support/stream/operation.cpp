#include "support/stream/operation.h"

#include <algorithm>
#include <vector>

namespace restante::stream_stand_in {
namespace {

std::vector<std::string> levels(std::string_view path) {
  std::vector<std::string> found;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::size_t end = std::min(path.find('/'), path.size());
    found.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return found;
}

}  // namespace

std::optional<operation> operation_of_name(std::string_view name) {
  for (const operation_facts& each : operations) {
    if (each.name == name) return each.what;
  }
  return std::nullopt;
}

std::optional<route> route_of(const request& asked) {
  if (asked.path.empty() || asked.path.front() != '/') return std::nullopt;
  std::vector<std::string> path = levels(asked.path);
  dialect shape = dialect::v1;
  if (path.size() > 2 && path[0] == "api" && path[1] == "v2") {
    shape = dialect::v2;
    path.erase(path.begin(), path.begin() + 2);
  }
  const auto is = [&](std::string_view method, std::vector<std::string_view> wanted) {
    return asked.method == method && std::equal(path.begin(), path.end(), wanted.begin(), wanted.end(),
                                                [](const std::string& has, std::string_view want) {
                                                  return want == "*" || has == want;
                                                });
  };
  const auto leads_to = [&](operation what, std::string id = {}) {
    return route{what, shape, std::move(id)};
  };
  if (is("POST", {"users"})) return leads_to(operation::update_users);
  if (is("PATCH", {"users"})) return leads_to(operation::update_users_partial);
  if (is("GET", {"users"})) return leads_to(operation::query_users);
  if (is("POST", {"users", "deactivate"})) return leads_to(operation::deactivate_users);
  if (is("POST", {"users", "reactivate"})) return leads_to(operation::reactivate_users);
  if (is("POST", {"users", "delete"})) return leads_to(operation::delete_users);
  if (is("POST", {"users", "restore"})) return leads_to(operation::restore_users);
  if (is("POST", {"users", "*", "deactivate"})) return leads_to(operation::deactivate_user, path[1]);
  if (is("POST", {"users", "*", "reactivate"})) return leads_to(operation::reactivate_user, path[1]);
  if (is("DELETE", {"users", "*"}) && shape == dialect::v1) return leads_to(operation::delete_user, path[1]);
  if (is("GET", {"tasks", "*"})) return leads_to(operation::get_task, path[1]);
  if (is("GET", {"rate_limits"})) return leads_to(operation::get_rate_limits);
  return std::nullopt;
}

}  // namespace restante::stream_stand_in
