#include "postgres/late_withdrawal.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "postgres/pipeline.h"

namespace restante {
namespace {

constexpr std::int64_t most_listed = 1'000, most_places = 10'000;
// How many mailboxes are read at once: more while that is quick, fewer when it is not.
constexpr std::size_t first_at_once = 4, most_at_once = 128;
constexpr std::chrono::milliseconds quick{5}, slow{20};

// Every transaction is after this one.
constexpr const char* no_snapshot = "1:1:";

// Accounts that have left the group which their change names, or are not active any more, where it names
// none. Those who have come back meanwhile are owed nothing and denied nothing.
constexpr statement list_statement{"list_departures", R"(
select pg_current_snapshot()::text, g.account_id, g.group_id
from (select) as always
left join lateral (
  select distinct c.account_id, coalesce(c.group_id, 0) as group_id from change c
  where c.transaction >= pg_snapshot_xmin($1::text::pg_snapshot)
    and not pg_visible_in_snapshot(c.transaction, $1::text::pg_snapshot)
    and c.account_id is not null and not c.of_profile and (c.account_id, coalesce(c.group_id, 0)) > ($2, $3)
    and case when c.group_id is null
             then exists (select from account a where a.id = c.account_id and a.status <> 'active')
             else not exists (select from member m where m.group_id = c.group_id and m.account_id = c.account_id) end
  order by 1, 2 limit $4
) g on true
order by g.account_id, g.group_id)"};

// The conditions again: somebody may have come back since, and been sent more.
constexpr statement find_statement{"find_left_behind", R"(
select b.id, r.number
from unnest($1, $2) g(account_id, group_id)
cross join lateral (
  select b.id, (select 'group/' || n.name || '/' from account_group n where n.id = g.group_id) as prefix
  from mailbox b
  where b.account_id = g.account_id
    and case when g.group_id = 0
             then exists (select from account a where a.id = g.account_id and a.status <> 'active')
             else not exists (select from member m where m.group_id = g.group_id and m.account_id = g.account_id) end
  offset 0) b
cross join lateral (
  select d.number from delivery d
  where d.mailbox_id = b.id and (g.group_id = 0 or d.payload is null)
  offset 0) r
where g.group_id = 0
   or exists (select from message m where m.number = r.number and starts_with(m.topic, b.prefix))
limit $3)"};

result<void> remove(connection& from, const std::vector<delivery_place>& gone) {
  if (gone.empty()) return {};
  std::map<std::int64_t, std::vector<delivery_place>> by_day;
  for (const delivery_place& each : gone) by_day[day_of(each.number)].push_back(each);
  auto begun = pipeline::begin(from);
  if (!begun) return begun.error();
  for (const auto& [day, places] : by_day) remove_deliveries(*begun, day, places);
  return begun->finish();
}

}  // namespace

void late_withdrawal::begin() {
  seen_ = no_snapshot;
  round_.reset();
  last_ = {};
  is_listed_ = false;
  waiting_.clear();
  at_once_ = first_at_once;
}

result<bool> late_withdrawal::run(connection& on) {
  if (waiting_.empty()) {
    if (auto listed = list(on); !listed) return listed.error();
  }
  if (!waiting_.empty()) {
    const std::size_t count = std::min(waiting_.size(), at_once_);
    const auto started = std::chrono::steady_clock::now();
    at_once_ = 1;  // should it fail
    auto places = find(on, count);
    if (!places) return places.error();
    std::ranges::sort(*places);
    if (auto removed = remove(on, *places); !removed) return removed.error();
    const auto taken = std::chrono::steady_clock::now() - started;
    at_once_ = taken < quick  ? std::min(count * 2, most_at_once)
               : taken > slow ? std::max<std::size_t>(count / 2, 1)
                              : count;
    if (static_cast<std::int64_t>(places->size()) == most_places) return true;
    waiting_.resize(waiting_.size() - count);
  }
  if (!waiting_.empty() || !is_listed_) return true;
  seen_ = *std::exchange(round_, std::nullopt);
  last_ = {};
  is_listed_ = false;
  return false;
}

result<void> late_withdrawal::list(connection& on) {
  const auto answer = on.execute(list_statement, {seen_, last_.account_id, last_.group_id, most_listed});
  if (!answer) return answer.error();
  // What is committed while this round lasts may stand before where it is.
  if (!round_) round_ = std::string((*answer)[0].text(0));
  for (const row each : *answer) {
    if (!each.is_null(1)) waiting_.push_back({each.int64(1), each.int64(2)});
  }
  is_listed_ = static_cast<std::int64_t>(waiting_.size()) < most_listed;
  if (!waiting_.empty()) last_ = waiting_.back();
  std::ranges::reverse(waiting_);
  return {};
}

result<std::vector<delivery_place>> late_withdrawal::find(connection& on, std::size_t count) const {
  int64_array accounts, groups;
  for (std::size_t i = waiting_.size() - count; i < waiting_.size(); ++i) {
    accounts.push(waiting_[i].account_id);
    groups.push(waiting_[i].group_id);
  }
  const auto answer = on.execute(find_statement, {accounts, groups, most_places});
  if (!answer) return answer.error();
  std::vector<delivery_place> places;
  for (const row each : *answer) places.push_back({each.int64(0), each.int64(1)});
  return places;
}

}  // namespace restante
