// Who subscribes to whose profile, and what they were given: on subscription, and when it has changed.
//
// A profile is asked for with the names of all who are to have it, and the answer says which of them its
// account blocks, as of the moment when it was read; so who is blocked hears nothing and cannot tell why.
// However often a profile changes while it is asked for, it is asked for once more. At most so many are asked
// for at a time; the others wait here, each once, so there are never more than subscriptions.
//
// Threads: the broker's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/ports.h"
#include "core/session.h"
#include "core/string_map.h"

namespace restante {

class profile_desk {
 public:
  static constexpr std::size_t asked_at_once = 64;

  // Subscribed, once more too: the profile is given, whether or not this session had it before.
  void watch(session_handle reader, std::string_view account);
  void unwatch(session_handle reader, std::string_view account);
  // Perhaps: those that nobody watches are passed over.
  void changed(const std::vector<std::string>& accounts);
  void changed_all();

  // Asks for what is wanted; `account_of` names a reader's account, empty if it is gone.
  void ask(profile_source& source, const std::function<std::string(session_handle)>& account_of);
  // `give` is called with each reader that is to have the answer.
  void answered(const profile_answer& answer, const std::function<void(session_handle)>& give,
                const std::function<std::string(session_handle)>& account_of);

  std::size_t watched() const noexcept { return watched_.size(); }

 private:
  struct reader_state {
    std::int64_t given_version = 0;  // 0: none, or it is to be given again
    bool is_asked_for = false;       // named in the request under way
  };
  struct profile_state {
    std::unordered_map<session_handle, reader_state> readers;
    bool is_wanted = false;  // stands in wanted_
    bool is_asked = false;   // a request is under way
  };

  void want(const std::string& account, profile_state& state);

  string_map<profile_state> watched_;
  std::deque<std::string> wanted_;
  std::size_t asked_ = 0;
};

}  // namespace restante
