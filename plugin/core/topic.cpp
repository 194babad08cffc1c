#include "core/topic.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "core/levels.h"
#include "core/names.h"

namespace restante {
namespace {

// The levels of `topic` if there are exactly so many.
template <std::size_t count>
std::optional<std::array<std::string_view, count>> split(std::string_view topic) noexcept {
  std::array<std::string_view, count> levels;
  level_walk walk(topic);
  for (auto& level : levels) {
    if (walk.at_end()) return std::nullopt;
    level = walk.here();
    walk.advance();
  }
  if (!walk.at_end()) return std::nullopt;
  return levels;
}

parsed_topic parse_direct(std::string_view topic) noexcept {
  const auto levels = split<4>(topic);
  if (!levels) return malformed_topic{"not of the four levels direct/{to}/{from}/{id}"};
  const auto& [root, to, from, id] = *levels;
  if (!is_account_name(to)) return malformed_topic{"direct/{to}/{from}/{id}: {to} is not an account name"};
  if (!is_account_name(from))
    return malformed_topic{"direct/{to}/{from}/{id}: {from} is not an account name"};
  if (!is_message_id(id)) return malformed_topic{"direct/{to}/{from}/{id}: {id} is not a message id"};
  return direct_topic{to, from, id};
}

parsed_topic parse_group(std::string_view topic) noexcept {
  const auto levels = split<4>(topic);
  if (!levels) return malformed_topic{"not of the four levels group/{group}/{from}/{id}"};
  const auto& [root, group, from, id] = *levels;
  if (!is_account_name(group))
    return malformed_topic{"group/{group}/{from}/{id}: {group} is not a group name"};
  if (!is_account_name(from))
    return malformed_topic{"group/{group}/{from}/{id}: {from} is not an account name"};
  if (!is_message_id(id)) return malformed_topic{"group/{group}/{from}/{id}: {id} is not a message id"};
  return group_topic{group, from, id};
}

parsed_topic parse_acknowledge(std::string_view topic) noexcept {
  const auto levels = split<2>(topic);
  if (!levels) return malformed_topic{"not of the two levels ack/{me}"};
  const auto& [root, by] = *levels;
  if (!is_account_name(by)) return malformed_topic{"ack/{me}: {me} is not an account name"};
  return acknowledge_topic{by};
}

parsed_topic parse_receipt(std::string_view topic) noexcept {
  const auto levels = split<4>(topic);
  if (!levels) return malformed_topic{"not of the four levels receipt/{from}/{by}/{id}"};
  const auto& [root, from, by, id] = *levels;
  if (!is_account_name(from))
    return malformed_topic{"receipt/{from}/{by}/{id}: {from} is not an account name"};
  if (!is_account_name(by)) return malformed_topic{"receipt/{from}/{by}/{id}: {by} is not an account name"};
  if (!is_message_id(id)) return malformed_topic{"receipt/{from}/{by}/{id}: {id} is not a message id"};
  return receipt_topic{from, by, id};
}

parsed_topic parse_service(std::string_view topic) noexcept {
  const auto levels = split<4>(topic);
  if (!levels) return malformed_topic{"not of the four levels service/{name}/{from}/{id}"};
  const auto& [root, name, from, id] = *levels;
  if (!is_account_name(name))
    return malformed_topic{"service/{name}/{from}/{id}: {name} is not a name of a service"};
  if (!is_account_name(from))
    return malformed_topic{"service/{name}/{from}/{id}: {from} is not an account name"};
  if (!is_message_id(id)) return malformed_topic{"service/{name}/{from}/{id}: {id} is not a message id"};
  return request_topic{name, from, id};
}

parsed_topic parse_answer(std::string_view topic) noexcept {
  const auto levels = split<4>(topic);
  if (!levels) return malformed_topic{"not of the four levels answer/{to}/{name}/{id}"};
  const auto& [root, to, name, id] = *levels;
  if (!is_account_name(to)) return malformed_topic{"answer/{to}/{name}/{id}: {to} is not an account name"};
  if (!is_account_name(name))
    return malformed_topic{"answer/{to}/{name}/{id}: {name} is not a name of a service"};
  if (!is_message_id(id)) return malformed_topic{"answer/{to}/{name}/{id}: {id} is not a message id"};
  return answer_topic{to, name, id};
}

parsed_topic parse_profile(std::string_view topic) noexcept {
  const auto levels = split<2>(topic);
  if (!levels) return malformed_topic{"not of the two levels profile/{account}"};
  const auto& [root, account] = *levels;
  if (!is_account_name(account))
    return malformed_topic{"profile/{account}: {account} is not an account name"};
  return profile_topic{account};
}

}  // namespace

parsed_topic parse_topic(std::string_view topic) noexcept {
  const auto root = first_level(topic);
  if (root == "direct") return parse_direct(topic);
  if (root == "group") return parse_group(topic);
  if (root == "ack") return parse_acknowledge(topic);
  if (root == "receipt") return parse_receipt(topic);
  if (root == "service") return parse_service(topic);
  if (root == "answer") return parse_answer(topic);
  if (root == "profile") return parse_profile(topic);
  return ordinary_topic{};
}

std::string_view key_text(const parsed_topic& topic) noexcept {
  // They stand side by side in the text that was parsed.
  const auto from_to_id = [](const auto& parts) {
    return std::string_view(parts.from.data(), parts.from.size() + 1 + parts.id.size());
  };
  if (const auto* direct = std::get_if<direct_topic>(&topic)) return from_to_id(*direct);
  if (const auto* group = std::get_if<group_topic>(&topic)) return from_to_id(*group);
  if (const auto* request = std::get_if<request_topic>(&topic)) return from_to_id(*request);
  return {};
}

std::string_view speaker(const parsed_topic& topic) noexcept {
  if (const auto* direct = std::get_if<direct_topic>(&topic)) return direct->from;
  if (const auto* group = std::get_if<group_topic>(&topic)) return group->from;
  if (const auto* acknowledge = std::get_if<acknowledge_topic>(&topic)) return acknowledge->by;
  if (const auto* receipt = std::get_if<receipt_topic>(&topic)) return receipt->by;
  if (const auto* request = std::get_if<request_topic>(&topic)) return request->from;
  return {};
}

bool is_kept_until_handed_over(const parsed_topic& topic) noexcept {
  return std::holds_alternative<receipt_topic>(topic) || std::holds_alternative<answer_topic>(topic);
}

bool is_kept_until_handed_over(std::string_view topic) noexcept {
  const auto root = first_level(topic);
  return root == "receipt" || root == "answer";
}

bool is_durable_root(std::string_view first_level) noexcept {
  return std::find(durable_roots.begin(), durable_roots.end(), first_level) != durable_roots.end();
}

std::string_view first_level(std::string_view topic_or_filter) noexcept {
  return topic_or_filter.substr(0, topic_or_filter.find('/'));
}

topic_prefix::topic_prefix(std::string_view text) : text_(text) {
  if (!text_.empty() && !text_.ends_with('/')) text_ += '/';
}

topic_prefix::stripped topic_prefix::strip(std::string_view topic_or_filter) const noexcept {
  if (!topic_or_filter.starts_with(text_)) return {topic_or_filter, false};
  return {topic_or_filter.substr(text_.size()), true};
}

parsed_topic topic_prefix::parse(std::string_view topic) const noexcept {
  const auto [rest, inside] = strip(topic);
  return inside ? parse_topic(rest) : ordinary_topic{};
}

std::string topic_prefix::prepend(std::string_view topic) const { return text_ + std::string(topic); }

}  // namespace restante
