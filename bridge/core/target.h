// One external service that is to have every account's profile: what it has to be asked, and what its answers
// mean. Knows nothing of time, retries or the database: that is the engine's.
//
// An account is brought to where it is wanted step by step. The engine asks for the next step, sends it,
// takes over what the service then has (`remote`, `hash`), and asks again, until there is nothing left to do.
// Every step may be repeated: a request may have been taken although no answer came.
//
// Threads: those of its engine.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/core/http.h"
#include "bridge/core/sync_job.h"

namespace restante {

// One kind of request. Each has a rate-limit budget of its own.
struct target_operation {
  std::string_view name;                // for metrics and logs; lives for ever
  std::size_t batch = 1;                // most accounts in one request
  std::size_t batch_bytes = 1'000'000;  // most bytes of `content` in one request, but for a single account
};

// What is to be done next for one account.
struct sync_step {
  enum class kind {
    none,     // nothing: the service has what is wanted
    request,  // one request of `operation`
    refuse,   // nothing can be done until the profile changes: parked with `why`
    gone,     // nothing can be done ever
  };
  kind what = kind::none;
  std::size_t operation = 0;  // index into operations()
  std::string content = {};   // this account's part of the request, the target's own business
  remote_state remote = remote_state::unknown;  // what the service has of it afterwards
  std::string hash = {};                        // of what the service has afterwards; empty: in doubt
  std::string why = {};
};

struct sync_item {
  sync_job job = {};  // remote and synced_hash are kept up to date by the engine
  sync_step step = {};
};

// What an answer means.
enum class answer_kind {
  done,          // all accounts of the request are as wanted
  started,       // they will be: ask task_request(task) until it says so
  running,       // of a task: not yet
  refused,       // at least one account is bad as it is; none was taken
  failed,        // as refused, but may go well another time
  deleted,       // an account was deleted there for good; none was taken
  deactivated,   // an account is deactivated there, and cannot be changed so; none was taken
  missing,       // an account is not there, against what was known; none was taken
  forbidden,     // our credentials do not allow it, or not for an account
  rate_limited,  // the budget is spent
  unavailable,   // the service as a whole does not work
  credentials,   // the service does not accept ours
};

struct sync_answer {
  answer_kind what = answer_kind::unavailable;
  std::string error = {};                   // one line, fit for an operator
  std::optional<std::size_t> culprit = {};  // a hint which account it was, by index
  std::string task = {};                    // of started
  // done: what is there of each account, by index, where that is the answer. Empty: as the steps said.
  std::vector<remote_state> found = {};
};

class target {
 public:
  virtual ~target() = default;
  virtual std::span<const target_operation> operations() const = 0;
  virtual sync_step next_step(const sync_job& job) const = 0;
  // One request for all items, which are of one operation and within its limits.
  virtual http_request request(std::size_t operation, std::span<const sync_item> items) const = 0;
  virtual http_request task_request(std::string_view task) const = 0;
  // `response` to request() of these items; or, with `of_task`, to task_request() of a task they started.
  virtual sync_answer judge(std::size_t operation, std::span<const sync_item> items,
                            const http_response& response, bool of_task) const = 0;
  // The service said `credentials`: sign anew.
  virtual void renew_credentials() = 0;
  // What an operator should do when renewing did not help; one line.
  virtual std::string_view credentials_remedy() const = 0;
};

}  // namespace restante
