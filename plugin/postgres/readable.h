// Text that anybody may have sent, for logs and for tables that take no other.
#pragma once

#include <string>
#include <string_view>

namespace restante {

// Whatever is not printable ASCII or well-formed UTF-8 becomes `?`.
std::string readable(std::string_view text);

}  // namespace restante
