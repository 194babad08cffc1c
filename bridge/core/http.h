// HTTP as values: what is asked and what came back.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace restante {

using http_headers = std::vector<std::pair<std::string, std::string>>;

struct http_request {
  std::string method = "GET";
  std::string url = {};  // absolute, ready to be sent. May hold an API key: never log its query
  http_headers headers = {};
  std::string body = {};
  std::chrono::milliseconds timeout{30'000};
};

enum class http_failure {
  none,         // there is a response
  unreachable,  // no connection, or it broke: nobody knows whether the request was taken
  timeout,
  certificate,  // TLS could not be verified
  too_large,    // the answer exceeds what is read of one (8 MB)
};

struct http_response {
  http_failure failure = http_failure::none;
  std::string error = {};  // one line, when failure is not none; names the host, never a query
  int status = 0;
  http_headers headers = {};  // names in lower case
  std::string body = {};

  // The first header of that (lower-case) name.
  std::optional<std::string_view> header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return std::nullopt;
  }
};

}  // namespace restante
