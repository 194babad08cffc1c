// What the stand-in is asked and what it answers, as values: nothing here knows a socket.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace restante::stream_stand_in {

// Microseconds since 1970. Called from any thread.
using clock = std::function<std::int64_t()>;

// The two shapes of Stream's API: /users, with custom fields beside the built-in ones and times as text, and
// /api/v2/users, with custom fields in `custom` and times in nanoseconds.
enum class dialect { v1, v2 };

struct request {
  std::string method;
  std::string path;                            // without the query
  std::map<std::string, std::string> query;    // decoded
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

struct answer {
  int status = 200;
  std::map<std::string, std::string> headers;
  std::string body;
};

// Thrown by what judges a request; becomes Stream's envelope of an error.
class refusal : public std::exception {
 public:
  refusal(int status, int code, std::string message, std::optional<std::string> field = std::nullopt)
      : status(status), code(code), message(std::move(message)), field(std::move(field)) {}
  const char* what() const noexcept override { return message.c_str(); }

  int status;
  int code;                          // Stream's own
  std::string message;               // without the operation's name, which is put around it
  std::optional<std::string> field;  // for exception_fields
};

// Stream's codes, and the HTTP status that each comes with.
inline refusal bad_input(std::string message) { return {400, 4, std::move(message)}; }
inline refusal does_not_exist(std::string message) { return {404, 16, std::move(message)}; }
inline refusal too_big(std::string message) { return {413, 22, std::move(message)}; }
inline refusal not_allowed() { return {403, 17, "not allowed"}; }

}  // namespace restante::stream_stand_in
