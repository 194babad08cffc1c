// The ids behind accounts' names, so that most statements need not look them up: nobody is ever renamed, and
// no name is given twice.
//
// Ids are those of one server: after another has taken over they may be others', so forget() with each
// connection. Whether an account may have mail is not asked here: statements judge that when they store.
//
// Bounds: about `capacity` names, and beyond that what one batch speaks of. Threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "postgres/connection.h"

namespace restante {

struct account_place {
  std::int64_t account_id = 0;
  std::int64_t mailbox_id = 0;
};

class account_ids {
 public:
  explicit account_ids(std::size_t capacity = 16'384) : capacity_(capacity) {}

  // Looks up what is not known yet, in one round trip if there is any. Only what was asked for since the last
  // forget_some() is sure to be there.
  result<void> look_up(connection& in, const std::vector<std::string_view>& names);

  // Null: no account has this name.
  const account_place* find(std::string_view name);

  void forget();
  void forget_some();  // what was not asked for lately, if there is too much
  std::size_t size() const noexcept { return recent_.size() + older_.size(); }

 private:
  struct name_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept {
      return std::hash<std::string_view>{}(name);
    }
  };
  using places = std::unordered_map<std::string, account_place, name_hash, std::equal_to<>>;
  const std::size_t capacity_;
  places recent_, older_;
};

}  // namespace restante
