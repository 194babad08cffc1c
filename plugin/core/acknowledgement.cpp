// Acknowledgements and receipts.
#include <algorithm>
#include <array>
#include <utility>

#include "core/acknowledgement_lines.h"
#include "core/names.h"
#include "core/post_office.h"

namespace restante {

template <typename Record>
journal_position post_office::record(const Record& what) {
  const auto at = outside_.records.end();
  if (outside_.records.append(what) == journal_status::ok) return at;
  // It holds for this run and may be forgotten by a crash: handed over at least once, still.
  unrecorded_ = true;
  say(log_level::warning, "the journal did not take an acknowledgement");
  return outside_.records.end();
}

// A publish that leaves no message behind.
void post_office::remember(const fingerprint& known) {
  recent_.remember(known, outside_.time.steady_us());
  record(used_once{known, std::max(outside_.time.now_us(), last_number_)});
  outside_.records.flush();
}

acceptance_result post_office::take_acknowledgements(session& from, std::string_view payload) {
  const auto lines = parse_acknowledgement_lines(payload);
  if (const auto* wrong = std::get_if<std::string_view>(&lines)) {
    return {acceptance::refused, 0, std::string(*wrong)};
  }
  const auto& named = std::get<std::vector<acknowledgement_line>>(lines);
  if (!queue_.has_room_for_removals(named.size()))
    return {acceptance::busy, 0, "too much waits to be stored"};
  account_state& account = *from.account;
  note_acknowledging(account);
  unrecorded_ = false;
  collect_removals(account.name);
  acknowledged_.clear();
  for (const auto& each : named) {
    const auto name = acknowledged_.emplace_back(name_of(each.whole));
    for (const session* holds : account.sessions) holds->held.prepare(name);
  }
  for (std::size_t i = 0; i < named.size(); ++i) {
    acknowledge(account, acknowledged_[i], named[i].sender, named[i].id);
  }
  record_removals();
  // Not to be answered with success, since a crash would bring it back; saying it again does no harm.
  if (outside_.records.flush() != journal_status::ok || unrecorded_) {
    return {acceptance::busy, 0, "the journal takes no more"};
  }
  return {acceptance::accepted, 0, {}};
}

void post_office::note_acknowledging(account_state& account) {
  if (account.has_acknowledged) return;
  account.has_acknowledged = true;
  outside_.mail.remember_acknowledging(account.name);
}

const held_message* post_office::held_by(const account_state& account, message_name name) const {
  for (const session* each : account.sessions) {
    const held_message* found = each->held.find(name);
    if (found != nullptr && found->number != 0) return found;
  }
  return nullptr;
}

// It was heard at QoS 0 alone, so no mailbox has it. An id should not be used again for what is kept; where
// it was within `dedupe`, this is false, and before that, what is kept is handed over again at worst.
bool post_office::is_unkept(const account_state& account, message_name name) {
  return account.unkept.find(name) != nullptr && settings_.values.dedupe_us != 0 &&
         recent_.look_up({name, 0}, outside_.time.steady_us()) == recent_publishes::found::fresh;
}

bool post_office::acknowledge(account_state& account, message_name name, std::string_view sender,
                              std::string_view id) {
  message_number number = 0;
  waiting_place place = unknown_place;
  bool was_held = false, is_repeated = false;
  for (session* each : account.sessions) {
    held_message was;
    if (!each->release(name, was)) continue;
    was_held = true;
    if (number == 0) {
      number = was.number;
      place = was.place;
    }
    is_repeated |= was.repeated;
    attend(*each);
  }
  if (number != 0) {
    remove(account.name, number, sender, place);
    if (!is_repeated) return true;
  }
  if (!was_held && is_unkept(account, name)) return false;
  forget_missed(account, sender, id);
  const removal_by_key gone{account.name, {std::string(sender), std::string(id)}, last_number_, false};
  const auto at = record(gone);
  queue(gone, at);
  return true;
}

void post_office::queue(removal_by_key gone, journal_position at) {
  const std::string named = gone.account + " acknowledged " + gone.key.sender + '/' + gone.key.id;
  queue_.remove(
      std::move(gone), at,
      [this, named](const batch_result::outcome& outcome) {
        if (!outcome.found) say(log_level::info, named + ", which does not wait for it");
      },
      outside_.time.steady_us());
}

bool post_office::acknowledge_one(account_state& account, message_name name, std::string_view sender,
                                  std::string_view id) {
  collect_removals(account.name);
  const bool was_kept = acknowledge(account, name, sender, id);
  record_removals();
  return was_kept;
}

void post_office::discard(const std::string& account, message_number number, std::string_view sender,
                          waiting_place place) {
  collect_removals(account);
  remove(account, number, sender, place);
  record_removals();
}

// What one account removes at once is one record, which is cheaper than one for each. It stands here or, if
// others come in between, soon behind: early enough to be kept for as long as it is needed.
void post_office::collect_removals(const std::string& account) {
  removals_.account = account;
  removals_.numbers.clear();
  removals_at_ = outside_.records.end();
}

void post_office::record_removals() {
  if (!removals_.numbers.empty()) record(removals_);
}

// Recorded even if it was stored long ago: a crash must not bring it back before it is removed.
void post_office::remove(const std::string& account, message_number number, std::string_view sender,
                         waiting_place place) {
  if (missed_bytes_ != 0) {
    if (account_state* open = find_account(account)) forget_missed(*open, number);
  }
  removals_.numbers.push_back(number);
  if (queue_.strike(account, number, sender, place) == store_queue::struck::no) {
    queue_.remove({account, number}, removals_at_, outside_.time.steady_us());
  }
}

// Without making a string of both.
message_name post_office::name_of(std::string_view sender, std::string_view id) const {
  std::array<char, 2 * longest_name_bytes + 1> text{};
  if (sender.size() > longest_name_bytes || id.size() > longest_name_bytes) {
    return name_of(std::string(sender) + '/' + std::string(id));
  }
  auto end = std::copy(sender.begin(), sender.end(), text.begin());
  *end++ = '/';
  end = std::copy(id.begin(), id.end(), end);
  return name_of(std::string_view(text.data(), static_cast<std::size_t>(end - text.begin())));
}

acceptance_result post_office::take_receipt(session& by, std::string_view topic, const receipt_topic& parsed,
                                            const publication& what) {
  if (what.payload != "delivered" && what.payload != "read") {
    return {acceptance::refused, 0, "the payload of a receipt is `delivered` or `read`"};
  }
  account_state& account = *by.account;
  if (!queue_.has_room_for_removals(2)) return {acceptance::busy, 0, "too much waits to be stored"};
  const auto now = outside_.time.look();
  if (auto why = why_busy(account, 1, now.steady_us); !why.empty())
    return {acceptance::busy, 0, std::move(why)};

  note_acknowledging(account);
  // A repeat is not told again, but acknowledges what it names all the same.
  const message_name name = name_of(parsed.from, parsed.id);
  fingerprint known;
  if (what.qos > 0) {
    known = fingerprint_of(settings_.key, std::string(topic) + '/' + std::string(what.payload), topic);
    if (recent_.look_up(known, now.steady_us) == recent_publishes::found::repeated) {
      if (acknowledge_one(account, name, parsed.from, parsed.id)) outside_.records.flush();
      return {acceptance::accepted, 0, {}};
    }
  }
  auto told = make_message(account.name, what, now.now_us);
  const held_message* held = held_by(account, name);
  const auto* group = held != nullptr ? &held->group : account.unkept.find(name);
  if (group != nullptr) {
    const membership* member = *group == nullptr ? nullptr : account.rights->member_of(**group);
    const bool passes = *group == nullptr || (member != nullptr && member->passes_receipts);
    message_number number = 0;
    if (passes) {
      number = pass_on(std::move(told), foreseen_.parsed, known, what.qos < 2, now.steady_us);
      if (number == 0) return {acceptance::busy, 0, "the journal takes no more"};
      if (what.qos > 0) recent_.remember(known, now.steady_us);
    } else if (what.qos > 0) {
      remember(known);
    }
    if (acknowledge_one(account, name, parsed.from, parsed.id)) outside_.records.flush();
    return {acceptance::accepted, number, {}};
  }
  for (session* each : account.sessions) {
    if (each->release(name)) attend(*each);
  }
  forget_missed(account, parsed.from, parsed.id);
  unresolved_receipt waiting;
  waiting.about = {std::string(parsed.from), std::string(parsed.id)};
  waiting.through = last_number_;
  waiting.known = known;
  // `read` may come when the row is gone, but only to somebody whom `by` may write to.
  waiting.may_message =
      what.payload == "read" &&
      account.rights->may_publish(by.client_id, prefix_.prepend("direct/" + waiting.about.sender + '/' +
                                                                account.name + '/' + waiting.about.id));
  waiting.told = std::move(*told);
  waiting.told.number = 0;  // it gets one when it is passed on
  unrecorded_ = false;
  const auto at = record(waiting);
  if (outside_.records.flush() != journal_status::ok || unrecorded_) {
    return {acceptance::busy, 0, "the journal takes no more"};
  }
  queue(waiting, at);
  if (what.qos > 0) recent_.remember(known, now.steady_us);
  return {acceptance::accepted, 0, {}};
}

void post_office::queue(const unresolved_receipt& told, journal_position at) {
  queue_.remove(
      removal_by_key{told.told.key.sender, told.about, told.through, true}, at,
      [this, told](const batch_result::outcome& outcome) { resolve(told, outcome); },
      outside_.time.steady_us());
}

// What follows is recorded together, after which the receipt itself may be forgotten.
void post_office::resolve(const unresolved_receipt& waiting, const batch_result::outcome& outcome) {
  const std::string& by = waiting.told.key.sender;
  if (outcome.found ? outcome.passes_receipts : waiting.may_message) {
    const auto now = outside_.time.look();
    auto told = std::make_shared<message>(waiting.told);
    told->number = next_number(now.now_us);
    if (pass_on(std::move(told), parse_topic(waiting.told.topic), {}, false, now.steady_us) == 0) {
      // The journal takes no more messages now: it is asked for again.
      const auto at = record(waiting);
      queue(waiting, at);
      return;
    }
  } else if (!outcome.found) {
    say(log_level::info, "receipt " + waiting.told.topic + " refused: no such message waits for " + by);
  }
  if (outcome.found) discard(by, outcome.number, waiting.about.sender);
}

// Its number, or 0 if the journal does not take it.
message_number post_office::pass_on(std::shared_ptr<message> told, const parsed_topic& parsed,
                                    const fingerprint& known, bool natively, std::int64_t steady_us) {
  const auto* receipt = std::get_if<receipt_topic>(&parsed);
  if (receipt == nullptr) return 0;
  if (told->qos > 0 && !keep({told, {std::string(receipt->from)}, {}, 0}, known, steady_us)) return 0;
  const auto number = told->number;
  route(describe(std::move(told), parsed), parsed, natively);
  return number;
}

void post_office::expired_due(const std::vector<expired_delivery>& expired) {
  for (const auto& each : expired) {
    message made;
    made.topic = "receipt/" + each.sender + '/' + each.recipient + '/' + each.id;
    made.payload = "expired";
    made.key = {each.recipient, each.id};
    const auto parsed = parse_topic(made.topic);
    if (!std::holds_alternative<receipt_topic>(parsed)) continue;
    made.number = next_number(outside_.time.now_us());
    const shared_message kept = std::make_shared<message>(std::move(made));
    if (!keep({kept, {each.sender}, {}, each.dead_letter}, {}, outside_.time.steady_us()))
      return;  // they come again
    route(describe(kept, parsed), parsed, false);
  }
}

}  // namespace restante
