// Percent-encoding (RFC 3986): all bytes but A-Z a-z 0-9 - . _ ~ as %XX.
#pragma once

#include <string>
#include <string_view>

namespace restante {

std::string percent_encode(std::string_view text);

}  // namespace restante
