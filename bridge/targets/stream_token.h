// Service `stream-token`: an account's own client gets a token with which it is that account at Stream.
//
//   request   nothing, {} or {"expires_in_s":3600}
//   answer    {"api_key":"…","expires_at":1767229195,"token":"…","user_id":"anna"}
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/core/profile.h"

namespace restante {

struct stream_token_settings {
  std::string api_key, api_secret;
  std::int64_t usual_s = 3'600;     // how long a token holds
  std::int64_t longest_s = 86'400;  // as asked for; a longer wish is refused
};

// The answer's payload. `status`: of the account that asks, none: there is no such; only an active one gets a
// token. A token is dated back by 5 s, since Stream takes none that was signed in its future.
std::string answer_stream_token(const stream_token_settings& settings, std::string_view account,
                                std::optional<account_status> status, std::string_view payload,
                                std::int64_t now_unix_s);

}  // namespace restante
