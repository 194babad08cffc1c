#include "postgres/change_feed.h"

#include <set>

namespace restante {
namespace {

constexpr std::chrono::minutes longest_silence{30};
constexpr std::int64_t most_changes = 10'000;

// One row with neither account nor group when nothing changed.
constexpr statement changes_statement{"read_changes", R"(
select pg_current_snapshot()::text, left(pg_walfile_name(pg_current_wal_lsn()), 8),
       (select a.name::text from account a where a.id = c.account_id),
       (select g.name::text from account_group g where g.id = c.group_id),
       c.is_change is not null and c.account_id is null and c.group_id is null, coalesce(c.of_profile, false)
from (select) as always
left join lateral (
  select distinct true as is_change, c.account_id, c.group_id, c.of_profile from (
    select c.account_id, c.group_id, c.of_profile from change c
    where c.transaction >= pg_snapshot_xmin($1::text::pg_snapshot)
      and not pg_visible_in_snapshot(c.transaction, $1::text::pg_snapshot)
    limit $2 + 1) c
) c on true)"};

}  // namespace

result<std::optional<directory_changed>> change_feed::poll(connection& on, time_point now) {
  const auto answer = on.execute(changes_statement, {seen_, most_changes});
  if (!answer) return answer.error();
  const row first = (*answer)[0];

  directory_changed changed;
  const bool is_first = !seen_;
  changed.everyone = !is_first && (now - seen_at_ >= longest_silence || server_ != first.text(1) ||
                                   static_cast<std::int64_t>(answer->size()) > most_changes);
  seen_ = std::string(first.text(0));
  server_ = first.text(1);
  seen_at_ = now;
  if (is_first) return std::optional<directory_changed>();

  std::set<std::string> accounts, groups, profiles;
  for (const row each : *answer) {
    if (each.boolean(4)) changed.everyone = true;
    if (const auto name = each.optional_text(2)) (each.boolean(5) ? profiles : accounts).emplace(*name);
    if (const auto name = each.optional_text(3)) groups.emplace(*name);
  }
  if (!changed.everyone) {
    if (accounts.empty() && groups.empty() && profiles.empty()) return std::optional<directory_changed>();
    changed.accounts.assign(accounts.begin(), accounts.end());
    changed.groups.assign(groups.begin(), groups.end());
    changed.profiles.assign(profiles.begin(), profiles.end());
  }
  return std::optional(std::move(changed));
}

}  // namespace restante
