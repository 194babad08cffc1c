#include "postgres/directory_reader.h"

namespace restante {
namespace {

enum row_kind : std::int32_t { account_row = 0, group_row = 1, rule_row = 2, block_row = 3, service_row = 4 };

// Five kinds of rows in one answer. Rules are found by their subject through the index `rule_once`, whose
// expressions the joins repeat; a group's size is counted no further than it matters. Whom an account blocks
// beyond the first ten thousand, the store knows alone.
constexpr statement account_query{"read_account", R"(
with who as materialized (
  select id, name, status, password_hash, acknowledge, has_acknowledged from restante.account where name = $1
), mine as materialized (
  select g.id, g.name, m.role, g.receipts
  from who join restante.member m on m.account_id = who.id
  join restante.account_group g on g.id = m.group_id and g.status = 'active'
), subject (account_id, group_id, name) as (
  select 0::bigint, 0::bigint, null::text from who
  union all select id, 0, name from who
  union all select 0, id, name from mine
)
select 0 as kind, id, name::text, status, password_hash, acknowledge, has_acknowledged, false from who
union all
select 1, id, name, role, null, null,
       coalesce(receipts, (select count(*) from (select from restante.member m where m.group_id = mine.id limit 33) few)
                          <= 32), false
from mine
union all
select 2, r.id, r.filter, r.effect, r.action, subject.name, r.durable, subject.group_id <> 0
from subject join restante.rule r
  on coalesce(r.account_id, 0) = subject.account_id and coalesce(r.group_id, 0) = subject.group_id
union all
select 3, few.id, few.name, null, null, null, false, false
from (select a.id, a.name::text from who join restante.block k on k.account_id = who.id
      join restante.account a on a.id = k.blocked_id limit 10000) few
union all
select 4, 0, s.name::text, null, null, null, false, false
from who join restante.service s on s.account_id = who.id
order by 1, 2)"};

constexpr statement rosters_query{"read_rosters", R"(
select g.name::text, a.name::text, m.place
from restante.account_group g
left join lateral (
  select account_id, row_number() over () as place
  from (select account_id from restante.member where group_id = g.id limit $2 + 1) few
) m on true
left join restante.account a on a.id = m.account_id and a.status = 'active'
where g.name = any($1) and g.status = 'active'
order by g.id, m.account_id)"};

// A row for each reader that is blocked, one at least. Nulls within `custom` are its own.
constexpr statement profile_query{"read_profile", R"(
select p.version,
       (case when a.status = 'deleted'
             then jsonb_build_object('account', a.name, 'version', p.version, 'deleted', true)
             else jsonb_strip_nulls(jsonb_build_object('account', a.name, 'version', p.version, 'name', p.display_name,
                                                       'image', p.image_url, 'language', p.language))
                  || case when p.custom = '{}' then '{}' else jsonb_build_object('custom', p.custom) end
        end)::text,
       k.name
from restante.account a
join restante.profile p on p.account_id = a.id
left join lateral (
  select r.name::text as name from unnest($2) u(name)
  join restante.account r on r.name = u.name
  join restante.block b on b.account_id = a.id and b.blocked_id = r.id
) k on true
where a.name = $1)"};

acknowledge_mode mode_of(std::string_view text) {
  if (text == "receipt") return acknowledge_mode::receipt;
  if (text == "puback") return acknowledge_mode::puback;
  if (text == "handoff") return acknowledge_mode::handoff;
  return acknowledge_mode::automatic;
}

void take_account(const row& from, account_record& to) {
  to.id = from.int64(1);
  to.name = from.text(2);
  to.active = from.text(3) == "active";
  to.password_hash = from.optional_text(4);
  if (const auto mode = from.optional_text(5)) to.acknowledge = mode_of(*mode);
  to.has_acknowledged = from.boolean(6);
}

rule rule_of(const row& from) {
  rule made;
  made.id = from.int64(1);
  made.filter = from.text(2);
  made.effect = from.text(3) == "allow" ? rule_effect::allow : rule_effect::deny;
  made.action = from.text(4) == "publish" ? rule_action::publish : rule_action::subscribe;
  made.durable = from.boolean(6);
  if (const auto subject = from.optional_text(5)) {
    (from.boolean(7) ? made.subject_group : made.subject_account) = *subject;
  }
  return made;
}

}  // namespace

result<std::optional<account_record>> read_account(connection& from, std::string_view name) {
  auto answer = from.execute(account_query, {name});
  if (!answer) return answer.error();
  if (answer->empty()) return std::optional<account_record>();
  account_record record;
  for (const row each : *answer) {
    switch (each.int32(0)) {
      case account_row:
        take_account(each, record);
        break;
      case group_row:
        record.groups.push_back({std::string(each.text(2)), each.text(3) == "admin", each.boolean(6)});
        break;
      case rule_row:
        record.rules.push_back(rule_of(each));
        break;
      case block_row:
        record.blocked.emplace_back(each.text(2));
        break;
      case service_row:
        record.services.emplace_back(each.text(2));
        break;
    }
  }
  return std::optional(std::move(record));
}

result<std::vector<roster>> read_rosters(connection& from, std::span<const std::string> groups,
                                         std::int64_t group_limit) {
  text_array wanted;
  for (const std::string& group : groups) wanted.push(group);
  auto answer = from.execute(rosters_query, {wanted, group_limit});
  if (!answer) return answer.error();
  std::vector<roster> rosters;
  for (const row each : *answer) {
    if (rosters.empty() || rosters.back().group != each.text(0)) {
      rosters.push_back({std::string(each.text(0)), {}, true});
    }
    roster& current = rosters.back();
    if (each.optional_int64(2).value_or(0) > group_limit) current.whole = false;
    if (const auto member = each.optional_text(1)) current.members.emplace_back(*member);
  }
  for (roster& each : rosters) {
    if (!each.whole) each.members.clear();
  }
  return rosters;
}

result<profile_answer> read_profile(connection& from, const profile_request& wanted) {
  text_array readers;
  for (const std::string& each : wanted.readers) readers.push(each);
  const auto answer = from.execute(profile_query, {wanted.account, readers});
  if (!answer) return answer.error();
  profile_answer made;
  made.account = wanted.account;
  for (const row each : *answer) {
    made.version = each.int64(0);
    made.json = each.text(1);
    if (const auto name = each.optional_text(2)) made.blocked.emplace_back(*name);
  }
  return made;
}

}  // namespace restante
