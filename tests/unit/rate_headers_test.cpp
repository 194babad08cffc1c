#include "bridge/core/rate_headers.h"

#include <gtest/gtest.h>

namespace restante {
namespace {

http_response with(http_headers headers) {
  http_response response;
  response.status = 200;
  response.headers = std::move(headers);
  return response;
}
http_response budget(const char* limit, const char* remaining, const char* reset) {
  return with(
      {{"x-ratelimit-limit", limit}, {"x-ratelimit-remaining", remaining}, {"x-ratelimit-reset", reset}});
}

TEST(headers_of_a_limit, are_read_together) {
  EXPECT_EQ(read_rate_budget(budget("300", "299", "1767225660")), (rate_budget{300, 299, 1767225660}));
  EXPECT_EQ(read_rate_budget(with({})), std::nullopt);
  EXPECT_EQ(read_rate_budget(with({{"x-ratelimit-limit", "300"}})), std::nullopt);
}

TEST(headers_of_a_limit, count_by_their_first_number_when_they_came_doubled) {
  EXPECT_EQ(read_rate_budget(budget("1000, 1000", "999, 999", "1767225660, 1767225660")),
            (rate_budget{1000, 999, 1767225660}));
  EXPECT_EQ(read_rate_budget(budget(" 300,300", "7;x", "1767225660.25")), (rate_budget{300, 7, 1767225660}));
}

TEST(headers_of_a_limit, are_left_aside_when_they_make_no_sense) {
  for (const char* bad : {"", "x", "-1", "99999999999999999999", "9999999999999"}) {
    EXPECT_EQ(read_rate_budget(budget(bad, "1", "1767225660")), std::nullopt) << bad;
    EXPECT_EQ(read_rate_budget(budget("300", bad, "1767225660")), std::nullopt) << bad;
    EXPECT_EQ(read_rate_budget(budget("300", "1", bad)), std::nullopt) << bad;
  }
  EXPECT_EQ(read_rate_budget(budget("0", "0", "1767225660")), std::nullopt);
}

TEST(a_date_of_an_answer, is_read_as_servers_write_it) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
  EXPECT_EQ(parse_http_date("Thu, 01 Jan 2026 00:00:00 GMT"), 1767225600);
  EXPECT_EQ(parse_http_date("Thu, 29 Feb 2024 23:59:60 GMT"), 1709251200);
}

TEST(a_date_of_an_answer, is_none_otherwise) {
  for (const char* bad :
       {"", "Sun, 06 Nov 1994 08:49:37", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 31 Feb 2025 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Now 1994 08:49:37 GMT",
        "Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET"}) {
    EXPECT_EQ(parse_http_date(bad), std::nullopt) << bad;
  }
}

TEST(retry_after, is_seconds_or_a_date_by_the_services_own_clock) {
  EXPECT_EQ(read_retry_after_s(with({{"retry-after", "12"}}), 0), 12);
  EXPECT_EQ(read_retry_after_s(with({{"retry-after", "Thu, 01 Jan 2026 00:00:30 GMT"},
                                     {"date", "Thu, 01 Jan 2026 00:00:10 GMT"}}),
                               5),
            20);
  EXPECT_EQ(read_retry_after_s(with({{"retry-after", "Thu, 01 Jan 2026 00:00:30 GMT"}}), 1767225600), 30);
  EXPECT_EQ(read_retry_after_s(with({{"retry-after", "Thu, 01 Jan 2026 00:00:30 GMT"}}), 1767225700), 0);
  EXPECT_EQ(read_retry_after_s(with({{"retry-after", "999999999"}}), 0), 86'400);
  EXPECT_EQ(read_retry_after_s(with({{"retry-after", "soon"}}), 0), std::nullopt);
  EXPECT_EQ(read_retry_after_s(with({}), 0), std::nullopt);
}

}  // namespace
}  // namespace restante
