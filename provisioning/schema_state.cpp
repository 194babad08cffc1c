#include "schema_state.h"

#include "crypto/digest.h"

namespace restante {

std::string checksum_of(const migration& which) { return sha256_hex(which.sql); }

result<schema_state> read_schema_state(connection& from) {
  schema_state state;
  const auto known = embedded_migrations();
  auto table = from.execute("select to_regclass('restante.migration') is not null");
  if (!table) return table.error();
  if (!(*table)[0].boolean(0)) {
    state.missing.assign(known.begin(), known.end());
    return state;
  }
  auto applied = from.execute("select version, name, checksum from restante.migration order by version");
  if (!applied) return applied.error();
  for (const row each : *applied) {
    const int version = each.int32(0);
    const std::string name(each.text(1));
    if (version > static_cast<int>(known.size())) {
      state.problem = "the database is newer than this program: it has migration " + name +
                      ", this program knows none beyond " + std::string(known.back().name) +
                      "; use a restante at least as new as the one that migrated it";
    } else if (version != state.version + 1) {
      state.problem =
          "the database has migration " + name + " but not the one before it; restore restante.migration";
    } else if (each.text(2) != checksum_of(known[static_cast<std::size_t>(version) - 1])) {
      state.problem = "migration " + name +
                      " was applied with another text than this program's; use the restante that applied it";
    }
    if (!state.problem.empty()) return state;
    state.version = version;
  }
  state.missing.assign(known.begin() + state.version, known.end());
  return state;
}

}  // namespace restante
