#include "postgres/maintenance.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/names.h"
#include "postgres/batch_statements.h"
#include "postgres/store_session.h"

namespace restante {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr std::int64_t expire_at_once = 250;
constexpr std::int64_t offer_at_once = 100;
constexpr auto expire_pause = 1s, withdraw_pause = 1s, longest_sweep_pause = 60s, roll_pause = 3600s,
               roll_retry_pause = 60s;
constexpr auto patience_with_offered = 30s;
constexpr int sweep_share = 20;    // a sweep may take one part in so many of the time
constexpr int expire_share = 10;   // and expiring, while a day is moved
constexpr int withdraw_share = 4;  // and withdrawing, while there is more

// Offered again after the same half minute that the memory of this process has, so that a crash loses none.
// What is offered goes to the end of the line: letters that are never settled do not hold up the others.
constexpr std::string_view offer_sql = R"(
update dead_letter set receipt_at = now() + interval '30 seconds'
where id = any(array(select l.id from dead_letter l where l.receipt_at <= now() order by l.receipt_at limit $1))
returning id, sender, recipient, message_id)";

// Where dead letters are kept for less than a minute, they are looked at as often.
steady::duration sweep_pause(const store_settings& settings) {
  return std::min<steady::duration>(std::chrono::microseconds(settings.dead_letter_us), longest_sweep_pause);
}

}  // namespace

maintenance::maintenance(const store_settings& settings, post_function post)
    : settings_(settings),
      post_(std::move(post)),
      expire_{{}, &maintenance::expire},
      withdraw_{{}, &maintenance::withdraw},
      sweep_{{}, &maintenance::sweep},
      roll_{{}, &maintenance::roll} {}

void maintenance::begin(time_point now, bool is_rolled) {
  expire_.due = now;
  withdraw_.due = now;
  late_.begin();
  sweep_.due = now + sweep_pause(settings_);
  roll_.due = now + (is_rolled ? roll_pause : roll_retry_pause);
}

maintenance::time_point maintenance::next_due() const {
  return std::min({expire_.due, withdraw_.due, sweep_.due, roll_.due});
}

result<void> maintenance::run_due(connection& on, time_point now) {
  task* oldest = &expire_;
  for (task* each : {&withdraw_, &sweep_, &roll_}) {
    if (each->due < oldest->due) oldest = each;
  }
  if (oldest->due > now) return {};
  return (this->*oldest->run)(on, *oldest, now);
}

result<void> maintenance::expire(connection& on, task& self, time_point now) {
  self.due = now + expire_pause;
  const auto started = steady::now();
  const auto moved = on.execute("select restante_expire($1::integer)", {expire_at_once});
  if (!moved) return moved.error();
  const std::int64_t count = (*moved)[0].int64(0);
  if (count >= expire_at_once) {
    self.due = now + std::min<steady::duration>(expire_pause, (steady::now() - started) * expire_share);
  }
  return tell_senders(on, self, now);
}

result<void> maintenance::tell_senders(connection& on, task& self, time_point now) {
  if (!offered_.empty() && now - offered_at_ < patience_with_offered) return {};
  const auto answer = on.execute(offer_sql, {offer_at_once});
  if (!answer) return answer.error();
  offered_.clear();
  expired_due due;
  std::vector<std::int64_t> untellable;
  for (const row each : *answer) {
    const std::string_view sender = each.text(1), recipient = each.text(2), id = each.text(3);
    // Dead letters have what somebody wrote, names and ids or not.
    if (!is_account_name(sender) || !is_account_name(recipient) || !is_message_id(id)) {
      untellable.push_back(each.int64(0));
      continue;
    }
    offered_.insert(each.int64(0));
    due.expired.push_back({each.int64(0), std::string(sender), std::string(recipient), std::string(id)});
  }
  offered_at_ = now;
  if (!due.expired.empty()) post_(std::move(due));
  if (untellable.empty()) return {};
  self.due = now;
  return settle_dead_letters(on, untellable);
}

void maintenance::settled(std::span<const std::int64_t> dead_letters, time_point now) {
  if (offered_.empty()) return;
  for (const std::int64_t id : dead_letters) offered_.erase(id);
  if (offered_.empty()) expire_.due = std::min(expire_.due, now);
}

result<void> maintenance::withdraw(connection& on, task& self, time_point now) {
  const auto started = steady::now();
  const auto has_more = late_.run(on);
  const auto ended = steady::now();
  const auto share = (ended - started) * (withdraw_share - 1);
  self.due = now + withdraw_pause;
  if (!has_more) {
    self.due = ended + std::max<steady::duration>(withdraw_pause, share);
    return has_more.error();
  }
  if (*has_more) self.due = ended + share;
  return {};
}

result<void> maintenance::sweep(connection& on, task& self, time_point now) {
  self.due = now + sweep_pause(settings_);
  if (swept_through_ == 0) sweeping_ = {};
  const auto started = steady::now();
  const auto swept = on.execute(
      "select coalesce(swept_through, 0), letters from restante_sweep(make_interval(secs => $1), $2)",
      {static_cast<double>(settings_.dead_letter_us) / 1e6, swept_through_});
  if (!swept) return swept.error();
  sweeping_ += steady::now() - started;
  swept_through_ = (*swept)[0].int64(0);
  const bool is_over = swept_through_ == 0 && (*swept)[0].int64(1) == 0;
  self.due =
      now + (is_over ? std::max<steady::duration>(sweep_pause(settings_), sweeping_ * sweep_share) : 10ms);
  return {};
}

result<void> maintenance::roll(connection& on, task& self, time_point now) {
  auto rolled = roll_partitions(on, settings_.retention_us);
  self.due = now + (rolled ? roll_pause : roll_retry_pause);
  return rolled;
}

}  // namespace restante
