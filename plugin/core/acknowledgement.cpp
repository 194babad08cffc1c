// Acknowledgements and receipts.
#include <algorithm>
#include <utility>

#include "core/acknowledgement_lines.h"
#include "core/post_office.h"

namespace restante {

acceptance_result post_office::take_acknowledgements(session& from, std::string_view payload) {
  const auto lines = parse_acknowledgement_lines(payload);
  if (const auto* wrong = std::get_if<std::string_view>(&lines)) {
    return {acceptance::refused, 0, std::string(*wrong)};
  }
  const auto& keys = std::get<std::vector<message_key>>(lines);
  if (!queue_.has_room_for_removals(keys.size())) return {acceptance::busy, 0, "too much waits to be stored"};
  account_state& account = *from.account;
  note_acknowledging(account);
  for (const auto& key : keys) acknowledge(account, key);
  return {acceptance::accepted, 0, {}};
}

void post_office::note_acknowledging(account_state& account) {
  if (account.has_acknowledged) return;
  account.has_acknowledged = true;
  outside_.mail.remember_acknowledging(account.name);
}

const held_message* post_office::held_by(const account_state& account, const message_key& key) const {
  for (const session* each : account.sessions) {
    const auto found = each->held.find(key);
    if (found != each->held.end() && found->second.number != 0) return &found->second;
  }
  return nullptr;
}

void post_office::acknowledge(account_state& account, const message_key& key) {
  const held_message* held = held_by(account, key);
  const message_number number = held == nullptr ? 0 : held->number;
  bool is_repeated = false;
  for (session* each : account.sessions) {
    held_message was;
    if (!each->release(key, &was)) continue;
    is_repeated |= was.repeated;
    attend(*each);
  }
  if (number != 0) {
    discard(account.name, number);
    if (!is_repeated) return;
  }
  const std::string named = account.name + " acknowledged " + key.sender + '/' + key.id;
  queue_.remove(
      {account.name, key, last_number_},
      [this, named](const batch_result::outcome& outcome) {
        if (!outcome.found) say(log_level::info, named + ", which does not wait for it");
      },
      outside_.time.steady_us());
}

void post_office::discard(const std::string& account, message_number number) {
  const bool is_stored = number <= watermark();
  if (!queue_.strike(account, number)) queue_.remove({account, number}, outside_.time.steady_us());
  // If the journal takes no more, the message may come again after a crash: at least once, still.
  if (!is_stored && outside_.records.append(removal{account, number}) != journal_status::ok) {
    say(log_level::warning, "the journal did not take an acknowledgement of " + account);
  }
}

acceptance_result post_office::take_receipt(session& by, std::string_view topic, const receipt_topic& parsed,
                                            const publication& what) {
  if (what.payload != "delivered" && what.payload != "read") {
    return {acceptance::refused, 0, "the payload of a receipt is `delivered` or `read`"};
  }
  account_state& account = *by.account;
  if (!queue_.has_room_for_removals(2)) return {acceptance::busy, 0, "too much waits to be stored"};
  if (auto why = why_busy(account, 1, what.payload.size()); !why.empty())
    return {acceptance::busy, 0, std::move(why)};

  note_acknowledging(account);
  // A repeat is not told again, but acknowledges what it names all the same.
  const std::string identity = std::string(topic) + '/' + std::string(what.payload);
  const bool is_repeat = what.qos > 0 && recent_.look_up(identity, topic, outside_.time.steady_us()) ==
                                             recent_publishes::found::repeated;
  if (is_repeat) {
    acknowledge(account, {std::string(parsed.from), std::string(parsed.id)});
    return {acceptance::accepted, 0, {}};
  }
  receipt told{account.name,       std::string(parsed.from),     std::string(parsed.id),
               std::string(topic), std::string(what.payload),    what.payload == "read",
               what.qos,           std::string(what.properties), 0};
  if (what.expires_in_us != 0) {
    told.expires_at_us = outside_.time.now_us() + std::min(what.expires_in_us, settings_.values.retention_us);
  }
  const auto passes = [rights = account.rights](const std::string& group) {
    if (group.empty()) return true;
    const membership* member = rights->member_of(group);
    return member != nullptr && member->passes_receipts;
  };
  const message_key key{told.from, told.id};
  message_number passed_on = 0;
  if (const held_message* held = held_by(account, key); held != nullptr) {
    const std::string group = held->group;
    acknowledge(account, key);
    if (passes(group)) passed_on = pass_on(told, what.qos < 2);
  } else {
    for (session* each : account.sessions) {
      if (each->release(key)) attend(*each);
    }
    // `read` may come when the row is gone, but only to somebody whom `by` may write to.
    const bool may_message =
        told.is_read &&
        account.rights->may_publish(by.client_id,
                                    prefix_.prepend("direct/" + told.from + '/' + told.by + '/' + told.id));
    queue_.remove(
        {account.name, key, last_number_},
        [this, told, passes, may_message](const batch_result::outcome& outcome) {
          if (outcome.found ? passes(outcome.group) : may_message) {
            pass_on(told, false);
          } else if (!outcome.found) {
            say(log_level::info, "receipt " + told.topic + " refused: no such message waits for " + told.by);
          }
        },
        outside_.time.steady_us());
  }
  if (what.qos > 0) recent_.remember(identity, topic, outside_.time.steady_us());
  return {acceptance::accepted, passed_on, {}};
}

// Its number, or 0 if it is lost.
message_number post_office::pass_on(const receipt& what, bool natively) {
  auto made = std::make_shared<message>();
  made->number = next_number();
  made->topic = what.topic;
  made->payload = what.payload;
  made->properties = what.properties;
  made->key = {what.by, what.id};
  made->qos = static_cast<std::uint8_t>(what.qos);
  made->expires_at_us = what.expires_at_us;
  const shared_message kept = std::move(made);
  if (what.qos > 0 && !keep({kept, {what.from}, {}, 0})) {
    say(log_level::warning, "the journal did not take receipt " + what.topic);
    return 0;
  }
  route(kept, parse_topic(kept->topic), natively);
  return kept->number;
}

void post_office::expired_due(const std::vector<expired_delivery>& expired) {
  for (const auto& each : expired) {
    if (!queue_.has_room_for_message(0)) return;  // they come again
    auto made = std::make_shared<message>();
    made->number = next_number();
    made->topic = "receipt/" + each.sender + '/' + each.recipient + '/' + each.id;
    made->payload = "expired";
    made->key = {each.recipient, each.id};
    const shared_message kept = std::move(made);
    if (!std::holds_alternative<receipt_topic>(parse_topic(kept->topic))) continue;
    if (!keep({kept, {each.sender}, {}, each.dead_letter})) return;
    route(kept, parse_topic(kept->topic), false);
  }
}

}  // namespace restante
