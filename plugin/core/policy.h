// Who one account is and what it may do: what the directory read, compiled once into a form that answers
// without SQL and without allocation.
//
// Verdicts: deny by default; any matching deny wins; else any matching allow grants. A verdict names its
// rule. In filters %u stands for the account, %g for each of its groups in turn, %c for the client id. A
// client id that is empty, begins with `$` or has `+`, `#` or `/` in it matches no %c. An account that is not
// active may nothing.
//
// The record may come from anywhere: groups with bad names are dropped; rules with malformed filters, of
// other subjects or of two subjects are passed over.
//
// Threads: a compiled policy is immutable and may be shared.
#pragma once

#include <array>
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

// "allow everyone publish direct/+/%u/+ (rule 3)"
std::string describe(const rule& which);

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
  std::vector<std::string> services;  // that it is granted: it hears their requests and answers them
  std::vector<rule> rules;            // those of the account, of its groups, and of everyone
  std::vector<std::string> blocked;   // accounts that it wants to hear nothing of
};

struct verdict {
  bool allowed = false;
  const rule* decided_by = nullptr;  // null: no rule did, see `why`. Lives as long as the policy
  std::string_view why = {};         // if no rule decided: the reason, for the log. Lives for ever
  explicit operator bool() const noexcept { return allowed; }
};

// "allowed by: allow everyone publish direct/+/%u/+ (rule 3)", "refused: no rule allows it"
std::string describe(const verdict& which);

class policy {
 public:
  policy(account_record record, const topic_prefix& prefix);
  // Verdicts point into it.
  policy(const policy&) = delete;
  policy& operator=(const policy&) = delete;

  const std::string& name() const noexcept { return record_.name; }
  // Its groups and services are sorted by name.
  const account_record& record() const noexcept { return record_; }
  const membership* member_of(std::string_view group) const noexcept;
  // Whether it is granted the service.
  bool serves(std::string_view service) const noexcept;
  // Whether this account blocks that one.
  bool blocks(std::string_view account) const noexcept;

  // May this account publish to / hear `topic` (prefix included)? Whatever the rules say, on a durable topic
  // nobody publishes in another's name, to a group it is no member of, answers of a service that it is not
  // granted, or in another shape. What it may hear
  // of durable topics is further narrowed, message by message, to what is addressed to it; not here.
  verdict may_publish(std::string_view client_id, std::string_view topic) const noexcept;
  // The same where the topic was parsed before (topic_prefix::parse()).
  verdict may_publish(std::string_view client_id, std::string_view topic,
                      const parsed_topic& parsed) const noexcept;
  verdict may_hear(std::string_view client_id, std::string_view topic) const noexcept;

  // May it subscribe to `filter` (prefix included)? An allow must cover all of the filter; a deny that covers
  // all of it refuses it (one that covers a part is applied to each message by may_hear).
  // `$share/group/filter` is judged by its last part. Whatever the rules say, a filter that names a durable
  // root and reaches beyond the account's own topics is refused, and so is $share of one that can hear any
  // durable topic.
  verdict may_subscribe(std::string_view client_id, std::string_view filter) const noexcept;

 private:
  struct compiled_rule {
    std::string filter;  // %u and %g replaced, prefix added; a NUL byte for each %c
    char first = '\0';   // its first byte: most rules are passed over for that, without a look at the rest
    bool has_client_id = false;
    const rule* origin = nullptr;
  };
  using rule_list = std::vector<compiled_rule>;  // denies first

  void compile(const rule& origin);
  bool is_subject_of(const rule& which) const noexcept;
  verdict refused_by_no_rule() const noexcept;
  template <typename is_concerned>
  verdict judge(const rule_list& rules, std::string_view client_id,
                const is_concerned& concerns) const noexcept;
  verdict judge_topic(const rule_list& rules, std::string_view client_id,
                      std::string_view topic) const noexcept;
  verdict may_listen(std::string_view client_id, std::string_view filter) const noexcept;
  std::string_view what_forbids_publish(const parsed_topic& parsed) const noexcept;
  std::string_view what_forbids_subscribe(std::string_view filter) const noexcept;

  account_record record_;
  topic_prefix prefix_;
  std::array<std::string, durable_roots.size()> all_durable_;  // `direct/#` and so on, prefix included
  rule_list publish_;
  rule_list subscribe_;
};
using shared_policy = std::shared_ptr<const policy>;

// A group's members, for fixing the audience of a message when it is accepted.
struct roster {
  std::string group;
  std::vector<std::string> members;
  bool whole = false;  // false: larger than the group limit, `members` is empty
};

}  // namespace restante
