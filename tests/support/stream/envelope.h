// The shape of all that Stream says when it refuses.
#pragma once

#include <optional>
#include <string>

namespace restante::stream_stand_in {

std::string error_body(int status, int code, const std::string& message,
                       const std::optional<std::string>& field, const std::string& duration);

}  // namespace restante::stream_stand_in
