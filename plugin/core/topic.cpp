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

// What is wrong with a topic of four levels of which the last is an id and the two before are names.
struct wording {
  std::string_view levels, first, second, id;
};

constexpr wording of_direct{"not of the four levels direct/{to}/{from}/{id}",
                            "direct/{to}/{from}/{id}: {to} is not an account name",
                            "direct/{to}/{from}/{id}: {from} is not an account name",
                            "direct/{to}/{from}/{id}: {id} is not a message id"};
constexpr wording of_group{"not of the four levels group/{group}/{from}/{id}",
                           "group/{group}/{from}/{id}: {group} is not a group name",
                           "group/{group}/{from}/{id}: {from} is not an account name",
                           "group/{group}/{from}/{id}: {id} is not a message id"};
constexpr wording of_receipt{"not of the four levels receipt/{from}/{by}/{id}",
                             "receipt/{from}/{by}/{id}: {from} is not an account name",
                             "receipt/{from}/{by}/{id}: {by} is not an account name",
                             "receipt/{from}/{by}/{id}: {id} is not a message id"};
constexpr wording of_service{"not of the four levels service/{name}/{from}/{id}",
                             "service/{name}/{from}/{id}: {name} is not a name of a service",
                             "service/{name}/{from}/{id}: {from} is not an account name",
                             "service/{name}/{from}/{id}: {id} is not a message id"};
constexpr wording of_answer{"not of the four levels answer/{to}/{name}/{id}",
                            "answer/{to}/{name}/{id}: {to} is not an account name",
                            "answer/{to}/{name}/{id}: {name} is not a name of a service",
                            "answer/{to}/{name}/{id}: {id} is not a message id"};

malformed_topic what_is_wrong(std::string_view topic, const wording& wrong) noexcept {
  const auto levels = split<4>(topic);
  if (!levels) return {wrong.levels};
  const auto& [root, first, second, id] = *levels;
  if (!is_account_name(first)) return {wrong.first};
  if (!is_account_name(second)) return {wrong.second};
  return {wrong.id};
}

// In one pass: names hold no `/`.
template <typename Shape>
parsed_topic parse_four(std::string_view topic, std::size_t root_bytes, const wording& wrong) noexcept {
  auto rest = topic.substr(root_bytes);
  const auto take = [&rest](std::string_view (&leading)(std::string_view)) {
    if (!rest.starts_with('/')) return std::string_view();
    const auto taken = leading(rest.substr(1));
    rest.remove_prefix(1 + taken.size());
    return taken;
  };
  const auto first = take(leading_account_name);
  const auto second = first.empty() ? first : take(leading_account_name);
  const auto id = second.empty() ? second : take(leading_message_id);
  if (id.empty() || !rest.empty()) return what_is_wrong(topic, wrong);
  return Shape{first, second, id};
}

parsed_topic parse_acknowledge(std::string_view topic) noexcept {
  const auto levels = split<2>(topic);
  if (!levels) return malformed_topic{"not of the two levels ack/{me}"};
  const auto& [root, by] = *levels;
  if (!is_account_name(by)) return malformed_topic{"ack/{me}: {me} is not an account name"};
  return acknowledge_topic{by};
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
  if (root == "direct") return parse_four<direct_topic>(topic, root.size(), of_direct);
  if (root == "group") return parse_four<group_topic>(topic, root.size(), of_group);
  if (root == "ack") return parse_acknowledge(topic);
  if (root == "receipt") return parse_four<receipt_topic>(topic, root.size(), of_receipt);
  if (root == "service") return parse_four<request_topic>(topic, root.size(), of_service);
  if (root == "answer") return parse_four<answer_topic>(topic, root.size(), of_answer);
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
