// What a service says of its limits in the headers of an answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "bridge/core/http.h"

namespace restante {

struct rate_budget {
  std::int64_t limit = 0;         // requests a minute
  std::int64_t remaining = 0;     // of them, just now
  std::int64_t reset_unix_s = 0;  // when the count begins anew, by the service's clock
  friend bool operator==(const rate_budget&, const rate_budget&) = default;
};

// X-RateLimit-Limit, -Remaining and -Reset; all three, or nothing. A value that came doubled ("300, 300")
// counts by its first number. None as well for what no service means: a limit of 0, a negative or absurd
// number.
std::optional<rate_budget> read_rate_budget(const http_response& response);

// Header Date: seconds since 1970 by the service's clock.
std::optional<std::int64_t> read_date(const http_response& response);

// Header Retry-After, in seconds from the answer on: a number, or a date compared with the header Date (or
// with `now_unix_s`, without one). At most a day.
std::optional<std::int64_t> read_retry_after_s(const http_response& response, std::int64_t now_unix_s);

// "Sun, 06 Nov 1994 08:49:37 GMT" as seconds since 1970.
std::optional<std::int64_t> parse_http_date(std::string_view text);

}  // namespace restante
