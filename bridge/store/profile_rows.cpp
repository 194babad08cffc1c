#include "bridge/store/profile_rows.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

namespace restante {
namespace {

using nlohmann::json;

std::optional<std::string> owned(std::optional<std::string_view> text) {
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

// PostgreSQL prints jsonb with blanks, and sorts keys by length first.
std::string compact(std::string_view object) {
  const json parsed = json::parse(object, nullptr, false);
  return parsed.is_discarded() ? std::string(object) : parsed.dump();
}

std::vector<std::string> read_teams(std::optional<std::string_view> array) {
  std::vector<std::string> teams;
  if (!array) return teams;
  for (const json& each : json::parse(*array, nullptr, false)) {
    if (each.is_string()) teams.push_back(each.get<std::string>());
  }
  return teams;
}

remote_state read_remote(std::string_view text) {
  if (text == "active") return remote_state::active;
  if (text == "deactivated") return remote_state::deactivated;
  if (text == "deleted") return remote_state::deleted;
  return remote_state::unknown;
}

}  // namespace

account_status read_status(std::string_view text) {
  if (text == "active") return account_status::active;
  return text == "deleted" ? account_status::deleted : account_status::blocked;
}

sync_job read_job(const row& from) {
  sync_job job;
  job.account_id = from.int64(0);
  job.account = from.text(1);
  job.status = read_status(from.text(2));
  job.wanted.name = owned(from.optional_text(3));
  job.wanted.image = owned(from.optional_text(4));
  job.wanted.language = owned(from.optional_text(5));
  job.wanted.role = owned(from.optional_text(6));
  job.wanted.teams = read_teams(from.optional_text(7));
  job.wanted.custom = compact(from.text(8));
  job.version = from.int64(9);
  job.remote = read_remote(from.text(10));
  job.in_doubt = from.boolean(11);
  job.synced_hash = from.optional_bytea(12).value_or("");
  job.attempts = from.int32(13);
  return job;
}

std::string_view to_text(remote_state state) {
  switch (state) {
    case remote_state::active:
      return "active";
    case remote_state::deactivated:
      return "deactivated";
    case remote_state::deleted:
      return "deleted";
    default:
      return "unknown";
  }
}

std::string storable(std::string_view text) {
  constexpr std::size_t longest = 1'000;
  // There and back replaces what is no UTF-8.
  std::string line =
      json::parse(json(text.substr(0, longest)).dump(-1, ' ', false, json::error_handler_t::replace))
          .get<std::string>();
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; },
      ' ');
  return line;
}

}  // namespace restante
