// What the directory's thread is asked and what it tells the broker's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/policy.h"
#include "core/ports.h"

namespace restante {

// Who is this, and is that its password?
struct lookup {
  std::uint64_t ticket = 0;  // comes back with the answer
  std::string account;
  std::optional<std::string> password;    // none: it is known otherwise who this is
  std::vector<std::string> known_groups;  // whose rosters are not wanted
};

enum class lookup_outcome {
  found,           // active, and the password is right if one was given
  unknown,         // no account of that name
  wrong_password,  // or it has none
  inactive,        // blocked or deleted, and the password is right if one was given
  unavailable,     // not now: the database is away, slow, or asked too much
};

struct lookup_result {
  std::uint64_t ticket = 0;
  lookup_outcome outcome = lookup_outcome::unavailable;
  std::shared_ptr<const account_record> record;  // when found or inactive
  std::vector<roster> rosters;                   // when found: of its groups that were not known
};

// To be read again, if they matter.
struct directory_changed {
  std::vector<std::string> accounts, groups;
  std::vector<std::string>
      profiles;           // accounts of which nothing else changed than what they show of themselves
  bool everyone = false;  // whatever is held of anybody; no names then
};

struct record_loaded {
  std::string account;
  std::shared_ptr<const account_record> record;  // null: there is no such account
};

struct roster_loaded {
  roster members;  // a group that is gone has none
};

struct profile_loaded {
  profile_answer answer;
};

// Connected: said at first and after each directory_lost.
struct directory_ready {};

// Said once for each reason.
struct directory_lost {
  std::string why;
};

using directory_event = std::variant<lookup_result, directory_changed, record_loaded, roster_loaded,
                                     profile_loaded, directory_ready, directory_lost>;

}  // namespace restante
