#include "bridge/core/rate_headers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace restante {

namespace {

constexpr std::int64_t most = 1'000'000'000'000;
constexpr std::int64_t day_s = 86'400;

// The number that `text` begins with, behind blanks; what follows does not count.
std::optional<std::int64_t> first_number(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value < 0 || value > most) return std::nullopt;
  return value;
}

std::optional<std::int64_t> number_of(const http_response& response, std::string_view name) {
  const auto value = response.header(name);
  return value ? first_number(*value) : std::nullopt;
}

// Exactly `text`, decimal digits.
std::optional<int> digits(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.front() == '-') return std::nullopt;
  return value;
}

}  // namespace

std::optional<rate_budget> read_rate_budget(const http_response& response) {
  const auto limit = number_of(response, "x-ratelimit-limit");
  const auto remaining = number_of(response, "x-ratelimit-remaining");
  const auto reset = number_of(response, "x-ratelimit-reset");
  if (!limit || !remaining || !reset || *limit == 0) return std::nullopt;
  return rate_budget{*limit, std::min(*remaining, *limit), *reset};
}

std::optional<std::int64_t> read_date(const http_response& response) {
  const auto value = response.header("date");
  return value ? parse_http_date(*value) : std::nullopt;
}

std::optional<std::int64_t> read_retry_after_s(const http_response& response, std::int64_t now_unix_s) {
  const auto value = response.header("retry-after");
  if (!value) return std::nullopt;
  if (const auto seconds = first_number(*value)) return std::min(*seconds, day_s);
  const auto date = parse_http_date(*value);
  if (!date) return std::nullopt;
  return std::clamp<std::int64_t>(*date - read_date(response).value_or(now_unix_s), 0, day_s);
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || text.substr(3, 2) != ", " || text[7] != ' ' || text[11] != ' ' ||
      text[16] != ' ' || text[19] != ':' || text[22] != ':' || text.substr(25) != " GMT") {
    return std::nullopt;
  }
  const auto month = std::find(months.begin(), months.end(), text.substr(8, 3));
  const auto day = digits(text.substr(5, 2)), year = digits(text.substr(12, 4)),
             hour = digits(text.substr(17, 2)), minute = digits(text.substr(20, 2)),
             second = digits(text.substr(23, 2));
  if (month == months.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{
      std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(month - months.begin()) + 1),
      std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const std::chrono::sys_seconds at = std::chrono::sys_days(date) + std::chrono::hours(*hour) +
                                      std::chrono::minutes(*minute) + std::chrono::seconds(*second);
  return at.time_since_epoch().count();
}

}  // namespace restante
