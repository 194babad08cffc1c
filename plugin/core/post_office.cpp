// Sessions and accounts: who is here, with which rights, and what is kept of those who left.
#include "core/post_office.h"

#include <algorithm>
#include <utility>

namespace restante {
namespace {

constexpr std::int64_t report_every_us = 10'000'000;
constexpr std::int64_t most_clock_difference_us = 3'600LL * 1'000'000;

}  // namespace

post_office::post_office(post_office_settings settings, ports outside)
    : settings_(std::move(settings)),
      outside_(outside),
      prefix_(settings_.values.topic_prefix),
      recent_(settings_.values.dedupe_us, settings_.recent_limit),
      queue_(settings_.queue, settings_.key, outside_.records) {}

post_office::~post_office() = default;

session*& post_office::found_lately(session_handle handle) const noexcept {
  // Addresses: their lowest bits say nothing.
  return found_lately_[(handle >> 4 ^ handle >> 12) % found_lately_.size()];
}

session* post_office::find(session_handle handle) const {
  session*& lately = found_lately(handle);
  if (lately != nullptr && lately->handle == handle) return lately;
  const auto found = sessions_.find(handle);
  if (found == sessions_.end()) return nullptr;
  return lately = found->second.get();
}

bool post_office::client_id_is_taken(std::string_view client_id, std::string_view account) const {
  const auto found = by_client_.find(client_id);
  return found != by_client_.end() && find(found->second)->account->name != account;
}

void post_office::connect(session_handle handle, std::string_view client_id, shared_policy rights, bool clean,
                          bool may_persist, bool takes_properties) {
  disconnect(handle);
  auto made = std::make_unique<session>();
  session& here = *made;
  here.handle = handle;
  here.client_id = client_id;
  here.may_persist = may_persist;
  here.takes_properties = takes_properties;
  here.awaits_count = !clean;
  here.resolve_after = last_number_;
  here.account = &open_account(rights);
  here.account->sessions.push_back(&here);
  if (!clean) here.filters_unknown = !unpark(here);
  by_client_[here.client_id] = handle;
  for (const auto& each : here.profiles) profiles_.watch(handle, each.filter);
  sessions_.emplace(handle, std::move(made));
}

// Whether the filters of the session that this one takes up are known.
bool post_office::unpark(session& back) {
  if (const auto open = by_client_.find(back.client_id); open != by_client_.end()) {
    const session* old = find(open->second);
    if (old->account == back.account && old->may_persist) {
      back.filters = old->filters;
      back.profiles = old->profiles;
      return !old->filters_unknown;
    }
  }
  const auto found = parked_by_client_.find(back.client_id);
  if (found == parked_by_client_.end()) return false;
  const bool is_ours = found->second->account == back.account->name;
  const bool is_known = is_ours && !found->second->filters_unknown;
  if (is_ours) {
    back.filters = std::move(found->second->filters);
    back.profiles = std::move(found->second->profiles);
  }
  parked_.erase(found->second);
  parked_by_client_.erase(found);
  return is_known;
}

void post_office::park(const session& gone) {
  if (!gone.may_persist) return;
  if (const auto old = parked_by_client_.find(gone.client_id); old != parked_by_client_.end()) {
    parked_.erase(old->second);
    parked_by_client_.erase(old);
  }
  parked_.push_front({gone.client_id, gone.account->name, gone.filters, gone.profiles, gone.filters_unknown});
  parked_by_client_[gone.client_id] = parked_.begin();
  if (parked_.size() > settings_.parked_sessions) {
    parked_by_client_.erase(parked_.back().client_id);
    parked_.pop_back();
  }
}

bool post_office::needs_count(session_handle handle) const {
  const session* here = find(handle);
  return here != nullptr && (here->awaits_count || here->filters_unknown);
}

void post_office::told_subscription_count(session_handle handle, std::size_t count) {
  session* here = find(handle);
  if (here == nullptr || !(here->awaits_count || here->filters_unknown)) return;
  const bool was_waiting = std::exchange(here->awaits_count, false);
  const bool was_unknown = here->filters_unknown;
  if (count <= here->filters_seen.size()) {
    // Nothing was left over from before, or all of it was subscribed again.
    here->filters_unknown = false;
    std::erase_if(here->filters, [&](const subscription& each) {
      return !here->filters_seen.contains(prefix_.prepend(each.filter));
    });
    std::erase_if(here->profiles, [&](const subscription& each) {
      if (here->filters_seen.contains(prefix_.prepend("profile/" + each.filter))) return false;
      profiles_.unwatch(handle, each.filter);
      return true;
    });
    here->filters_seen.clear();
  }
  if (was_waiting || was_unknown != here->filters_unknown) restart(*here);
}

bool post_office::hear_resent(session_handle handle, std::string_view topic, std::size_t payload_bytes) {
  session* to = find(handle);
  const auto [rest, inside] = prefix_.strip(topic);
  if (to == nullptr || !inside) return false;
  const auto parsed = parse_topic(rest);
  if (std::holds_alternative<profile_topic>(parsed)) return true;  // as it was given before
  if (!is_for(*to->account, parsed)) return false;
  if (needs_no_acknowledgement(*to->account, is_kept_until_handed_over(parsed))) return true;
  std::unique_ptr<message_key> key;
  std::shared_ptr<const std::string> of_group;
  if (const auto* direct = std::get_if<direct_topic>(&parsed)) {
    key = std::make_unique<message_key>(message_key{std::string(direct->from), std::string(direct->id)});
  } else if (const auto* group = std::get_if<group_topic>(&parsed)) {
    key = std::make_unique<message_key>(message_key{std::string(group->from), std::string(group->id)});
    of_group = std::make_shared<const std::string>(group->group);
  } else if (const auto* request = std::get_if<request_topic>(&parsed)) {
    key = std::make_unique<message_key>(message_key{std::string(request->from), std::string(request->id)});
  }
  to->hold(name_of(key_text(parsed)), 0, payload_bytes, of_group).key = std::move(key);
  attend(*to);
  return true;
}

void post_office::disconnect(session_handle handle) {
  const auto found = sessions_.find(handle);
  if (found == sessions_.end()) return;
  session& gone = *found->second;
  const auto current = by_client_.find(gone.client_id);
  if (current != by_client_.end() && current->second == handle) {
    park(gone);
    by_client_.erase(current);
  }
  forget_profiles(gone);
  std::erase(routing_.expected, &gone);
  while (!gone.missed.empty()) forget_oldest_missed(gone);
  account_state& account = *gone.account;
  std::erase(account.sessions, &gone);
  if (session*& lately = found_lately(handle); lately == &gone) lately = nullptr;
  sessions_.erase(found);
  close_account_if_unused(account);
}

bool post_office::subscribe(session_handle handle, std::string_view filter, int qos) {
  session* here = find(handle);
  if (here == nullptr) return true;
  const auto [rest, inside] = prefix_.strip(filter);
  const bool is_durable = inside && is_durable_root(first_level(rest));
  const auto known = std::find_if(here->filters.begin(), here->filters.end(),
                                  [rest = rest](const subscription& each) { return each.filter == rest; });
  const bool is_new = known == here->filters.end();
  if (is_durable && is_new && here->filters.size() >= settings_.filters_a_session) return false;
  if (here->awaits_count || here->filters_unknown) here->filters_seen.emplace(filter);
  if (!is_durable) return true;
  if (const auto parsed = parse_topic(rest); const auto* profile = std::get_if<profile_topic>(&parsed)) {
    return subscribe_to_profile(*here, profile->account, qos);
  }
  const int was = is_new ? -1 : known->qos;
  if (is_new) {
    here->filters.push_back({std::string(rest), qos});
  } else {
    known->qos = qos;
  }
  // What was passed over for want of this filter may wait.
  if (qos > 0 && was < 1) restart(*here);
  return true;
}

void post_office::unsubscribe(session_handle handle, std::string_view filter) {
  session* here = find(handle);
  if (here == nullptr) return;
  here->filters_seen.erase(std::string(filter));
  const auto [rest, inside] = prefix_.strip(filter);
  if (inside)
    std::erase_if(here->filters, [rest = rest](const subscription& each) { return each.filter == rest; });
  const auto parsed = parse_topic(inside ? rest : std::string_view());
  if (const auto* profile = std::get_if<profile_topic>(&parsed)) {
    std::erase_if(here->profiles, [&](const subscription& each) { return each.filter == profile->account; });
    profiles_.unwatch(handle, profile->account);
  }
}

bool post_office::subscribe_to_profile(session& here, std::string_view account, int qos) {
  const auto known = std::find_if(here.profiles.begin(), here.profiles.end(),
                                  [&](const subscription& each) { return each.filter == account; });
  if (known != here.profiles.end()) {
    known->qos = qos;
  } else {
    if (here.profiles.size() >= settings_.filters_a_session) return false;
    here.profiles.push_back({std::string(account), qos});
  }
  profiles_.watch(here.handle, account);
  return true;
}

void post_office::forget_profiles(session& of) {
  for (const auto& each : of.profiles) profiles_.unwatch(of.handle, each.filter);
}

std::string post_office::account_of(session_handle handle) const {
  const session* here = find(handle);
  return here == nullptr ? std::string() : here->account->name;
}

void post_office::profile_read(const profile_answer& answer) {
  message given;
  given.topic = "profile/" + answer.account;
  given.payload = answer.json;
  const std::string topic = prefix_.prepend(given.topic);
  profiles_.answered(
      answer,
      [&](session_handle reader) {
        const session* to = find(reader);
        if (to == nullptr || !to->account->rights->may_hear(to->client_id, topic)) return;
        const auto known = std::find_if(to->profiles.begin(), to->profiles.end(),
                                        [&](const auto& each) { return each.filter == answer.account; });
        if (known == to->profiles.end()) return;
        outside_.clients.publish(to->client_id, given, std::min(known->qos, 1));
      },
      [this](session_handle reader) { return account_of(reader); });
}

const shared_policy* post_office::rights_of(session_handle handle) const {
  const session* here = find(handle);
  return here == nullptr ? nullptr : &here->account->rights;
}

std::string_view post_office::client_id_of(session_handle handle) const {
  const session* here = find(handle);
  return here == nullptr ? std::string_view() : here->client_id;
}

account_state* post_office::find_account(std::string_view name) {
  if (account_state* lately = found_accounts_.find(name)) return lately;
  const auto found = accounts_.find(name);
  if (found == accounts_.end()) return nullptr;
  found_accounts_.add(*found->second);
  return found->second.get();
}

account_state& post_office::open_account(const shared_policy& rights) {
  auto& place = accounts_[rights->name()];
  if (place == nullptr) {
    place = std::make_unique<account_state>();
    place->name = rights->name();
    place->queue_name = queue_.name_of(place->name);
  }
  leave_groups(*place);
  place->rights = rights;
  place->has_acknowledged |= rights->record().has_acknowledged;
  join_groups(*place);
  return *place;
}

void post_office::close_account_if_unused(account_state& account) {
  if (!account.sessions.empty()) return;
  leave_groups(account);
  found_accounts_.forget(account);
  accounts_.erase(accounts_.find(account.name));
}

void post_office::join_groups(account_state& account) {
  for (const auto& each : account.rights->record().groups) {
    group_state& group = groups_[each.group];
    if (group.name == nullptr) group.name = std::make_shared<const std::string>(each.group);
    group.present.push_back(&account);
  }
  for (const auto& each : account.rights->record().services) services_[each] = &account;
}

void post_office::leave_groups(account_state& account) {
  if (account.rights == nullptr) return;
  for (const auto& each : account.rights->record().groups) {
    const auto group = groups_.find(each.group);
    if (group == groups_.end()) continue;
    std::erase(group->second.present, &account);
    if (group->second.present.empty()) groups_.erase(group);
  }
  for (const auto& each : account.rights->record().services) {
    const auto service = services_.find(each);
    // The word that it was granted to another account may have come first.
    if (service != services_.end() && service->second == &account) services_.erase(service);
  }
}

void post_office::set_rights(shared_policy rights) {
  const account_state* known = find_account(rights->name());
  if (known == nullptr) return;
  end_routing();
  // Filters stay as they are, as the broker's subscriptions do: what they hear is judged message by message.
  const shared_policy before = known->rights;
  account_state& account = open_account(rights);
  const auto& groups = rights->record().groups;
  const auto& services = rights->record().services;
  const bool joined = std::any_of(groups.begin(), groups.end(), [&](const membership& each) {
    return before->member_of(each.group) == nullptr;
  });
  const bool was_granted = std::any_of(services.begin(), services.end(),
                                       [&](const std::string& each) { return !before->serves(each); });
  if (joined || was_granted) {
    // The store may have counted it among the recipients of messages that we did not offer to it.
    for (session* each : account.sessions) restart(*each);
  }
  if (takes_by_handoff(account)) {
    // What it holds was handed over, which is enough from now on.
    for (session* each : account.sessions) hand_off_held(*each);
  }
  if (rights->record().active) return;
  std::vector<std::string> clients;
  for (const session* each : account.sessions) clients.push_back(each->client_id);
  say(log_level::info, account.name + " is blocked or deleted: its connections are closed");
  // Kicking disconnects, which changes the account under us.
  for (const auto& each : clients) outside_.clients.kick(each);
}

void post_office::set_roster(roster members) {
  const auto group = groups_.find(members.group);
  if (group == groups_.end()) return;
  group->second.names = queue_.names_of(members.members);
  group->second.members = std::make_shared<const roster>(std::move(members));
}

std::vector<std::string> post_office::groups_with_rosters() const {
  std::vector<std::string> names;
  for (const auto& each : groups_) {
    if (each.second.members != nullptr) names.push_back(each.first);
  }
  return names;
}

std::vector<std::string> post_office::connected_accounts() const {
  std::vector<std::string> names;
  for (const auto& each : accounts_) names.push_back(each.first);
  return names;
}

std::vector<std::string> post_office::groups_in_use() const {
  std::vector<std::string> names;
  for (const auto& each : groups_) names.push_back(each.first);
  return names;
}

std::vector<std::string> post_office::in_use_among(const std::vector<std::string>& groups) const {
  std::vector<std::string> names;
  for (const auto& each : groups) {
    if (groups_.contains(each)) names.push_back(each);
  }
  return names;
}

std::vector<std::string> post_office::connected_among(const std::vector<std::string>& accounts,
                                                      const std::vector<std::string>& groups) const {
  std::vector<std::string> names;
  for (const auto& each : accounts) {
    if (accounts_.contains(each)) names.push_back(each);
  }
  for (const auto& each : groups) {
    const auto group = groups_.find(each);
    if (group == groups_.end()) continue;
    for (const account_state* member : group->second.present) names.push_back(member->name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

void post_office::close() {
  end_routing();
  while (!sessions_.empty()) disconnect(sessions_.begin()->first);
  hurried_ = true;
}

void post_office::store_ready(message_number stored_through, std::int64_t clock_offset_us) {
  const bool was_trusted = clock_is_trusted_;
  clock_is_trusted_ = std::abs(clock_offset_us) <= most_clock_difference_us;
  if (!clock_is_trusted_ && was_trusted) {
    say(log_level::error,
        "this clock and the database's are more than an hour apart: durable publishes are refused until they "
        "are set right");
  }
  if (ready_) return;
  ready_ = true;
  queue_.forget_through(stored_through);
  last_number_ = std::max(last_number_, stored_through);
  for (auto& each : sessions_) restart(*each.second);
}

void post_office::restore(const used_once& publish) {
  if (publish.known != fingerprint{}) recent_.remember(publish.known, outside_.time.steady_us());
}

void post_office::restore(journal_position at, journal_record record) {
  // It has lingered long enough.
  constexpr std::int64_t since_us = 0;
  if (auto* accepted = std::get_if<accepted_message>(&record)) {
    restore(used_once{accepted->known, 0});
    const auto number = accepted->what.what->number;
    if (number <= last_number_) return;
    last_number_ = number;
    queue_.push(accepted->what, at, false, since_us);
  } else if (const auto* gone = std::get_if<removal_list>(&record)) {
    for (const auto number : gone->numbers) {
      // It must not be used again for what this would then remove.
      last_number_ = std::max(last_number_, number);
      queue_.restore({gone->account, number}, at);
    }
  } else if (auto* by_key = std::get_if<removal_by_key>(&record)) {
    last_number_ = std::max(last_number_, by_key->through);
    queue(std::move(*by_key), at);
  } else if (auto* receipt = std::get_if<unresolved_receipt>(&record)) {
    restore(used_once{receipt->known, 0});
    last_number_ = std::max(last_number_, receipt->through);
    queue(*receipt, at);
  } else {
    restore(std::get<used_once>(record));
  }
}

void post_office::report(std::int64_t now_us) {
  if (now_us - reported_us_ < report_every_us && reported_us_ != 0) return;
  reported_us_ = now_us;
  broker_report said;
  said.sessions = sessions_.size();
  said.journal_bytes = outside_.records.size_bytes();
  for (auto& each : sessions_) {
    session& here = *each.second;
    if (here.account->has_acknowledged ||
        here.held.size() < static_cast<std::size_t>(settings_.values.window))
      continue;
    said.never_acknowledged.push_back(here.account->name);
    if (std::exchange(here.window_reported, true)) continue;
    say(log_level::warning, here.client_id + " of " + here.account->name +
                                " holds a full window and has never acknowledged: let it publish to ack/" +
                                here.account->name + ", or set `restante user set " + here.account->name +
                                " --acknowledge handoff`");
  }
  outside_.mail.report(std::move(said));
}

}  // namespace restante
