// What requests over MQTT need of the database: changing an account's own profile, once for each request, and
// looking an account up.
//
// Threads: one, but for interrupt() and is_reachable().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/core/ports.h"
#include "bridge/core/profile.h"
#include "bridge/core/profile_request.h"
#include "bridge/store/database_link.h"

namespace restante {

struct profile_changed {
  std::int64_t version = 0;
  bool repeated = false;  // this request had been done before, and nothing was changed now
};
enum class change_refusal { no_such_account, blocked, deleted, value };

class profile_store {
 public:
  struct outcome {
    std::optional<profile_changed> done;
    change_refusal refused = change_refusal::no_such_account;  // when not done
    std::string why;                                           // of `value`: what PostgreSQL says
  };

  // `log` outlives the store.
  profile_store(std::string database, bridge_log& log);

  // Changes the account's profile, unless request `id` did so before, and remembers the answer, in one
  // transaction. No value: the database cannot be reached just now; the same may be tried again, and is done
  // once.
  std::optional<outcome> change(std::string_view account, std::string_view id, const profile_change& wanted);

  struct found {
    bool is_there = false;
    account_status status = account_status::deleted;
  };
  // No value: the database cannot be reached just now.
  std::optional<found> find(std::string_view account);

  void interrupt() { link_.interrupt(); }
  bool is_reachable() const noexcept { return link_.is_reachable(); }

 private:
  database_link link_;
};

}  // namespace restante
