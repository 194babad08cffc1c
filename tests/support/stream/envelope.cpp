#include "support/stream/envelope.h"

#include <nlohmann/json.hpp>

namespace restante::stream_stand_in {

std::string error_body(int status, int code, const std::string& message,
                       const std::optional<std::string>& field, const std::string& duration) {
  nlohmann::ordered_json body{{"code", code},
                              {"message", message},
                              {"StatusCode", status},
                              {"duration", duration},
                              {"more_info", "https://getstream.io/chat/docs/api_errors_response"},
                              {"details", nlohmann::ordered_json::array()}};
  if (field) body["exception_fields"][*field] = *field + " is a reserved field";
  return body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace restante::stream_stand_in
