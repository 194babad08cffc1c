// MQTT topic names and filters (MQTT 5, section 4.7). No allocation anywhere.
#pragma once

#include <string_view>

namespace restante {

// A well-formed topic name: 1 to 65,535 bytes of UTF-8 without NUL, `+` or `#`.
bool is_topic(std::string_view topic) noexcept;

// A well-formed filter; `$share/group/filter` is not one here.
bool is_filter(std::string_view filter) noexcept;

// Whether a subscription to `filter` hears `topic`. A wildcard in the first level does not hear topics that
// begin with `$`. Both must be well-formed.
bool filter_matches(std::string_view filter, std::string_view topic) noexcept;

// Whether `wide` hears everything that `narrow` can hear.
bool filter_covers(std::string_view wide, std::string_view narrow) noexcept;

// Whether some topic is heard by both.
bool filters_overlap(std::string_view one, std::string_view other) noexcept;

}  // namespace restante
