#include "world.h"

#include <algorithm>

#include "core/filter.h"

namespace restante::model {
namespace {

constexpr std::size_t most_removals = 60;

rule durable_rule(std::int64_t id, rule_action action, const char* filter) {
  rule made;
  made.id = id;
  made.effect = rule_effect::allow;
  made.action = action;
  made.filter = filter;
  made.durable = true;
  return made;
}

}  // namespace

world_settings settings_of(std::uint64_t seed) {
  world_settings made;
  made.window = std::vector<std::size_t>{1, 3, 5, 8}[seed % 4];
  made.queue_messages = std::vector<std::size_t>{2, 6, 60}[seed % 3];
  made.missed_bytes = std::vector<std::size_t>{0, 3'000, 1u << 20}[seed / 3 % 3];
  made.linger_us = seed % 3 == 0 ? 0 : 20'000;
  made.knows_rosters = seed / 2 % 2 == 0;
  made.routes_a_loop_later = seed % 2 == 1;
  return made;
}

world::world(world_settings settings)
    : settings_(settings),
      groups_{{"crew", {"anna", "bert", "cleo"}}, {"town", {"anna", "bert", "cleo", "dora"}}},
      store_(
          [this](const std::string& group) {
            return std::vector<std::string>(groups_.at(group).begin(), groups_.at(group).end());
          },
          [this] { return granted_; },
          [this](message_number number, const std::string& account) { truth_.moved(number, account); }) {
  for (const auto& account : accounts) {
    for (const char* device : {"-phone", "-tablet"}) {
      client made;
      made.account = account;
      made.id = account + device;
      clients_.push_back(std::move(made));
    }
  }
  open_office();
}

world::~world() = default;

void world::open_office() {
  post_office_settings settings;
  settings.values.window = static_cast<std::int64_t>(settings_.window);
  settings.values.window_bytes = static_cast<std::int64_t>(settings_.window_bytes);
  settings.values.linger_us = settings_.linger_us;
  settings.queue = {.messages = settings_.queue_messages,
                    .bytes = 1u << 20,
                    .removals = most_removals,
                    .batch_messages = 4,
                    .few_messages = 2,
                    .lingering_messages = 6,
                    .batch_removals = 8,
                    .batch_bytes = 4096};
  settings.key = {1, 2};
  settings.pages_at_once = 2;
  settings.missed_bytes = settings_.missed_bytes;
  settings.parked_sessions = 4;
  office_ = std::make_unique<post_office>(std::move(settings), ports{*this, *this, store_, records_, *this});
}

shared_policy world::rights_of(const std::string& account) const {
  account_record record;
  record.name = account;
  record.active = true;
  if (is_handoff(account)) record.acknowledge = acknowledge_mode::handoff;
  for (const auto& [name, members] : groups_) {
    if (members.contains(account)) record.groups.push_back({name, false, name == "crew"});
  }
  record.rules = {durable_rule(1, rule_action::publish, "direct/+/%u/+"),
                  durable_rule(2, rule_action::subscribe, "direct/%u/#"),
                  durable_rule(3, rule_action::publish, "group/%g/%u/+"),
                  durable_rule(4, rule_action::subscribe, "group/%g/#"),
                  durable_rule(5, rule_action::publish, "ack/%u"),
                  durable_rule(6, rule_action::publish, "receipt/+/%u/+"),
                  durable_rule(7, rule_action::subscribe, "receipt/%u/#"),
                  durable_rule(8, rule_action::publish, "service/+/%u/+"),
                  durable_rule(9, rule_action::subscribe, "service/+/#"),
                  durable_rule(10, rule_action::publish, "answer/+/+/+"),
                  durable_rule(11, rule_action::subscribe, "answer/%u/#")};
  if (account == granted_) record.services = {"desk"};
  return std::make_shared<const policy>(std::move(record), topic_prefix());
}

journal_status world::recording_journal::append(const envelope& accepted, const fingerprint& known) {
  const auto status = real_.append(accepted, known);
  if (status == journal_status::ok) owner_.note_accepted(accepted);
  return status;
}

void world::note_accepted(const envelope& accepted) {
  ++totals_.accepted;
  const message& what = *accepted.what;
  std::set<std::string> audience(accepted.recipients.begin(), accepted.recipients.end());
  const bool is_request = first_level(what.topic) == "service";
  if (!accepted.group.empty() && !is_request) audience = groups_.at(accepted.group);
  if (first_level(what.topic) == "group") audience.erase(what.key.sender);
  check_receipt(what.topic, what.payload);
  truth_.accepted(what, audience, !accepted.group.empty());
}

// One that is told.
void world::check_receipt(const std::string& topic, const std::string& state) {
  const auto parsed = parse_topic(topic);
  const auto* told = std::get_if<receipt_topic>(&parsed);
  if (told == nullptr || state != "delivered") return;
  if (!truth_.may_tell(std::string(told->by), {std::string(told->from), std::string(told->id)})) {
    truth_.violate("a receipt of somebody who is no recipient, or of a group that passes none on: " + topic);
  }
}

void world::apply(const step& one) {
  if (!truth_.broken().empty()) return;
  client& who = clients_[one.a % clients_.size()];
  const std::string& account = accounts[one.a % accounts.size()];
  switch (one.what) {
    case action::publish:
      return do_publish(who, one);
    case action::publish_again:
      return do_publish_again(who, one);
    case action::acknowledge:
      return do_acknowledge(who, one);
    case action::receipt:
      return do_receipt(who, one);
    case action::connect:
      return do_connect(who, one.b % 3 == 0);
    case action::disconnect:
      return do_disconnect(who);
    case action::subscribe: {
      const auto choice = filters_for(who.account);
      return do_subscribe(who, choice[one.b % choice.size()],
                          one.c % 8 == 0 ? 0 : 1 + static_cast<int>(one.c % 2));
    }
    case action::unsubscribe:
      if (!who.connected || who.filters.empty()) return;
      office_->end_routing();
      office_->unsubscribe(who.handle, who.filters.begin()->first);
      who.filters.erase(who.filters.begin());
      return;
    case action::client_reads:
      return client_reads(who, one.b % 6, one.c % 5 != 0);
    case action::loop:
      return do_loop(one.b % 4 == 0 ? 60'000 : 1'000 * (one.b % 30));
    case action::store_works:
      store_.work(one.b % 2 == 0);
      return;
    case action::store_doubts:
      return store_.doubt();
    case action::store_answers:
      deliver_result();
      return;
    case action::store_fails:
      store_.fail_a_page();
      return;
    case action::expire:
      return do_expire(account, one.b);
    case action::leave_group:
      return change_membership(account, false);
    case action::join_group:
      return change_membership(account, true);
    case action::grant_service:
      return grant_service(one.b % 3 == 2 ? std::string() : accounts[one.b % 3]);
    case action::restart_broker:
      return one.c % 4 == 0 ? do_restart(one.b % 2 == 0, one.b % 3 == 0) : void();
    case action::journal_fills:
      journal_.full = true;
      return;
    case action::journal_empties:
      journal_.full = false;
      return;
    case action::journal_breaks:
      journal_.unreadable = one.b % 4 == 0;
      return;
    case action::journal_mends:
      journal_.unreadable = false;
      return;
  }
}

void world::do_publish(client& from, const step& one) {
  if (!from.connected) return;
  const auto to = one.b % (accounts.size() + 5);
  const int qos = one.c % 10 < 2 ? 0 : one.c % 10 < 7 ? 1 : 2;
  const bool asks = to >= accounts.size() + 2 && to < accounts.size() + 4;
  const bool answers = to == accounts.size() + 4;
  const bool to_group = to >= accounts.size() && !asks && !answers;
  const std::string id = id_for(from, one, qos, answers);
  const std::string topic = asks       ? "service/desk/" + from.account + '/' + id
                            : answers  ? "answer/" + accounts[one.b / 7 % accounts.size()] + "/desk/" + id
                            : to_group ? std::string(to == accounts.size() ? "group/crew/" : "group/town/") +
                                             from.account + '/' + id
                                       : "direct/" + accounts[to] + '/' + from.account + '/' + id;
  const std::string payload(one.c % 400, 'x');
  const auto before = totals_.accepted;
  const auto result = office_->publish({from.handle, topic, payload, {}, qos, 0});
  if (result.what == acceptance::busy) {
    ++totals_.busy;
    if (totals_.accepted != before) truth_.violate("kept what it refused: " + topic);
    return;
  }
  const bool may = answers    ? from.account == granted_
                   : to_group ? to > accounts.size() || groups_.at("crew").contains(from.account)
                              : true;
  if ((result.what == acceptance::accepted) != may)
    truth_.violate("wrong answer to " + topic + ": " + result.why);
  if (result.what != acceptance::accepted) return;
  auto& kept = published_[from.account];
  if (qos > 0) {
    kept.push_back({topic, id});
    std::erase(published_unkept_[from.account], id);
  } else if (!answers && std::none_of(kept.begin(), kept.end(),
                                      [&](const past_publish& each) { return each.id == id; })) {
    published_unkept_[from.account].push_back(id);
  }
  // Now and then the broker routes nothing: it, or another plugin, knows of no such subscription.
  if (qos < 2 && one.c % 23 != 0) route(topic, {from.account, id}, result.number, payload.size(), qos);
}

// Mostly a new one. Now and then one is used both at QoS 0 and kept, though it should not be.
std::string world::id_for(const client& from, const step& one, int qos, bool answers) {
  const auto& kept = published_[from.account];
  const auto& unkept = published_unkept_[from.account];
  if (!answers && one.c % 3 == 0) {
    if (qos == 0 && !kept.empty())
      return kept[kept.size() - 1 - one.b % std::min<std::size_t>(kept.size(), 4)].id;
    if (qos > 0 && !unkept.empty()) return unkept.back();
  }
  return "m" + std::to_string(++last_id_);
}

void world::do_publish_again(client& from, const step& one) {
  const auto& mine = published_[from.account];
  if (!from.connected || mine.empty()) return;
  const past_publish past = mine[one.b % mine.size()];
  const bool elsewhere = one.c % 3 == 0;
  const std::string other = "direct/" + from.account + '/' + from.account + '/' + past.id;
  const bool is_answer = first_level(past.topic) == "answer";  // its id is another's, and may be used again
  if (elsewhere && (other == past.topic || is_answer)) return;
  const bool left = (past.topic.starts_with("group/crew/") && !groups_.at("crew").contains(from.account)) ||
                    (is_answer && from.account != granted_);
  const auto before = totals_.accepted;
  const auto result = office_->publish({from.handle, elsewhere ? other : past.topic, "again", {}, 1, 0});
  if (totals_.accepted != before) truth_.violate("accepted twice: " + past.topic);
  if (elsewhere && result.what != acceptance::refused) truth_.violate("one id on two topics: " + past.id);
  if (!elsewhere && !left && result.what != acceptance::accepted)
    truth_.violate("refused a repeat: " + past.topic);
  if (!elsewhere && result.what == acceptance::accepted) route(past.topic, {from.account, past.id}, 0, 5, 1);
}

void world::acknowledge_keys(client& from, const std::vector<message_key>& keys) {
  std::string lines;
  for (const auto& key : keys) lines += key.sender + '/' + key.id + '\n';
  const auto result = office_->publish({from.handle, "ack/" + from.account, lines, {}, 1, 0});
  if (result.what == acceptance::busy) ++totals_.busy;
  if (result.what == acceptance::refused) truth_.violate("refused an acknowledgement: " + result.why);
  if (result.what != acceptance::accepted) return;
  for (const auto& key : keys) {
    ++totals_.acknowledged;
    truth_.acknowledged(from.account, key);
  }
}

void world::do_acknowledge(client& from, const step& one) {
  const auto& mine = received_[from.account];
  if (!from.connected || mine.empty()) return;
  std::vector<message_key> keys;
  // Mostly the newest, sometimes anything, sometimes what nobody knows.
  const std::size_t start =
      one.b % 4 == 0 ? one.b % mine.size() : mine.size() - 1 - one.b % std::min<std::size_t>(mine.size(), 8);
  for (std::size_t i = start; i < mine.size() && keys.size() <= one.c % 6; ++i) keys.push_back(mine[i]);
  if (one.c % 17 == 0) keys.push_back({"nobody", "nothing"});
  acknowledge_keys(from, keys);
}

void world::do_receipt(client& from, const step& one) {
  if (!from.connected) return;
  const auto& mine = received_[from.account];
  message_key about;
  if (one.c % 5 == 0) {
    // A claim about a message that may be somebody else's.
    about = {accounts[one.b % accounts.size()],
             "m" + std::to_string(last_id_ > 0 ? 1 + one.b % last_id_ : 1)};
  } else if (!mine.empty()) {
    about = mine[mine.size() - 1 - one.b % std::min<std::size_t>(mine.size(), 8)];
  } else {
    return;
  }
  const std::string topic = "receipt/" + about.sender + '/' + from.account + '/' + about.id;
  const std::string state = one.c % 2 == 0 ? "delivered" : "read";
  const int qos = static_cast<int>(one.c / 2 % 3);
  const bool must_tell =
      truth_.must_tell(from.account, about, groups_) && (qos == 0 || !told_.contains(topic + '/' + state));
  const auto result = office_->publish({from.handle, topic, state, {}, qos, 0});
  if (result.what == acceptance::busy) ++totals_.busy;
  if (result.what != acceptance::accepted) return;
  truth_.acknowledged(from.account, about);
  if (qos > 0) told_.insert(topic + '/' + state);
  if (must_tell && result.number == 0) truth_.violate("not told of what was heard at QoS 0: " + topic);
  if (result.number != 0) check_receipt(topic, state);
  const auto routed_before = totals_.routed;
  if (qos < 2) route(topic, {from.account, about.id}, 0, state.size(), qos);
  if (!must_tell) return;
  ++totals_.told_unkept;
  const auto listening = std::count_if(clients_.begin(), clients_.end(), [&](const client& each) {
    return each.connected && each.account == about.sender &&
           each.filters.contains("receipt/" + each.account + "/#");
  });
  if (qos == 0 && totals_.routed - routed_before != static_cast<std::size_t>(listening)) {
    truth_.violate("not heard by the sender: " + topic);
  }
}

std::vector<std::string> world::filters_for(const std::string& account) const {
  return {"direct/" + account + "/#",
          "direct/" + account + "/bert/#",
          "group/crew/#",
          "group/town/#",
          "group/town/cleo/+",
          "receipt/" + account + "/#",
          "direct/" + account + "/+/+",
          "answer/" + account + "/#",
          "service/desk/#"};
}

void world::do_subscribe(client& of, const std::string& filter, int qos) {
  if (!of.connected || !rights_of(of.account)->may_subscribe(of.id, filter)) return;
  office_->end_routing();
  office_->subscribe(of.handle, filter, qos);
  const auto known = of.filters.find(filter);
  if (qos > 0 && (known == of.filters.end() || known->second == 0)) ++of.filters_changed;
  of.filters[filter] = qos;
  if (office_->needs_count(of.handle)) of.needs_count = true;
}

void world::do_connect(client& of, bool clean) {
  office_->end_routing();
  const auto old = of.handle;
  of.handle = ++last_handle_;
  if (clean || of.clean) {
    of.filters.clear();
    of.outgoing.clear();
  }
  of.clean = clean;
  of.connected = true;
  of.last_number = 0;
  of.held.clear();
  of.needs_count = !clean;
  office_->connect(of.handle, of.id, rights_of(of.account), clean, !clean);
  if (old != 0) office_->disconnect(old);
  for (const auto& [name, members] : groups_) {
    if (settings_.knows_rosters) office_->set_roster({name, {members.begin(), members.end()}, true});
  }
  auto resent = std::exchange(of.outgoing, {});
  for (auto& each : resent) {
    // Live-only copies are not queued for those who are away.
    if (!each.kept) continue;
    if (office_->hear_resent(of.handle, each.topic, each.bytes)) {
      arrive(of, std::move(each), true);
    } else if (each.topic.starts_with("direct/") || each.topic.starts_with("receipt/")) {
      truth_.violate("denied what the broker resends: " + each.topic);
    }
  }
}

void world::do_disconnect(client& of) {
  if (!of.connected) return;
  of.connected = false;
  office_->disconnect(of.handle);
  if (std::none_of(clients_.begin(), clients_.end(),
                   [&](const client& each) { return each.connected && each.account == of.account; })) {
    truth_.left(of.account);
  }
  if (of.clean) {
    of.filters.clear();
    of.outgoing.clear();
  }
}

void world::do_loop(std::int64_t passes_us) {
  now_us_ += passes_us;
  if (settings_.routes_a_loop_later) route_what_the_plugin_published();
  office_->end_routing();
  for (auto& each : clients_) {
    if (each.connected && std::exchange(each.needs_count, false)) {
      office_->told_subscription_count(each.handle, each.filters.size());
    }
  }
  office_->tick();
  if (!settings_.routes_a_loop_later) route_what_the_plugin_published();
  if (office_->queued_entries() > settings_.queue_messages + most_removals + 8)
    truth_.violate("the queue outgrew its bound");
}

bool world::deliver_result() {
  auto result = store_.next_result();
  if (!result) return false;
  office_->end_routing();
  if (auto* stored = std::get_if<batch_result>(&*result)) office_->stored(*stored);
  if (auto* read = std::get_if<page>(&*result)) {
    ++totals_.pages;
    office_->page_read(std::move(*read));
  }
  if (auto* token = std::get_if<std::uint64_t>(&*result)) office_->page_failed(*token);
  return true;
}

void world::do_expire(const std::string& account, std::size_t which) {
  const auto gone = store_.expire(account, which);
  if (!gone) return;
  truth_.expired(account, (*gone)->number);
  if (first_level((*gone)->topic) != "direct") return;
  office_->end_routing();
  office_->expired_due({{++last_dead_letter_, (*gone)->key.sender, account, (*gone)->key.id}});
}

void world::change_membership(const std::string& account, bool joins) {
  if (account == "dora") return;
  auto& members = groups_.at("crew");
  if (members.contains(account) == joins) return;
  if (joins) {
    members.insert(account);
    truth_.joined(account, "crew", store_.stored_through());
    // What it is now counted in for may be older than what it was given since.
    for (auto& each : clients_) each.filters_changed += each.account == account ? 1 : 0;
  } else {
    members.erase(account);
    store_.withdraw(account, "crew");
    truth_.withdrew(account, "crew");
  }
  office_->set_rights(rights_of(account));
  office_->set_roster({"crew", {members.begin(), members.end()}, true});
}

void world::grant_service(const std::string& account) {
  if (account == granted_) return;
  const std::string before = std::exchange(granted_, account);
  if (!before.empty()) store_.move_requests(before, account);
  for (auto& each : clients_) each.filters_changed += each.account == account ? 1 : 0;
  for (const auto& each : {before, account}) {
    if (!each.empty()) office_->set_rights(rights_of(each));
  }
}

void world::do_restart(bool keeps_sessions, bool batch_got_through) {
  office_.reset();
  for (const auto& account : accounts) truth_.left(account);
  store_.broker_died(batch_got_through);
  plugin_queue_.clear();
  for (auto& each : clients_) {
    each.connected = false;
    if (!keeps_sessions || each.clean) {
      each.filters.clear();
      each.outgoing.clear();
    }
  }
  journal_.broker_died();
  // What was handed off and not written down yet is handed over again. Nothing else is forgotten.
  const auto forget = [&](const std::string& account, const message& what) {
    const auto number = what.number;
    if (!truth_.was_acknowledged(account, number) || journal_.has_removal(account, what)) return;
    if (!is_handoff(account) && !is_kept_until_handed_over(what.topic)) {
      truth_.violate("an acknowledgement is forgotten: " + truth_.name_of(number) + " by " + account);
    }
    truth_.forgot_acknowledgement(account, number);
    if (!groups_.at("crew").contains(account)) truth_.withdrew(account, "crew");
  };
  for (const auto& account : accounts) {
    for (const auto& [number, what] : store_.rows(account)) forget(account, *what);
    for (const auto& [at, record] : journal_.records()) {
      const auto* accepted = std::get_if<accepted_message>(&record);
      if (accepted != nullptr && accepted->what.what->number > store_.stored_through()) {
        forget(account, *accepted->what.what);
      }
    }
  }
  open_office();
  for (const auto& each : journal_.remembered()) office_->restore(each);
  for (const auto& [at, record] : journal_.records()) office_->restore(at, record);
  office_->store_ready(store_.stored_through(), 0);
}

void world::publish(std::string_view client_id, const message& what, int) {
  const auto to = std::find_if(clients_.begin(), clients_.end(),
                               [&](const client& each) { return each.id == client_id; });
  if (to == clients_.end() || !to->connected) return truth_.violate("published to nobody: " + what.topic);
  bool kept = false;
  if (what.qos == 0) check_receipt(what.topic, what.payload);
  if (what.qos > 0) {
    for (const auto& [filter, qos] : to->filters) kept |= qos > 0 && filter_matches(filter, what.topic);
    const session* here = office_->session_of(to->handle);
    kept |= here != nullptr && here->filters_unknown;
  }
  if (kept) truth_.handed_over(to->account, what.number, to->handle, groups_, is_handoff(to->account));
  plugin_queue_.emplace_back(to->id, item{what.topic, what.key, what.number, what.payload.size(), kept,
                                          to->filters_changed, to->handle});
}

void world::route_what_the_plugin_published() {
  for (auto& [id, what] : std::exchange(plugin_queue_, {})) {
    const auto to = std::find_if(clients_.begin(), clients_.end(),
                                 [&id = id](const client& each) { return each.id == id; });
    if (to->connected) {
      arrive(*to, std::move(what), false);
    } else if (!to->clean && what.kept) {
      to->outgoing.push_back(std::move(what));
    }
  }
}

void world::route(const std::string& topic, const message_key& key, message_number number, std::size_t bytes,
                  int qos) {
  // A receipt's number is its own; the reference knows it by the topic.
  if (number == 0) number = truth_.newest_on(topic).value_or(0);
  for (auto& each : clients_) {
    bool granted = false, kept = false;
    for (const auto& [filter, filter_qos] : each.filters) {
      kept |= qos > 0 && filter_qos > 0 && filter_matches(filter, topic);
    }
    for (const auto& [filter, filter_qos] : each.filters) {
      if (!filter_matches(filter, topic) || !office_->hear_routed(each.handle)) continue;
      if (!each.connected) truth_.violate("granted to a client that is away: " + topic);
      if (std::exchange(granted, true)) truth_.violate("granted twice: " + topic);
      ++totals_.routed;
      if (kept) truth_.handed_over(each.account, number, each.handle, groups_, is_handoff(each.account));
      if (!kept) truth_.heard_live(each.account, topic, groups_, granted_);
      if (qos == 0 && !is_kept_until_handed_over(topic)) {
        truth_.heard_unkept(each.account, key, topic, settings_.window);
      }
      arrive(each, {topic, key, number, bytes, kept, each.filters_changed, each.handle}, false);
    }
  }
}

void world::arrive(client& at, item what, bool resent) {
  if (what.kept) {
    if (resent) {
      ++totals_.resent;
    } else if (what.connection != at.handle) {
      // Published to the connection before and routed after a takeover: it comes on top of the window, once,
      // and the mailbox will hand it over again.
      at.outgoing.push_back(std::move(what));
      return;
    } else {
      ++totals_.handed_over;
      if (std::exchange(at.last_filters_of, what.filters_of) != what.filters_of) at.last_number = 0;
      if (what.number <= at.last_number) {
        truth_.violate("out of order after " + std::to_string(at.last_number) + ": " + what.topic + " (" +
                       std::to_string(what.number) + ") to " + at.id);
      }
      at.last_number = what.number;
    }
    if (!is_kept_until_handed_over(what.topic) && !is_handoff(at.account)) {
      at.held.insert(what.key);
      // What the broker resends it sends in any case; it may be more when acknowledgements were forgotten.
      if (!resent) check_window(at);
    }
  }
  at.outgoing.push_back(std::move(what));
}

void world::check_window(client& of) {
  std::erase_if(of.held, [&](const message_key& key) { return !truth_.waits(of.account, key); });
  if (of.held.size() > settings_.window) {
    truth_.violate(of.id + " holds " + std::to_string(of.held.size()) + " of a window of " +
                   std::to_string(settings_.window));
  }
}

void world::client_reads(client& of, std::size_t count, bool confirms) {
  if (!of.connected) return;
  for (std::size_t i = 0; i < of.outgoing.size() && i < count; ++i) {
    const auto& each = of.outgoing[i];
    if (!is_kept_until_handed_over(each.topic)) received_[of.account].push_back(each.key);
  }
  if (!confirms) return;
  const auto taken = static_cast<std::ptrdiff_t>(std::min(count, of.outgoing.size()));
  of.outgoing.erase(of.outgoing.begin(), of.outgoing.begin() + taken);
}

}  // namespace restante::model
