// The beginning of a PUBLISH of MQTT 5 on the wire, up to its payload (MQTT 5, section 3.3.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace restante {

struct publish_head {
  enum class form { whole, cut_off, malformed };
  form is = form::malformed;
  std::size_t bytes = 0;   // where the payload begins; if cut off: at least so many are wanted
  std::string_view topic;  // empty: an alias stands for it
  std::optional<std::uint32_t> expiry_s;
};

// `bytes`: from behind the fixed header on; what comes after the head may be anything.
publish_head parse_publish_head(std::string_view bytes, int qos) noexcept;

}  // namespace restante
