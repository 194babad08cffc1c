#include "reference.h"

#include <algorithm>

#include "core/topic.h"

namespace restante::model {

bool reference::is_receipt(const message& what) { return first_level(what.topic) == "receipt"; }

bool reference::is_until_handed_over(const message& what) { return is_kept_until_handed_over(what.topic); }

void reference::accepted(const message& what, const std::set<std::string>& audience, bool open) {
  record made{what, {}, open};
  for (const auto& each : audience) made.audience.emplace(each, fate::waits);
  if (is_receipt(what)) {
    // A later receipt replaces a waiting one of the same topic.
    if (const auto earlier = newest_on(what.topic)) {
      for (auto& [account, state] : messages_.at(*earlier).audience) {
        if (state == fate::waits) state = fate::withdrawn;
      }
    }
  } else if (is_until_handed_over(what)) {
    if (by_topic_.contains(what.topic)) violate("accepted a second answer of one topic: " + what.topic);
  } else if (!by_key_.emplace(what.key, what.number).second) {
    violate("accepted a second message of one name: " + what.topic);
  }
  if (!messages_.empty() && what.number <= messages_.rbegin()->first)
    violate("numbers do not grow: " + what.topic);
  by_topic_[what.topic] = what.number;
  messages_.emplace(what.number, std::move(made));
}

void reference::joined(const std::string& account, const std::string& group, message_number stored_through) {
  for (auto& [number, each] : messages_) {
    if (!each.open || number <= stored_through || each.what.key.sender == account) continue;
    if (!each.what.topic.starts_with("group/" + group + '/')) continue;
    // What it has acknowledged already, when it was no member, may or may not come.
    const bool is_early = early_.contains({account, each.what.key});
    each.audience.emplace(account, is_early ? fate::withdrawn : fate::waits);
  }
}

void reference::acknowledged(const std::string& account, const message_key& key) {
  const auto number = number_of(key);
  if (!number) return;
  auto& audience = messages_.at(*number).audience;
  const auto found = audience.find(account);
  if (found == audience.end()) early_.emplace(account, key);
  if (found != audience.end() && found->second != fate::handed_off) found->second = fate::acknowledged;
}

void reference::expired(const std::string& account, message_number number) {
  auto& state = messages_.at(number).audience.at(account);
  if (state == fate::waits) state = fate::expired;
}

void reference::moved(message_number number, const std::string& account) {
  auto& audience = messages_.at(number).audience;
  for (auto& [name, state] : audience) {
    if (name != account && state == fate::waits) state = fate::withdrawn;
  }
  if (account.empty()) return;
  const auto [place, is_new] = audience.emplace(account, fate::waits);
  const bool is_owed = is_new && !early_.contains({account, messages_.at(number).what.key});
  if (is_owed || (!is_new && place->second == fate::waits)) return;
  // It had it before, and may have acknowledged it since: it may hear it again and need not.
  place->second = fate::expired;
}

void reference::withdrew(const std::string& account, const std::string& group) {
  for (auto& [number, each] : messages_) {
    if (!each.what.topic.starts_with("group/" + group + '/')) continue;
    const auto found = each.audience.find(account);
    if (found != each.audience.end() && found->second == fate::waits) found->second = fate::withdrawn;
  }
}

void reference::forgot_acknowledgement(const std::string& account, message_number number) {
  auto& state = messages_.at(number).audience.at(account);
  if (state == fate::acknowledged || state == fate::handed_off) state = fate::waits;
}

void reference::handed_over(const std::string& account, message_number number, std::uintptr_t,
                            const memberships& groups, bool handoff) {
  const auto found = messages_.find(number);
  if (found == messages_.end()) {
    return violate("handed over what was never accepted: " + std::to_string(number) + " to " + account);
  }
  record& what = found->second;
  const auto name = name_of(number) + " to " + account;
  const auto state = what.audience.find(account);
  if (state == what.audience.end()) return violate("outside the audience: " + name);
  switch (state->second) {
    case fate::waits:
    case fate::expired:  // it was on its way when it expired
      break;
    case fate::acknowledged:
      return violate("acknowledged before: " + name);
    case fate::handed_off:
      // Another device of the account may hear it too, while it is the newest.
      if (what.heard_at != messages_.rbegin()->first) violate("handed off before: " + name);
      break;
    case fate::withdrawn: {
      const auto parsed = parse_topic(what.what.topic);
      const auto* group = std::get_if<group_topic>(&parsed);
      const bool is_member = group != nullptr && groups.at(std::string(group->group)).contains(account);
      if (!is_member && !is_receipt(what.what)) violate("withdrawn before: " + name);
      break;
    }
  }
  if (is_until_handed_over(what.what) || handoff) {
    if (state->second == fate::waits) state->second = fate::handed_off;
    if (what.heard_at == 0) what.heard_at = messages_.rbegin()->first;
  }
}

void reference::heard_live(const std::string& account, const std::string& topic, const memberships& groups,
                           const std::string& granted) {
  const auto parsed = parse_topic(topic);
  bool may = false;
  if (const auto* direct = std::get_if<direct_topic>(&parsed)) may = direct->to == account;
  if (const auto* told = std::get_if<receipt_topic>(&parsed)) may = told->from == account;
  if (const auto* answer = std::get_if<answer_topic>(&parsed)) may = answer->to == account;
  if (std::holds_alternative<request_topic>(parsed)) may = account == granted;
  if (const auto* group = std::get_if<group_topic>(&parsed)) {
    may = group->from != account && groups.at(std::string(group->group)).contains(account);
  }
  if (!may) violate("heard by somebody outside the audience: " + topic + " by " + account);
}

void reference::heard_unkept(const std::string& account, const message_key& key, const std::string& topic,
                             std::size_t remembered) {
  auto& lately = unkept_[account];
  if (!lately.empty() && lately.back().topic == topic) return;  // by another device
  lately.push_back({key, topic});
  if (lately.size() > remembered) lately.erase(lately.begin());
  all_unkept_[account].push_back({key, topic});
}

void reference::left(const std::string& account) { unkept_.erase(account); }

bool reference::may_tell(const std::string& account, const message_key& key) const {
  const auto passes = [](const std::string& topic) { return !topic.starts_with("group/town/"); };
  const auto number = number_of(key);
  if (number && is_for(account, *number) && passes(what(*number).topic)) return true;
  const auto heard = all_unkept_.find(account);
  return heard != all_unkept_.end() &&
         std::any_of(heard->second.begin(), heard->second.end(),
                     [&](const unkept& each) { return each.key == key && passes(each.topic); });
}

bool reference::must_tell(const std::string& account, const message_key& key,
                          const memberships& groups) const {
  const auto passes = [&](const std::string& topic) {
    return !topic.starts_with("group/town/") &&
           (!topic.starts_with("group/crew/") || groups.at("crew").contains(account));
  };
  // What is held goes by the group that it was kept for.
  const auto number = number_of(key);
  if (number && !passes(what(*number).topic)) return false;
  const auto heard = unkept_.find(account);
  if (heard == unkept_.end()) return false;
  const auto newest = std::find_if(heard->second.rbegin(), heard->second.rend(),
                                   [&](const unkept& each) { return each.key == key; });
  return newest != heard->second.rend() && passes(newest->topic);
}

bool reference::waits(const std::string& account, const message_key& key) const {
  const auto number = number_of(key);
  if (!number) return false;
  const auto& audience = messages_.at(*number).audience;
  const auto found = audience.find(account);
  return found != audience.end() && found->second == fate::waits;
}

bool reference::may_be_acknowledged(const std::string& account, const message_key& key) const {
  const auto number = number_of(key);
  return number && is_for(account, *number) && !was_acknowledged(account, *number);
}

bool reference::is_for(const std::string& account, message_number number) const {
  return messages_.at(number).audience.contains(account);
}

bool reference::was_acknowledged(const std::string& account, message_number number) const {
  const auto& audience = messages_.at(number).audience;
  const auto state = audience.find(account);
  return state != audience.end() &&
         (state->second == fate::acknowledged || state->second == fate::handed_off);
}

std::optional<message_number> reference::number_of(const message_key& key) const {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return std::nullopt;
  return found->second;
}

std::optional<message_number> reference::newest_on(const std::string& topic) const {
  const auto found = by_topic_.find(topic);
  if (found == by_topic_.end()) return std::nullopt;
  return found->second;
}

std::string reference::name_of(message_number number) const {
  return messages_.at(number).what.topic + " (" + std::to_string(number) + ")";
}

std::vector<message_number> reference::owed_to(const std::string& account) const {
  std::vector<message_number> owed;
  for (const auto& [number, each] : messages_) {
    const auto found = each.audience.find(account);
    if (found != each.audience.end() && found->second == fate::waits) owed.push_back(number);
  }
  return owed;
}

}  // namespace restante::model
