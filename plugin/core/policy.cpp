#include "core/policy.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "core/filter.h"
#include "core/levels.h"
#include "core/names.h"

namespace restante {
namespace {

// Stands for %c in a compiled filter: no topic, filter or name can contain it.
constexpr char client_id_mark = '\0';

// `filter` with %u and %g replaced. One pass, so that nothing put in is looked at again.
std::string replace_names(std::string_view filter, std::string_view account, std::string_view group) {
  std::string replaced;
  while (!filter.empty()) {
    const auto placeholder = filter.substr(0, 2);
    std::size_t used = 2;
    if (placeholder == "%u") {
      replaced += account;
    } else if (placeholder == "%g") {
      replaced += group;
    } else if (placeholder == "%c") {
      replaced += client_id_mark;
    } else {
      replaced += filter.front();
      used = 1;
    }
    filter.remove_prefix(used);
  }
  return replaced;
}

// A client chooses its id: it must reach no other level, and no topic of the broker's own.
bool may_stand_in_filter(std::string_view client_id) noexcept {
  return !client_id.empty() && !client_id.starts_with('$') &&
         client_id.find_first_of("+#/") == std::string_view::npos;
}

// Equality of levels where a mark in the first stands for the client id.
struct same_but_for_client_id {
  std::string_view client_id;

  bool operator()(std::string_view literal, std::string_view level) const noexcept {
    for (;;) {
      const auto mark = literal.find(client_id_mark);
      if (mark == std::string_view::npos) return literal == level;
      if (!level.starts_with(literal.substr(0, mark))) return false;
      level.remove_prefix(mark);
      if (!level.starts_with(client_id)) return false;
      level.remove_prefix(client_id.size());
      literal.remove_prefix(mark + 1);
    }
  }
};

// What `filter` asks of the levels behind the prefix; none if it cannot hear anything there, or ends in `#`
// before.
std::optional<std::string_view> behind_prefix(std::string_view filter, std::string_view prefix) noexcept {
  if (prefix.empty()) return filter;
  prefix.remove_suffix(1);  // its `/`
  level_walk wanted(prefix);
  level_walk given(filter);
  for (; !wanted.at_end(); wanted.advance(), given.advance()) {
    if (given.at_end() || (given.here() != "+" && given.here() != wanted.here())) return std::nullopt;
  }
  if (given.at_end()) return std::nullopt;
  return given.rest();
}

}  // namespace

policy::policy(account_record record, const topic_prefix& prefix)
    : record_(std::move(record)), prefix_(prefix) {
  auto& groups = record_.groups;
  std::erase_if(groups, [](const membership& each) { return !is_account_name(each.group); });
  std::sort(groups.begin(), groups.end(),
            [](const membership& one, const membership& other) { return one.group < other.group; });
  std::sort(record_.services.begin(), record_.services.end());
  std::sort(record_.blocked.begin(), record_.blocked.end());
  for (std::size_t i = 0; i < durable_roots.size(); ++i) {
    all_durable_[i] = prefix_.prepend(std::string(durable_roots[i]) + "/#");
  }
  if (!record_.active || !is_account_name(record_.name)) return;
  for (const auto effect : {rule_effect::deny, rule_effect::allow}) {
    for (const auto& each : record_.rules) {
      if (each.effect == effect) compile(each);
    }
  }
}

void policy::compile(const rule& origin) {
  // Names hold no `/`, `+` or `#`, so what is well-formed now remains so.
  if (!is_filter(origin.filter) || !is_subject_of(origin)) return;
  auto& rules = origin.action == rule_action::publish ? publish_ : subscribe_;
  const auto add = [&](std::string_view group) {
    auto filter = replace_names(origin.filter, record_.name, group);
    const bool has_client_id = filter.find(client_id_mark) != std::string::npos;
    if (origin.durable) filter = prefix_.prepend(filter);
    const char first = filter.front();
    rules.push_back({std::move(filter), first, has_client_id, &origin});
  };
  if (origin.filter.find("%g") == std::string::npos) return add({});
  for (const auto& each : record_.groups) add(each.group);
}

bool policy::is_subject_of(const rule& which) const noexcept {
  if (!which.subject_account.empty() && !which.subject_group.empty()) return false;
  if (!which.subject_account.empty()) return which.subject_account == record_.name;
  return which.subject_group.empty() || member_of(which.subject_group) != nullptr;
}

const membership* policy::member_of(std::string_view group) const noexcept {
  const auto& groups = record_.groups;
  const auto found = std::lower_bound(
      groups.begin(), groups.end(), group,
      [](const membership& each, std::string_view name) { return std::string_view(each.group) < name; });
  return found != groups.end() && found->group == group ? &*found : nullptr;
}

bool policy::serves(std::string_view service) const noexcept {
  return std::binary_search(record_.services.begin(), record_.services.end(), service, std::less<>());
}

bool policy::blocks(std::string_view account) const noexcept {
  return std::binary_search(record_.blocked.begin(), record_.blocked.end(), account, std::less<>());
}

verdict policy::refused_by_no_rule() const noexcept {
  if (!record_.active) return {false, nullptr, "the account is not active"};
  if (!is_account_name(record_.name)) return {false, nullptr, "the account's name is not an account name"};
  return {false, nullptr, "no rule allows it"};
}

// `concerns(rule, same)`: whether this rule speaks of what is asked.
template <typename is_concerned>
verdict policy::judge(const rule_list& rules, std::string_view client_id,
                      const is_concerned& concerns) const noexcept {
  const same_but_for_client_id same{client_id};
  for (const auto& each : rules) {
    if (each.has_client_id && !may_stand_in_filter(client_id)) continue;
    if (concerns(each, same)) return {each.origin->effect == rule_effect::allow, each.origin, {}};
  }
  return refused_by_no_rule();
}

verdict policy::judge_topic(const rule_list& rules, std::string_view client_id,
                            std::string_view topic) const noexcept {
  return judge(rules, client_id, [topic](const compiled_rule& each, const auto& same) {
    if (begin_apart(each.first, topic.front())) return false;
    return each.has_client_id ? filter_matches_by(each.filter, topic, same)
                              : filter_matches(each.filter, topic);
  });
}

verdict policy::may_publish(std::string_view client_id, std::string_view topic) const noexcept {
  return may_publish(client_id, topic, prefix_.parse(topic));
}

verdict policy::may_publish(std::string_view client_id, std::string_view topic,
                            const parsed_topic& parsed) const noexcept {
  // One of a durable shape is made of names, which are stricter.
  const bool has_shape =
      !std::holds_alternative<ordinary_topic>(parsed) && !std::holds_alternative<malformed_topic>(parsed);
  if (!has_shape && !is_topic(topic)) return {false, nullptr, "not a well-formed topic"};
  const auto judged = judge_topic(publish_, client_id, topic);
  if (!judged.allowed && judged.decided_by != nullptr) return judged;
  const auto forbidden = what_forbids_publish(parsed);
  return forbidden.empty() ? judged : verdict{false, nullptr, forbidden};
}

std::string_view policy::what_forbids_publish(const parsed_topic& parsed) const noexcept {
  if (std::holds_alternative<ordinary_topic>(parsed)) return {};
  if (const auto* malformed = std::get_if<malformed_topic>(&parsed)) return malformed->why;
  if (const auto* answer = std::get_if<answer_topic>(&parsed)) {
    return serves(answer->name) ? "" : "the account is not granted the service";
  }
  if (std::holds_alternative<profile_topic>(parsed)) return "the broker alone publishes profiles";
  if (!same_name(speaker(parsed), record_.name)) return "the topic names another account as its sender";
  if (const auto* group = std::get_if<group_topic>(&parsed);
      group != nullptr && member_of(group->group) == nullptr) {
    return "the account is not a member of the group";
  }
  return {};
}

verdict policy::may_hear(std::string_view client_id, std::string_view topic) const noexcept {
  if (!is_topic(topic)) return {false, nullptr, "not a well-formed topic"};
  return judge_topic(subscribe_, client_id, topic);
}

verdict policy::may_subscribe(std::string_view client_id, std::string_view filter) const noexcept {
  if (first_level(filter) != "$share") {
    if (!is_filter(filter)) return {false, nullptr, "not a well-formed filter"};
    return may_listen(client_id, filter);
  }
  level_walk walk(filter);
  walk.advance();
  const auto group = walk.at_end() ? std::string_view{} : walk.here();
  if (!walk.at_end()) walk.advance();
  if (!is_topic(group) || walk.at_end() || !is_filter(walk.rest())) {
    return {false, nullptr, "not of the form $share/{group}/{filter}"};
  }
  for (const auto& each : all_durable_) {
    if (filters_overlap(walk.rest(), each))
      return {false, nullptr, "durable topics cannot be shared by $share"};
  }
  return may_listen(client_id, walk.rest());
}

verdict policy::may_listen(std::string_view client_id, std::string_view filter) const noexcept {
  const auto judged = judge(subscribe_, client_id, [filter](const compiled_rule& wide, const auto& same) {
    return filter_covers_by(wide.filter, filter, same);
  });
  if (!judged.allowed && judged.decided_by != nullptr) return judged;
  const auto forbidden = what_forbids_subscribe(filter);
  return forbidden.empty() ? judged : verdict{false, nullptr, forbidden};
}

// Ownership is a matter of shape, so that no rule of an operator opens another's mail.
std::string_view policy::what_forbids_subscribe(std::string_view filter) const noexcept {
  const auto behind = behind_prefix(filter, prefix_.text());
  if (!behind) return {};
  level_walk walk(*behind);
  const auto root = walk.here();
  if (!is_durable_root(root)) return {};
  if (root == "ack") return "nobody subscribes to acknowledgements";
  if (root == "profile") {
    const auto parsed = parse_topic(*behind);
    return std::holds_alternative<profile_topic>(parsed) ? ""
                                                         : "a profile is subscribed to by its exact name";
  }
  walk.advance();
  const auto owner = walk.at_end() ? std::string_view{} : walk.here();
  if (root == "group") {
    return member_of(owner) != nullptr ? "" : "the filter reaches beyond the account's own groups";
  }
  if (root == "service") return serves(owner) ? "" : "the account is not granted the service";
  return owner == record_.name ? "" : "the filter reaches beyond the account's own topics";
}

std::string describe(const rule& which) {
  std::string text = which.effect == rule_effect::allow ? "allow " : "deny ";
  if (!which.subject_account.empty()) {
    text += "user " + which.subject_account;
  } else if (!which.subject_group.empty()) {
    text += "group " + which.subject_group;
  } else {
    text += "everyone";
  }
  text += which.action == rule_action::publish ? " publish " : " subscribe ";
  return text + which.filter + " (rule " + std::to_string(which.id) + ")";
}

std::string describe(const verdict& which) {
  const std::string text = which.allowed ? "allowed" : "refused";
  if (which.decided_by != nullptr) return text + " by: " + describe(*which.decided_by);
  return text + ": " + std::string(which.why);
}

}  // namespace restante
