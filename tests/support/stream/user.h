// A user as Stream keeps one, and how it is shown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "support/stream/exchange.h"

namespace restante::stream_stand_in {

struct user {
  std::string id;
  std::optional<std::string> name;
  std::optional<std::string> image;
  std::string role = "user";
  std::string language;
  std::vector<std::string> teams;
  std::vector<std::string> blocked_user_ids;
  bool invisible = false;
  std::string custom = "{}";  // these three are JSON objects as text
  std::string teams_role = "{}";
  std::string privacy_settings = "{}";
  std::string revoke_tokens_issued_before;  // as it was given; empty: never
  std::int64_t created_us = 0;
  std::int64_t updated_us = 0;
  std::int64_t deactivated_us = 0;  // 0: active
  std::int64_t deleted_us = 0;      // 0: alive
  bool hard_deleted = false;
  std::int64_t writes = 0;  // upserts and partial updates that were taken
};

// How much of it an answer has: what upserts, partial updates and queries show; what deactivating shows.
enum class detail { full, brief };
void append_json(std::string& text, const user& who, dialect shape, detail how_much = detail::full);

// A JSON string with its quotes.
void append_quoted(std::string& text, const std::string& what);
// 2026-01-01T00:00:00.123456Z
std::string rfc3339(std::int64_t time_us);

}  // namespace restante::stream_stand_in
