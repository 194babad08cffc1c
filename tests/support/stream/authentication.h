// Who asks: the key in the query, the token in the header.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "support/stream/exchange.h"

namespace restante::stream_stand_in {

struct credentials {
  std::string api_key;
  std::string api_secret;
};

struct caller {
  bool is_server = false;
  std::string user_id;  // of a user's token
};

// Verifies by signing header.payload again. No skew is allowed for `iat`. Throws refusal.
caller authenticate(const request& asked, const credentials& ours, std::int64_t now_us);

// What a token says. Throws refusal as above.
caller verify_token(std::string_view token, std::string_view secret, std::int64_t now_us);

}  // namespace restante::stream_stand_in
