// Who one account is and what it may do: what the directory read, compiled once into a form that answers without
// SQL and without allocation.
//
// Verdicts: deny by default; any matching deny wins; else any matching allow grants. A verdict names its rule.
// In filters %u stands for the account, %g for each of its groups in turn, %c for the client id. A client id
// with `+`, `#` or `/` in it matches no %c.
//
// Threads: a compiled policy is immutable and may be shared.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "topic.h"

namespace restante {

enum class rule_effect { allow, deny };
enum class rule_action { publish, subscribe };

struct rule {
  std::int64_t id = 0;
  rule_effect effect = rule_effect::deny;
  rule_action action = rule_action::publish;
  std::string filter;           // as written, with its placeholders
  bool durable = false;         // moves with the topic prefix
  std::string subject_account;  // at most one of these two; none: everyone
  std::string subject_group;
};

struct membership {
  std::string group;
  bool admin = false;
  bool passes_receipts = true;  // as the group is set, or by its size
};

enum class acknowledge_mode { automatic, receipt, puback, handoff };

// One account as read from the directory in one round trip.
struct account_record {
  std::int64_t id = 0;
  std::string name;
  bool active = false;  // neither blocked nor deleted
  std::optional<std::string> password_hash;
  std::optional<acknowledge_mode> acknowledge;  // none: the broker's option
  bool has_acknowledged = false;
  std::vector<membership> groups;
  std::vector<rule> rules;  // those of the account, of its groups, and of everyone
};

struct verdict {
  bool allowed = false;
  const rule* decided_by = nullptr;  // null: no rule speaks of it. Lives as long as the policy
  explicit operator bool() const noexcept { return allowed; }
};

class policy {
 public:
  policy(account_record record, const topic_prefix& prefix);

  const std::string& name() const noexcept { return record_.name; }
  const account_record& record() const noexcept { return record_; }
  const membership* member_of(std::string_view group) const noexcept;

  // May this account publish to / hear `topic` (prefix included)?
  verdict may_publish(std::string_view client_id, std::string_view topic) const noexcept;
  verdict may_hear(std::string_view client_id, std::string_view topic) const noexcept;

  // May it subscribe to `filter` (prefix included)? An allow must cover all of the filter; a deny that covers all
  // of it refuses it (one that covers a part is applied to each message by may_hear). Whatever the rules say, a filter that names a durable root and
  // reaches beyond the account's own topics is refused, and so is $share of one.
  verdict may_subscribe(std::string_view client_id, std::string_view filter) const noexcept;

 private:
  struct compiled_rule {
    std::string filter;  // %u and %g replaced, prefix added; %c left
    bool has_client_id = false;
    const rule* origin = nullptr;
  };
  verdict judge(const std::vector<compiled_rule>& rules, std::string_view client_id,
                std::string_view topic) const noexcept;

  account_record record_;
  topic_prefix prefix_;
  std::vector<compiled_rule> publish_;    // denies first
  std::vector<compiled_rule> subscribe_;  // denies first
};
using shared_policy = std::shared_ptr<const policy>;

// A group's members, for fixing the audience of a message when it is accepted.
struct roster {
  std::string group;
  std::vector<std::string> members;
  bool whole = false;  // false: larger than the group limit, `members` is empty
};

}  // namespace restante
