#include "postgres/outgoing.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "core/names.h"
#include "core/topic.h"
#include "postgres/batch_statements.h"

namespace restante {
namespace {

constexpr std::int64_t two_days_us = 2 * 86'400'000'000;

std::int64_t end_of_retention(message_number number, std::int64_t retention_us) {
  return number > INT64_MAX - retention_us ? INT64_MAX : number + retention_us;
}

result<std::map<std::string, name_list>> members_of_unresolved(connection& with,
                                                               const std::vector<envelope>& messages) {
  std::set<std::string> groups;
  for (const envelope& each : messages) {
    const bool is_group = first_level(each.what->topic) == "group";
    if (is_group && each.recipients.empty() && is_account_name(each.group)) groups.insert(each.group);
  }
  std::map<std::string, name_list> lists;
  if (groups.empty()) return lists;
  const auto members = list_members(with, std::vector<std::string>(groups.begin(), groups.end()));
  if (!members) return members.error();
  std::map<std::string, std::vector<std::string>> found;
  for (const group_member& each : *members) found[each.group].push_back(each.account);
  for (const std::string& group : groups) {
    lists[group] = std::make_shared<const std::vector<std::string>>(std::move(found[group]));
  }
  return lists;
}

// The account of each service that is asked for, whoever had it when the message was accepted. Where there is
// none, what stands for it is no account's name, so that these become dead letters.
result<std::map<std::string, name_list>> accounts_of_services(connection& with,
                                                              const std::vector<envelope>& messages) {
  std::set<std::string> services;
  for (const envelope& each : messages) {
    if (first_level(each.what->topic) != "service") continue;
    const parsed_topic parsed = parse_topic(each.what->topic);
    if (const auto* request = std::get_if<request_topic>(&parsed)) services.emplace(request->name);
  }
  std::map<std::string, name_list> lists;
  if (services.empty()) return lists;
  const auto granted = list_services(with, std::vector<std::string>(services.begin(), services.end()));
  if (!granted) return granted.error();
  for (const std::string& service : services) {
    lists[service] = std::make_shared<const std::vector<std::string>>(1, "service/" + service);
  }
  for (const granted_service& each : *granted) {
    lists[each.service] = std::make_shared<const std::vector<std::string>>(1, each.account);
  }
  return lists;
}

result<void> count_where_needed(connection& with, const std::vector<outgoing>& messages, mailbox_room& room,
                                mailbox_room::time_point now) {
  std::map<std::string, std::int64_t> rows;
  for (const outgoing& each : messages) {
    if (each.has_expired) continue;
    for (std::size_t i = 0; i < each.recipients->size(); ++i) {
      if (each.is_for(i)) ++rows[(*each.recipients)[i]];
    }
  }
  std::vector<std::string> uncertain;
  for (const auto& [mailbox, count] : rows) {
    if (is_account_name(mailbox) && room.must_be_counted(mailbox, count, now)) uncertain.push_back(mailbox);
  }
  if (uncertain.empty()) return {};
  const auto counts = count_mailboxes(with, uncertain, room.limit());
  if (!counts) return counts.error();
  for (const mailbox_count& each : *counts) room.counted(each.account, each.waiting, now);
  return {};
}

void mark_full(outgoing& message, mailbox_room& room) {
  for (std::size_t i = 0; i < message.recipients->size(); ++i) {
    if (!message.is_for(i) || room.take((*message.recipients)[i])) continue;
    message.full.resize(message.recipients->size());
    message.full[i] = true;
  }
}

}  // namespace

std::optional<std::int64_t> expiry_of(const message& what, std::int64_t retention_us) {
  if (retention_us < two_days_us) {
    const std::int64_t latest = end_of_retention(what.number, retention_us);
    return what.expires_at_us == 0 ? latest : std::min(latest, what.expires_at_us);
  }
  if (what.expires_at_us == 0) return std::nullopt;
  return what.expires_at_us;
}

result<std::vector<outgoing>> make_ready(connection& with, const std::vector<envelope>& messages,
                                         mailbox_room& room, std::int64_t retention_us,
                                         std::int64_t server_now_us) {
  const auto resolved = members_of_unresolved(with, messages);
  if (!resolved) return resolved.error();
  const auto services = accounts_of_services(with, messages);
  if (!services) return services.error();
  const auto nobody = std::make_shared<const std::vector<std::string>>();

  std::vector<outgoing> ready;
  for (const envelope& each : messages) {
    outgoing made;
    made.what = each.what;
    made.dead_letter = each.dead_letter;
    made.is_group = first_level(each.what->topic) == "group";
    made.expires_at_us = expiry_of(*each.what, retention_us);
    made.has_expired = std::min(made.expires_at_us.value_or(INT64_MAX),
                                end_of_retention(each.what->number, retention_us)) <= server_now_us;
    const parsed_topic parsed = services->empty() ? parsed_topic() : parse_topic(each.what->topic);
    if (const auto* request = std::get_if<request_topic>(&parsed)) {
      made.recipients = services->at(std::string(request->name));
    } else if (!each.recipients.empty()) {
      made.recipients = std::make_shared<const std::vector<std::string>>(each.recipients);
    } else if (const auto members = resolved->find(each.group); members != resolved->end()) {
      made.recipients = members->second;
      made.but_sender = true;
    } else {
      made.recipients = nobody;
    }
    ready.push_back(std::move(made));
  }
  const auto now = std::chrono::steady_clock::now();
  if (auto counted = count_where_needed(with, ready, room, now); !counted) return counted.error();
  for (outgoing& each : ready) {
    if (!each.has_expired) mark_full(each, room);
  }
  return ready;
}

}  // namespace restante
