#include "directory.h"

namespace restante {
namespace {

struct table {
  const char* name;
  const char* noun;
};

table table_of(directory_kind kind) {
  return kind == directory_kind::account ? table{"restante.account", "account"}
                                         : table{"restante.account_group", "group"};
}

struct entry {
  std::int64_t id = 0;
  std::string name;
  bool deleted = false;
};

// Ignoring case.
result<std::optional<entry>> look_up(connection& from, directory_kind kind, const std::string& name) {
  auto found = from.execute("select id, name::text, status from " + std::string(table_of(kind).name) +
                                " where lower(name) = lower($1)",
                            {name});
  if (!found) return found.error();
  if (found->empty()) return std::optional<entry>();
  const row only = (*found)[0];
  return std::optional(entry{only.int64(0), std::string(only.text(1)), only.text(2) == "deleted"});
}

}  // namespace

std::variant<std::int64_t, outcome> find_by_name(connection& from, directory_kind kind,
                                                 const std::string& name) {
  const std::string noun = table_of(kind).noun;
  auto found = look_up(from, kind, name);
  if (!found) return failed(found.error());
  const std::optional<entry>& known = *found;
  if (!known) return refused("there is no " + noun + " '" + name + "'");
  if (known->deleted) return refused("the " + noun + " '" + known->name + "' was deleted");
  if (known->name != name)
    return refused("there is no " + noun + " '" + name + "'; did you mean '" + known->name + "'?");
  return known->id;
}

outcome name_is_taken(connection& from, directory_kind kind, const std::string& name) {
  const std::string noun = table_of(kind).noun;
  auto found = look_up(from, kind, name);
  if (!found) return failed(found.error());
  const std::optional<entry>& known = *found;
  if (!known) return refused("the name '" + name + "' was taken a moment ago; try again");
  if (known->deleted) {
    return refused("the name '" + name + "' is reserved: " + noun + " '" + known->name +
                   "' was deleted, and names are never used again");
  }
  return refused("the name '" + name + "' is taken by " + noun + " '" + known->name + "'" +
                 (known->name == name ? "" : " (names differ by more than case)"));
}

}  // namespace restante
