// Handing over: pages for sessions that are behind, windows, and the way to the store.
#include <algorithm>
#include <utility>

#include "core/post_office.h"

namespace restante {
namespace {

// A session with a little room waits this long for more, so that each acknowledgement does not cost a query.
constexpr std::int64_t page_pause_us = 50'000;
constexpr std::int64_t page_retry_us = 200'000;
// By then a change of rights has been heard of, unless the database is away.
constexpr std::int64_t rights_known_us = 3'000'000;
constexpr std::int64_t trim_pause_us = 100'000;

std::size_t missed_size(const message& what) noexcept {
  constexpr std::size_t beside_payload = 512;
  return beside_payload + what.payload.size() + what.properties.size();
}
constexpr std::int64_t handoff_period_us = 100'000;

}  // namespace

bool post_office::takes_by_handoff(const account_state& account) const {
  const auto mode = account.rights->record().acknowledge.value_or(settings_.values.acknowledge);
  return mode == acknowledge_mode::handoff;
}

bool post_office::needs_no_acknowledgement(const account_state& account, bool until_handed_over) const {
  return until_handed_over || takes_by_handoff(account);
}

void post_office::hand_off_held(session& of) {
  while (!of.held.empty()) {
    held_message was;
    of.release(of.held.any_name(), was);
    if (was.number != 0) discard(of.account->name, was.number, {}, was.place);
  }
  attend(of);
}

bool post_office::has_room(session& to, const mail& what) {
  const auto window = static_cast<std::size_t>(settings_.values.window);
  if (needs_no_acknowledgement(*to.account, what.until_handed_over)) {
    const auto now_us = outside_.time.steady_us();
    if (now_us - to.handoffs_since_us >= handoff_period_us) {
      to.handoffs_since_us = now_us;
      to.handoffs = 0;
    }
    return to.handoffs < window;
  }
  return to.held.size() < window &&
         (to.held.empty() || to.held_bytes + what.what->payload.size() <=
                                 static_cast<std::size_t>(settings_.values.window_bytes));
}

void post_office::record_hand_over(session& to, const mail& given) {
  const message& what = *given.what;
  to.cursor = std::max(to.cursor, what.number);
  if (needs_no_acknowledgement(*to.account, given.until_handed_over)) {
    ++to.handoffs;
    discard(to.account->name, what.number, what.key.sender, given.place);
    return;
  }
  to.hold(given.name, what.number, what.payload.size(), given.group, given.place);
}

void post_office::hand_over(session& to, const mail& given) {
  const message& what = *given.what;
  const int qos = std::min<int>(what.qos, to.subscribed_qos(what.topic));
  to.published_in_loop = loop_;
  record_hand_over(to, given);
  outside_.clients.publish(to.client_id, what, qos);
}

void post_office::deny(session& to, const shared_message& what, bool may_be_caught_up) {
  if (std::exchange(to.live, false)) to.complete_through = what->number - 1;
  if (may_be_caught_up) {
    miss(to, what);
  } else {
    while (!to.missed.empty()) forget_oldest_missed(to);
    to.gap_through = what->number;
  }
  attend(to);
}

void post_office::miss(session& to, const shared_message& what) {
  const auto window = static_cast<std::size_t>(settings_.values.window);
  const std::size_t bytes = missed_size(*what);
  while (!to.missed.empty() &&
         (to.missed.size() >= window || missed_bytes_ + bytes > settings_.missed_bytes)) {
    forget_oldest_missed(to);
  }
  if (missed_bytes_ + bytes > settings_.missed_bytes) {
    to.gap_through = what->number;
    return;
  }
  missed_bytes_ += bytes;
  to.missed.push_back(what);
}

void post_office::forget_oldest_missed(session& of) {
  of.gap_through = std::max(of.gap_through, of.missed.front()->number);
  missed_bytes_ -= missed_size(*of.missed.front());
  of.missed.pop_front();
}

// It is over for the account, and must not be handed over to another session of it.
void post_office::forget_missed(account_state& account, message_number number) {
  if (missed_bytes_ == 0) return;
  for (session* each : account.sessions) {
    const auto at = std::lower_bound(each->missed.begin(), each->missed.end(), number,
                                     [](const auto& missed, auto wanted) { return missed->number < wanted; });
    if (at == each->missed.end() || (*at)->number != number) continue;
    missed_bytes_ -= missed_size(**at);
    each->missed.erase(at);
  }
}

void post_office::forget_missed(account_state& account, std::string_view sender, std::string_view id) {
  if (missed_bytes_ == 0) return;
  for (session* each : account.sessions) {
    std::erase_if(each->missed, [&](const shared_message& missed) {
      const bool is_it =
          missed->key.id == id && missed->key.sender == sender && !is_kept_until_handed_over(missed->topic);
      if (is_it) missed_bytes_ -= missed_size(*missed);
      return is_it;
    });
  }
}

// Hands over what it missed since its last page, which is all that it lacks.
void post_office::catch_up(session& of) {
  while (!of.missed.empty()) {
    const shared_message next = of.missed.front();
    of.missed.pop_front();
    missed_bytes_ -= missed_size(*next);
    const bool has_expired = next->expires_at_us != 0 && next->expires_at_us <= outside_.time.now_us();
    const bool is_blocked = of.account->rights->blocks(next->key.sender);
    if (!has_expired && !is_blocked && !take_row(of, next)) {
      of.missed.push_front(next);
      missed_bytes_ += missed_size(*next);
      // Room in the window comes with an acknowledgement, room for what needs none with time.
      if (of.retries) consider_later(of);
      return;
    }
    of.complete_through = next->number;
  }
  of.live = !of.filters_unknown;
}

void post_office::restart(session& of) {
  of.live = false;
  of.cursor = 0;
  of.page_token = 0;  // what is under way belongs to the old filters
  of.more_waiting = true;
  of.complete_through = 0;
  while (!of.missed.empty()) forget_oldest_missed(of);
  of.gap_through = std::max(of.gap_through, last_number_);
  attend(of);
}

void post_office::attend(session& to) {
  if (!std::exchange(to.in_attention, true)) attention_.push_back(to.handle);
}

void post_office::await_commit(session& of) {
  if (!std::exchange(of.in_after_commit, true)) after_commit_.push_back(of.handle);
}

void post_office::consider_later(session& of) {
  if (!std::exchange(of.in_later, true)) later_.push_back(of.handle);
}

void post_office::consider(session& of) {
  if (of.read_again_us != 0) {
    if (outside_.time.steady_us() >= of.read_again_us) {
      of.read_again_us = 0;
      restart(of);
    } else {
      consider_later(of);
    }
  }
  if (of.live || of.awaits_count || of.in_line || of.page_token != 0) return;
  const bool must_resolve = of.held_without_number > 0;
  if (!of.wants_mail() && !must_resolve) return;
  const bool lacks_stored = of.gap_through > of.complete_through;
  if (!of.more_waiting && !lacks_stored && !must_resolve) {
    catch_up(of);
    return;
  }
  const bool committed = lacks_stored && watermark() > of.complete_through;
  // A page tells of every resent message once all that were accepted before the connection are stored.
  const bool can_resolve = must_resolve && watermark() >= of.resolve_after;
  if (!of.more_waiting && !committed && !can_resolve) {
    await_commit(of);
    return;
  }
  const auto window = static_cast<std::size_t>(settings_.values.window);
  const std::size_t room = window - std::min(window, of.held.size());
  const bool has_bytes = of.held.empty() || of.held_bytes + std::max<std::size_t>(of.needs_bytes, 1) <=
                                                static_cast<std::size_t>(settings_.values.window_bytes);
  if (room == 0 || !has_bytes) {
    // Only an acknowledgement makes room; but resent messages that are gone may hold it.
    if (!can_resolve) {
      if (must_resolve) await_commit(of);
      return;
    }
  }
  const auto now_us = outside_.time.steady_us();
  if (now_us < of.not_before_us && (room * 4 < window || of.retries)) {
    consider_later(of);
    return;
  }
  of.in_line = true;
  line_.push_back(of.handle);
}

void post_office::ask_for_page(session& of) {
  const auto window = static_cast<std::size_t>(settings_.values.window);
  const auto window_bytes = static_cast<std::size_t>(settings_.values.window_bytes);
  page_request request;
  request.token = ++last_token_;
  request.account = of.account->name;
  request.after = of.cursor;
  request.limit = static_cast<std::uint32_t>(
      std::clamp<std::size_t>(window - std::min(window, of.held.size()), 1, window));
  request.limit_bytes = window_bytes - std::min(window_bytes, of.held_bytes);
  if (of.held_without_number > 0) {
    of.held.for_each([&](message_name, const held_message& what) {
      if (what.number == 0 && what.key != nullptr) request.resolve.push_back(*what.key);
    });
  }
  of.page_token = request.token;
  of.page_watermark = watermark();
  of.more_waiting = false;
  of.needs_bytes = 0;
  of.retries = false;
  of.not_before_us = outside_.time.steady_us() + page_pause_us;
  pages_.emplace(request.token, of.handle);
  outside_.mail.read(std::move(request));
}

void post_office::page_failed(std::uint64_t token) {
  const auto under_way = pages_.find(token);
  if (under_way == pages_.end()) return;
  session* of = find(under_way->second);
  pages_.erase(under_way);
  if (of == nullptr || of->page_token != token) return;
  of->page_token = 0;
  of->more_waiting = true;
  of->retries = true;
  // Spread over a quarter, so that many sessions do not come back at once.
  of->not_before_us =
      outside_.time.steady_us() + page_retry_us + static_cast<std::int64_t>(token * 7919 % 50'000);
  consider_later(*of);
}

void post_office::page_read(page read) {
  const auto under_way = pages_.find(read.token);
  if (under_way == pages_.end()) return;
  session* of = find(under_way->second);
  pages_.erase(under_way);
  if (of == nullptr || of->page_token != read.token) return;
  of->page_token = 0;
  settle_resent(*of, read);
  bool all = true;
  for (const auto& row : read.rows) {
    all = take_row(*of, row);
    if (!all) break;
  }
  if (!all || !read.complete) {
    of->more_waiting = true;
  } else {
    of->complete_through = std::max(of->complete_through, of->page_watermark);
  }
  consider(*of);
}

// The numbers of what the broker resent. What has no row and was stored if it ever was is gone: acknowledged
// before, on this connection's predecessor or another device.
void post_office::settle_resent(session& of, const page& read) {
  if (of.held_without_number == 0) return;
  for (const auto& [key, number] : read.resolved) {
    const auto name = name_of(key.sender + '/' + key.id);
    held_message* held = of.held.find(name);
    if (held == nullptr || held->number != 0) continue;
    held->number = number;
    held->key.reset();
    --of.held_without_number;
    if (queue_.is_being_removed(of.account->name, number)) of.release(name);
  }
  if (of.page_watermark < of.resolve_after) return;
  std::vector<message_name> gone;
  of.held.for_each([&](message_name name, const held_message& what) {
    if (what.number == 0) gone.push_back(name);
  });
  for (const auto name : gone) of.release(name);
}

// False: there is no room for it now.
bool post_office::take_row(session& to, const shared_message& row) {
  if (row->number <= to.cursor) return true;
  const auto parsed = parse_topic(row->topic);
  const mail given = describe(row, parsed);
  held_message* held = given.until_handed_over ? nullptr : to.held.find(given.name);
  if (held != nullptr) {
    if (held->number == 0) {
      held->number = row->number;
      held->key.reset();
      --to.held_without_number;
    } else if (held->number != row->number) {
      held->repeated = true;
    }
    to.cursor = row->number;
    return true;
  }
  const std::string& account = to.account->name;
  if (given.until_handed_over ? queue_.is_being_removed(account, row->number)
                              : queue_.is_being_removed(account, *row)) {
    to.cursor = row->number;
    return true;
  }
  if (!is_for(*to.account, parsed)) {
    to.cursor = row->number;
    // Granted so lately that we have not heard of it: its mailbox is read again when we do.
    if (std::holds_alternative<request_topic>(parsed)) return true;
    // Or is counted as a member of a group already, which we have not heard of either; or it has just left.
    if (outside_.time.now_us() - row->number < rights_known_us) {
      to.read_again_us = outside_.time.steady_us() + rights_known_us;
      consider_later(to);
      return true;
    }
    // The account has left the group since: withdrawn.
    discard(account, row->number, row->key.sender);
    return true;
  }
  if (to.hears(row->topic) != hearing::kept) {
    to.cursor = row->number;
    return true;
  }
  if (!has_room(to, given)) {
    if (!needs_no_acknowledgement(*to.account, given.until_handed_over)) {
      to.needs_bytes = row->payload.size();
    } else {
      to.retries = true;
      to.not_before_us = outside_.time.steady_us() + handoff_period_us;
    }
    return false;
  }
  hand_over(to, given);
  return true;
}

bool post_office::is_for(const account_state& account, const parsed_topic& what) const {
  if (const auto* direct = std::get_if<direct_topic>(&what)) return direct->to == account.name;
  if (const auto* told = std::get_if<receipt_topic>(&what)) return told->from == account.name;
  if (const auto* answer = std::get_if<answer_topic>(&what)) return answer->to == account.name;
  if (const auto* request = std::get_if<request_topic>(&what)) return account.rights->serves(request->name);
  if (const auto* group = std::get_if<group_topic>(&what)) {
    return group->from != account.name && account.rights->member_of(group->group) != nullptr;
  }
  return false;
}

void post_office::trim() {
  const auto settled = queue_.settled_to(outside_.records.end());
  if (settled == trimmed_to_) return;
  trimmed_to_ = settled;
  outside_.records.trim(settled);
}

void post_office::flush() {
  if (!ready_) return;
  const auto now_us = outside_.time.steady_us();
  queue_.refill(now_us);
  const auto linger_us = hurried_ ? 0 : settings_.values.linger_us;
  if (auto batch = queue_.take(now_us, linger_us, last_number_)) outside_.mail.write(std::move(*batch));
  if (!std::exchange(unreadable_, queue_.is_unreadable()) && unreadable_) {
    say(log_level::error,
        "the journal cannot be read: what waits in it is stored once it can be, or after a restart");
  }
}

void post_office::stored(const batch_result& result) {
  queue_.stored(result);
  trim();
  outside_.records.flush();
  for (const auto handle : std::exchange(after_commit_, {})) {
    if (session* each = find(handle)) {
      each->in_after_commit = false;
      attend(*each);
    }
  }
  flush();
}

void post_office::tick() {
  end_routing();
  ++loop_;
  flush();
  const auto now_us = outside_.time.steady_us();
  if (now_us - later_looked_at_us_ >= page_pause_us) {
    later_looked_at_us_ = now_us;
    for (const auto handle : std::exchange(later_, {})) {
      if (session* each = find(handle)) {
        each->in_later = false;
        attend(*each);
      }
    }
  }
  attended_.swap(attention_);
  for (const auto handle : attended_) {
    if (session* each = find(handle)) {
      each->in_attention = false;
      consider(*each);
    }
  }
  attended_.clear();
  // What is read faster than it can be removed would fill the queue with removals.
  while (!line_.empty() && pages_.size() < settings_.pages_at_once &&
         queue_.removals() < settings_.removals_before_pages) {
    session* next = find(line_.front());
    line_.pop_front();
    if (next == nullptr || !next->in_line) continue;
    next->in_line = false;
    if (!next->live && next->page_token == 0) ask_for_page(*next);
  }
  if (outside_.profiles != nullptr) {
    profiles_.ask(*outside_.profiles, [this](session_handle reader) { return account_of(reader); });
  }
  report(now_us);
  // Much is never stored, since it is acknowledged first.
  if (now_us - trimmed_at_us_ >= trim_pause_us) {
    trimmed_at_us_ = now_us;
    trim();
  }
  outside_.records.flush();
}

}  // namespace restante
