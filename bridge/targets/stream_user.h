// What Stream is told of an account: a whole user for an upsert, or the fields that are ours for a partial
// update. What Stream would refuse is found here, so that no request is spent on it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bridge/core/profile.h"

namespace restante {

inline constexpr std::size_t longest_stream_custom_bytes = 5'120;

struct stream_user {
  std::string json;     // compact, keys sorted
  std::string problem;  // one line; not empty: Stream would not take it
};

// Everything we know of it. Sent for a whole upsert, which removes what is not in it; so role and teams are
// always there, as nobody knows what becomes of them otherwise.
stream_user whole_user(std::string_view id, const profile& shown);

// Fields that may be ours in a partial update: name, image, language, role, teams, custom.KEY. What is wrong
// with `field`, or empty.
std::string problem_of_owned_field(std::string_view field);

// {"id":…,"set":{…},"unset":[…]} of `owned`. Keys stay flat, custom ones too.
stream_user owned_fields(std::string_view id, const profile& shown, const std::vector<std::string>& owned);
// A whole user with nothing but `owned`, to make one that is not there.
stream_user new_user_of_owned(std::string_view id, const profile& shown,
                              const std::vector<std::string>& owned);

}  // namespace restante
