// Taking messages in, and the valve for those that the broker routes itself.
#include <algorithm>
#include <utility>

#include "core/names.h"
#include "core/post_office.h"

namespace restante {
namespace {

template <typename... Each>
struct overloaded : Each... {
  using Each::operator()...;
};
template <typename... Each>
overloaded(Each...) -> overloaded<Each...>;

// Of a topic that a message may have.
std::string_view id_of(const parsed_topic& topic) noexcept {
  return std::visit(
      overloaded{[](const direct_topic& to) { return to.id; }, [](const group_topic& to) { return to.id; },
                 [](const request_topic& to) { return to.id; }, [](const answer_topic& to) { return to.id; },
                 [](const receipt_topic& to) { return to.id; },
                 [](const auto&) { return std::string_view(); }},
      topic);
}

constexpr std::int64_t one_second_us = 1'000'000;

}  // namespace

template <typename Visit>
void post_office::for_each_listener(const parsed_topic& parsed, Visit visit) {
  const auto each_session_of = [&](std::string_view name) {
    if (const account_state* account = find_account(name)) {
      for (session* each : account->sessions) visit(*each);
    }
  };
  std::visit(overloaded{[&](const direct_topic& to) { each_session_of(to.to); },
                        [&](const receipt_topic& to) { each_session_of(to.from); },
                        [&](const group_topic& to) {
                          const auto group = groups_.find(to.group);
                          if (group == groups_.end()) return;
                          for (account_state* member : group->second.present) {
                            if (member->name == to.from) continue;
                            for (session* each : member->sessions) visit(*each);
                          }
                        },
                        [&](const request_topic& to) {
                          const auto service = services_.find(to.name);
                          if (service == services_.end()) return;
                          for (session* each : service->second->sessions) visit(*each);
                        },
                        [&](const answer_topic& to) { each_session_of(to.to); }, [](const auto&) {}},
             parsed);
}

const parsed_topic& post_office::expect_publish(std::string_view topic) {
  if (topic == foreseen_.topic) return foreseen_.parsed;
  // As they belong together, should there be no memory.
  foreseen_.topic.clear();
  foreseen_.parsed = ordinary_topic{};
  foreseen_.topic = topic;
  foreseen_.parsed = prefix_.parse(foreseen_.topic);
  foreseen_.rest = std::string_view(foreseen_.topic).substr(std::min(topic.size(), prefix_.text().size()));
  if (id_of(foreseen_.parsed).empty() || std::holds_alternative<receipt_topic>(foreseen_.parsed)) {
    return foreseen_.parsed;
  }
  // What must be used once: `{sender}/{id}`, or the whole topic.
  const bool is_answer = std::holds_alternative<answer_topic>(foreseen_.parsed);
  const auto once = is_answer ? foreseen_.rest : key_text(foreseen_.parsed);
  foreseen_.used =
      fingerprint_of(settings_.key, once, foreseen_.rest.substr(0, foreseen_.rest.size() - once.size()));
  recent_.prepare(foreseen_.used.identity);
  queue_.prepare_to_push();
  return foreseen_.parsed;
}

acceptance_result post_office::publish(const publication& what) {
  expect_publish(what.topic);
  return publish_expected(what);
}

acceptance_result post_office::publish_expected(const publication& what) {
  end_routing();
  const auto& parsed = foreseen_.parsed;
  if (std::holds_alternative<ordinary_topic>(parsed)) return {};
  if (const auto* wrong = std::get_if<malformed_topic>(&parsed)) {
    return {acceptance::refused, 0, std::string(wrong->why)};
  }
  session* from = find(what.from);
  if (from == nullptr) return {acceptance::refused, 0, "the publisher has not logged in with an account"};
  if (std::holds_alternative<profile_topic>(parsed)) {
    return {acceptance::refused, 0, "the broker alone publishes profiles"};
  }
  if (const auto* answer = std::get_if<answer_topic>(&parsed)) {
    if (!from->account->rights->serves(answer->name)) {
      return {acceptance::refused, 0,
              from->account->name + " is not granted service " + std::string(answer->name)};
    }
  } else if (!same_name(speaker(parsed), from->account->name)) {
    return {acceptance::refused, 0, "the topic names another sender than " + from->account->name};
  }
  if (what.payload.size() > static_cast<std::size_t>(settings_.values.max_payload_bytes)) {
    return {acceptance::refused, 0, "the payload is larger than max_payload"};
  }
  if (std::holds_alternative<acknowledge_topic>(parsed)) return take_acknowledgements(*from, what.payload);
  if (const auto* told = std::get_if<receipt_topic>(&parsed))
    return take_receipt(*from, foreseen_.rest, *told, what);
  return accept_message(*from, what);
}

acceptance_result post_office::accept_message(session& from, const publication& what) {
  account_state& sender = *from.account;
  const auto& parsed = foreseen_.parsed;
  const bool is_answer = std::holds_alternative<answer_topic>(parsed);
  const auto* group = std::get_if<group_topic>(&parsed);
  if (group != nullptr && sender.rights->member_of(group->group) == nullptr) {
    return {acceptance::refused, 0, sender.name + " is no member of " + std::string(group->group)};
  }
  const fingerprint used = foreseen_.used;

  const auto now = outside_.time.look();

  if (what.qos == 0) {
    if (!spend_allowance(sender, 1, now.steady_us)) {
      return {acceptance::refused, 0, "publish_rate is used up"};
    }
    auto live = make_message(sender.name, what, now.now_us);
    const auto number = live->number;
    route(describe(std::move(live), parsed, is_answer ? 0 : used.identity), parsed, true);
    return {acceptance::accepted, number, {}};
  }

  envelope& accepted = reusable_envelope_;
  accepted.group.clear();
  std::size_t recipients = 0;
  const auto add_recipient = [&](std::string_view name) {
    if (recipients == accepted.recipients.size()) {
      accepted.recipients.emplace_back(name);
    } else {
      accepted.recipients[recipients] = name;
    }
    ++recipients;
  };
  roster_audience audience;
  if (const auto* to = std::get_if<direct_topic>(&parsed)) {
    add_recipient(to->to);
    if (const account_state* known = find_account(to->to)) audience.only = known->queue_name;
  } else if (const auto* answered = std::get_if<answer_topic>(&parsed)) {
    add_recipient(answered->to);
  } else if (const auto* request = std::get_if<request_topic>(&parsed)) {
    const auto service = services_.find(request->name);
    if (service != services_.end()) {
      add_recipient(service->second->name);
    } else {
      accepted.group = request->name;
    }
  } else {
    const auto known = groups_.find(group->group);
    if (known != groups_.end() && known->second.members != nullptr && known->second.members->whole) {
      const auto& members = known->second.members->members;
      audience = {known->second.names, members.size()};
      for (const auto& member : members) {
        if (member != sender.name) {
          add_recipient(member);
        } else {
          audience.without = recipients;
        }
      }
    } else {
      accepted.group = group->group;
    }
  }
  accepted.recipients.resize(recipients);
  switch (recent_.look_up(used, now.steady_us)) {
    case recent_publishes::found::repeated:
      return {acceptance::accepted, 0, {}};
    case recent_publishes::found::on_another_topic:
      return {acceptance::refused, 0, "the id " + std::string(id_of(parsed)) + " was used on another topic"};
    case recent_publishes::found::fresh:
      break;
  }
  if (accepted.recipients.empty() && accepted.group.empty()) {  // of a group with nobody else in it
    remember(used);
    return {acceptance::accepted, next_number(now.now_us), {}};
  }
  const std::size_t deliveries = std::max<std::size_t>(accepted.recipients.size(), 1);
  if (auto why = why_busy(sender, deliveries, now.steady_us); !why.empty()) {
    return {acceptance::busy, 0, std::move(why)};
  }
  accepted.what = make_message(sender.name, what, now.now_us);
  const auto place = keep(accepted, used, now.steady_us, std::move(audience));
  if (!place) {
    return {acceptance::busy, 0, "the journal takes no more"};
  }
  recent_.remember(used, now.steady_us);
  const auto number = accepted.what->number;
  // Both are the same hash of `{sender}/{id}`.
  auto kept = describe(std::move(accepted.what), parsed, is_answer ? 0 : used.identity);
  kept.place = *place;
  route(std::move(kept), parsed, what.qos == 1);
  return {acceptance::accepted, number, {}};
}

std::string post_office::why_busy(account_state& sender, std::size_t deliveries, std::int64_t steady_us) {
  if (!ready_) return "the database has not been reached yet";
  if (!clock_is_trusted_) return "this clock and the database's are more than an hour apart: set them right";
  const std::size_t queued = queue_.queued_by(sender.name);
  if (queued != 0 && queued + deliveries > static_cast<std::size_t>(settings_.values.sender_limit)) {
    return sender.name + " has reached sender_limit";
  }
  if (!spend_allowance(sender, static_cast<std::int64_t>(deliveries), steady_us)) {
    return sender.name + " has used up publish_rate";
  }
  return {};
}

bool post_office::spend_allowance(account_state& sender, std::int64_t deliveries, std::int64_t steady_us) {
  const auto rate = settings_.values.publish_rate;
  if (rate == 0) return true;
  if (steady_us - sender.allowance_since_us >= one_second_us || sender.allowance_since_us == 0) {
    sender.allowance = rate;
    sender.allowance_since_us = steady_us;
  }
  if (sender.allowance <= 0) return false;
  sender.allowance -= deliveries;  // may go below: a group larger than the rate still gets its turn
  return true;
}

message_number post_office::next_number(std::int64_t now_us) {
  last_number_ = std::max(now_us, last_number_ + 1);
  return last_number_;
}

// Of the publish that is foreseen.
std::shared_ptr<message> post_office::make_message(const std::string& sender, const publication& what,
                                                   std::int64_t now_us) {
  auto made = std::move(reusable_message_);
  if (made == nullptr) made = std::make_shared<message>();
  made->number = next_number(now_us);
  made->topic = foreseen_.rest;
  made->payload = what.payload;
  made->properties = what.properties;
  made->key.sender = sender;
  made->key.id = id_of(foreseen_.parsed);
  made->qos = static_cast<std::uint8_t>(what.qos);
  made->expires_at_us = what.expires_in_us == 0
                            ? 0
                            : made->number + std::min(what.expires_in_us, settings_.values.retention_us);
  return made;
}

void post_office::keep_for_reuse(shared_message routed) noexcept {
  constexpr std::size_t most_bytes = 64 << 10, most_recipients = 1'024;
  const bool is_small = routed->payload.capacity() + routed->properties.capacity() <= most_bytes;
  // All are made as what may be changed, and nobody else sees this one.
  if (is_small && routed.use_count() == 1) {
    reusable_message_ = std::const_pointer_cast<message>(std::move(routed));
  }
  if (reusable_envelope_.recipients.capacity() > most_recipients) reusable_envelope_ = {};
}

std::optional<waiting_place> post_office::keep(const envelope& accepted, const fingerprint& known,
                                               std::int64_t steady_us, roster_audience audience) {
  const auto at = outside_.records.end();
  if (outside_.records.append(accepted, known) != journal_status::ok) return std::nullopt;
  if (outside_.records.flush() != journal_status::ok) return std::nullopt;
  return queue_.push(accepted, at, true, steady_us, std::move(audience));
}

post_office::mail post_office::describe(shared_message what, const parsed_topic& parsed) const {
  const auto name = is_kept_until_handed_over(parsed) ? 0 : name_of(key_text(parsed));
  return describe(std::move(what), parsed, name);
}

post_office::mail post_office::describe(shared_message what, const parsed_topic& parsed,
                                        message_name name) const {
  mail made;
  made.until_handed_over = is_kept_until_handed_over(parsed);
  made.name = name;
  if (const auto* to = std::get_if<group_topic>(&parsed)) {
    const auto group = groups_.find(to->group);
    made.group = group != groups_.end() ? group->second.name : std::make_shared<const std::string>(to->group);
  }
  made.what = std::move(what);
  return made;
}

void post_office::route(mail what, const parsed_topic& parsed, bool natively) {
  std::vector<session*> ready;
  for_each_listener(parsed, [&](session& each) {
    if (each.account->sessions.size() == 1) return offer(each, what, natively);
    // Of several sessions first those that miss it: one that takes it for good makes the others forget it.
    if (each.live && has_room(each, what)) {
      ready.push_back(&each);
    } else {
      offer(each, what, natively);
    }
  });
  for (session* each : ready) offer(*each, what, natively);
  if (natively) routing_.routed = std::move(what);
}

void post_office::offer(session& to, const mail& given, bool natively) {
  const message& what = *given.what;
  const auto expect = [&](bool kept) {
    to.expected = what.number;
    to.expected_kept = kept;
    if (kept) to.held.prepare(given.name);
    routing_.expected.push_back(&to);
    routing_.takes_properties |= to.takes_properties;
  };
  const hearing heard = to.hears(what.topic);
  if (heard == hearing::not_at_all) return;
  const bool is_blocked = to.account->rights->blocks(what.key.sender);
  if (what.qos == 0 || heard == hearing::live_only) {
    if (is_blocked) return;
    if (natively) {
      expect(false);
    } else {
      outside_.clients.publish(to.client_id, what, 0);
      note_heard(*to.account, given);
    }
  } else if (is_blocked || !to.live || !has_room(to, given)) {
    // Whether it is blocked by the time it is stored, the store decides: a page tells.
    deny(to, given.what, !is_blocked);
  } else if (natively && loop_ > to.published_in_loop) {
    expect(true);
  } else {
    hand_over(to, given);
  }
}

bool post_office::hear_routed(session_handle handle) {
  session* to = find(handle);
  if (to == nullptr || to->expected == 0 || routing_.routed.what == nullptr) return false;
  to->expected = 0;
  if (to->expected_kept) {
    record_hand_over(*to, routing_.routed);
  } else {
    note_heard(*to->account, routing_.routed);
  }
  return true;
}

// What was kept for the account is acknowledged in the mailbox, however it was heard.
void post_office::note_heard(account_state& by, const mail& what) {
  if (what.what->qos != 0 || what.until_handed_over) return;
  constexpr std::size_t most = 4'096;
  const auto window = static_cast<std::size_t>(settings_.values.window);
  by.unkept.note(what.name, what.group, std::min(window, most));
}

void post_office::end_routing() {
  if (routing_.routed.what == nullptr) return;
  for (session* each : routing_.expected) {
    // The broker knows of no such subscription: the session is given directly what was promised to it, unless
    // another of the account may have taken it for good.
    const bool is_over = each->account->sessions.size() > 1 &&
                         needs_no_acknowledgement(*each->account, routing_.routed.until_handed_over);
    if (each->expected != 0 && each->expected_kept) deny(*each, routing_.routed.what, !is_over);
    each->expected = 0;
  }
  routing_.expected.clear();
  routing_.takes_properties = false;
  keep_for_reuse(std::move(routing_.routed.what));
  routing_.routed = {};
}

}  // namespace restante
