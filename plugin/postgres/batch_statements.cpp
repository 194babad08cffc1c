#include "postgres/batch_statements.h"

#include <chrono>
#include <cstdio>

namespace restante {

const std::string_view fast_path_settings =
    "set plan_cache_mode = force_generic_plan; set jit = off; set enable_seqscan = off;"
    "set enable_bitmapscan = off; set enable_hashjoin = off; set enable_mergejoin = off;"
    "set enable_material = off;"
    // PostgreSQL 13 does not have it.
    "select set_config(name, 'off', false) from pg_settings where name = 'enable_memoize';";

namespace {

// Whether a recipient may have it, for rows `g` with account_id, sender_id and is_full. Most accounts are
// active, so the index of the others is next to nothing to look at.
constexpr std::string_view reason_sql = R"(
  case when g.account_id is null then 'unknown'
       when exists (select from account a where a.id = g.account_id and a.status <> 'active') then 'departed'
       {left}
       when exists (select from block k where k.account_id = g.account_id and k.blocked_id = g.sender_id) then 'blocked'
       when g.is_full <> 0 then 'full' end as reason)";

// Whether it has left the group, whose name has the place `group_place` in $9. Each group is read once, into
// a hash, which costs 0.3 us a row where ten messages of a group come together; to look for each row alone,
// 0.8. The array in between keeps the planner to it: whatever groups it was shown, no array is too large to
// be hashed.
constexpr std::string_view left_sql = R"(
       when (g.group_place, g.account_id) not in (
         select n.place, m.account_id
         from unnest($9) with ordinality n(name, place)
         cross join lateral unnest(array(
           select m.account_id from member m
           where m.group_id = (select a.id from account_group a where a.name = n.name))) m(account_id)) then 'left')";

constexpr std::string_view singles_sql = R"(
with judged as materialized (
  select g.*, {reason}
  from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    g(mailbox_id, number, topic, sender_id, message_id, payload, qos, properties, expires_at, account_id,
      recipient, is_full)
), stored as (
  insert into delivery (mailbox_id, number, topic, sender_id, message_id, payload, qos, properties, expires_at)
  select mailbox_id, number, topic, sender_id, message_id, payload, qos, properties, expires_at
  from judged where reason is null {again}
)
insert into dead_letter (number, recipient, topic, sender, message_id, payload, qos, properties, reason, receipt_at)
select number, recipient, topic,
       coalesce((select s.name from account s where s.id = sender_id), split_part(topic, '/', 3)),
       message_id, payload, qos, properties, reason,
       case when tells_expiry(topic) then number_time(coalesce(expires_at, number + $13)) end
from judged where reason is not null
on conflict (number, recipient) do nothing)";

constexpr std::string_view bodies_sql = R"(
insert into message (number, topic, sender_id, message_id, payload, qos, properties, expires_at)
select * from unnest($1, $2, $3, $4, $5, $6, $7, $8) {again})";

constexpr std::string_view deliveries_sql = R"(
with judged as materialized (
  select g.*, {reason}
  from unnest($1, $2, $3, $4, $5, $6, $7, $10)
    g(mailbox_id, number, expires_at, account_id, sender_id, recipient, is_full, group_place)
), stored as (
  insert into delivery (mailbox_id, number, expires_at)
  select mailbox_id, number, expires_at from judged where reason is null {again}
)
insert into dead_letter (number, recipient, topic, sender, message_id, payload, qos, properties, reason, receipt_at)
select j.number, j.recipient, m.topic, (select s.name from account s where s.id = m.sender_id), m.message_id,
       m.payload, m.qos, m.properties, j.reason,
       case when tells_expiry(m.topic) then number_time(coalesce(m.expires_at, m.number + $8)) end
from judged j
cross join lateral (select m.* from message m where m.number = j.number offset 0) m
where j.reason <> 'left'
on conflict (number, recipient) do nothing)";

std::string assembled(std::string_view sql, attempt_kind kind, std::string_view left) {
  std::string made(sql);
  const auto fill = [&](std::string_view mark, std::string_view text) {
    if (const auto at = made.find(mark); at != std::string::npos) made.replace(at, mark.size(), text);
  };
  fill("{reason}", reason_sql);
  fill("{left}", left);
  fill("{again}", kind == attempt_kind::again ? "on conflict do nothing" : "");
  return made;
}

// What is inserted for the first time, and again.
class insertion {
 public:
  insertion(std::string_view name, std::string_view sql, std::string_view left = {})
      : name_(name),
        name_again_(std::string(name) + "_again"),
        sql_(assembled(sql, attempt_kind::first, left)),
        sql_again_(assembled(sql, attempt_kind::again, left)) {}
  statement of(attempt_kind kind) const {
    return kind == attempt_kind::first ? statement{name_, sql_} : statement{name_again_, sql_again_};
  }

 private:
  const std::string name_, name_again_, sql_, sql_again_;
};

constexpr statement bury_statement{"bury", R"(
insert into dead_letter (number, recipient, topic, sender, message_id, payload, qos, properties, reason, receipt_at)
select number, recipient, topic, sender, message_id, payload, qos, properties, $10,
       case when tells_expiry(topic) then number_time(coalesce(expires_at, number + $11)) end
from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
  g(number, recipient, topic, sender, message_id, payload, qos, properties, expires_at)
on conflict (number, recipient) do nothing)"};

constexpr statement older_receipts_statement{"find_older_receipts", R"(
select t.place, d.number, true
from unnest($1, $2, $3) with ordinality t(mailbox_id, topic, number, place)
cross join lateral (
  select d.number from delivery d
  where d.mailbox_id = t.mailbox_id and d.topic = t.topic and d.topic like 'receipt/%' and d.number < t.number
  offset 0) d)"};

// Each mailbox is read once, however many of its keys are wanted: `ids` and `places` have them as the keys of
// objects, which are searched in the logarithm of their number. Bodies of groups are found by their key, and
// each group is asked once whether it passes receipts on.
constexpr statement by_key_statement{"find_by_key", R"(
with wanted as materialized (
  select * from unnest($1, $2, $3) with ordinality k(mailbox_id, sender_id, message_id, place)
), boxes as materialized (
  select mailbox_id, jsonb_object_agg(message_id, true) as ids,
         jsonb_object_agg(sender_id || ' ' || message_id, place) as places
  from wanted group by mailbox_id
), direct as materialized (
  select (x.places -> (d.sender_id || ' ' || d.message_id))::bigint as place, d.number
  from boxes x
  cross join lateral (
    select d.sender_id, d.message_id, d.number from delivery d
    where d.mailbox_id = x.mailbox_id and x.ids ? d.message_id and d.topic not like 'receipt/%' and d.topic not like 'answer/%'
    offset 0) d
), to_group as materialized (
  select w.place, m.number, split_part(m.topic, '/', 2) as name
  from wanted w
  cross join lateral (
    select m.number, m.topic from message m where m.message_id = w.message_id and m.sender_id = w.sender_id
    offset 0) m
  cross join lateral (
    select from delivery d where d.mailbox_id = w.mailbox_id and d.number = m.number and d.topic is null
    offset 0) d
), groups as materialized (
  select n.name, coalesce(passes_receipts(n.name), false) as passes from (select distinct name from to_group) n
)
select place, number, true from direct where place is not null
union all
select t.place, t.number, (select g.passes from groups g where g.name = t.name) from to_group t
order by 2)"};

constexpr statement settle_statement{
    "settle_dead_letters",
    "update dead_letter set receipt_at = null where id = any($1) and receipt_at is not null"};

constexpr statement mark_statement{
    "mark_stored_through",
    "update broker set stored_through = greatest(stored_through, $1), last_batch = $2"};

constexpr statement days_statement{"list_days", R"(
select (extract(epoch from to_date(right(c.relname, 8), 'YYYYMMDD')) / 86400)::bigint
from pg_inherits i join pg_class c on c.oid = i.inhrelid
where i.inhparent = 'delivery'::regclass and c.relname ~ '^delivery_[0-9]{8}$')"};

constexpr statement count_statement{"count_mailboxes", R"(
select n, (select count(*) from (
             select from delivery d where d.mailbox_id = (
               select b.id from account a join mailbox b on b.account_id = a.id and b.device = '' where a.name = n)
             limit $2 + 1) waiting)
from unnest($1) n)"};

constexpr statement members_statement{"list_members", R"(
select g.name::text, (select a.name::text from account a where a.id = m.account_id)
from unnest($1) n
cross join lateral (select g.id, g.name from account_group g where g.name = n and g.status = 'active' offset 0) g
cross join lateral (select m.account_id from member m where m.group_id = g.id offset 0) m)"};

constexpr statement services_statement{"list_services", R"(
select s.name::text, (select a.name::text from account a where a.id = s.account_id)
from unnest($1) n
cross join lateral (select s.name, s.account_id from service s where s.name = n offset 0) s)"};

constexpr std::int64_t day_us = 86'400'000'000;

std::optional<std::int64_t> account_id(const account_place* of) {
  return of ? std::optional(of->account_id) : std::nullopt;
}
std::optional<std::int64_t> mailbox_id(const account_place* of) {
  return of ? std::optional(of->mailbox_id) : std::nullopt;
}

}  // namespace

void message_rows::push(const message& what, const named_account& recipient, const account_place* sender,
                        std::optional<std::int64_t> expires_at_us, bool is_full) {
  numbers_.push(what.number);
  recipients_.push(recipient.name);
  account_ids_.push(account_id(recipient.place));
  mailbox_ids_.push(mailbox_id(recipient.place));
  topics_.push(what.topic);
  senders_.push(what.key.sender);
  sender_ids_.push(account_id(sender));
  ids_.push(what.key.id);
  payloads_.push(what.payload);
  qos_.push(static_cast<std::int16_t>(what.qos));
  properties_.push(what.properties);
  expiries_.push(expires_at_us);
  full_.push(static_cast<std::int16_t>(is_full ? 1 : 0));
}

void message_rows::clear() { *this = message_rows(); }

void delivery_rows::push(message_number number, std::string_view group, const named_account& recipient,
                         const account_place* sender, std::optional<std::int64_t> expires_at_us,
                         bool is_full) {
  if (groups_.empty() || group != last_group_) {
    const auto next = static_cast<std::int64_t>(groups_.size()) + 1;
    const auto [known, is_new] = known_groups_.try_emplace(std::string(group), next);
    if (is_new) groups_.push(group);
    last_group_ = group;
    last_place_ = known->second;
  }
  group_places_.push(last_place_);
  numbers_.push(number);
  recipients_.push(recipient.name);
  account_ids_.push(account_id(recipient.place));
  mailbox_ids_.push(mailbox_id(recipient.place));
  sender_ids_.push(account_id(sender));
  expiries_.push(expires_at_us);
  full_.push(static_cast<std::int16_t>(is_full ? 1 : 0));
}

void delivery_rows::clear() { *this = delivery_rows(); }

void store_singles(pipeline& to, const message_rows& rows, std::int64_t retention_us, attempt_kind kind) {
  static const insertion store("store_singles", singles_sql);
  to.add(store.of(kind), {rows.mailbox_ids_, rows.numbers_, rows.topics_, rows.sender_ids_, rows.ids_,
                          rows.payloads_, rows.qos_, rows.properties_, rows.expiries_, rows.account_ids_,
                          rows.recipients_, rows.full_, retention_us});
}

void store_bodies(pipeline& to, const message_rows& rows, attempt_kind kind) {
  static const insertion store("store_bodies", bodies_sql);
  to.add(store.of(kind), {rows.numbers_, rows.topics_, rows.sender_ids_, rows.ids_, rows.payloads_, rows.qos_,
                          rows.properties_, rows.expiries_});
}

void store_deliveries(pipeline& to, const delivery_rows& rows, std::int64_t retention_us, attempt_kind kind) {
  static const insertion store("store_deliveries", deliveries_sql, left_sql);
  to.add(store.of(kind),
         {rows.mailbox_ids_, rows.numbers_, rows.expiries_, rows.account_ids_, rows.sender_ids_,
          rows.recipients_, rows.full_, retention_us, rows.groups_, rows.group_places_});
}

void bury(pipeline& to, const message_rows& rows, std::string_view reason, std::int64_t retention_us) {
  to.add(bury_statement, {rows.numbers_, rows.recipients_, rows.topics_, rows.senders_, rows.ids_,
                          rows.payloads_, rows.qos_, rows.properties_, rows.expiries_, reason, retention_us});
}

std::size_t find_older_receipts(pipeline& in, std::span<const newer_receipt> newer) {
  int64_array recipients, numbers;
  text_array topics;
  for (const newer_receipt& each : newer) {
    recipients.push(mailbox_id(each.recipient));
    topics.push(each.topic);
    numbers.push(each.number);
  }
  return in.add(older_receipts_statement, {recipients, topics, numbers});
}

namespace {

struct key_arrays {
  explicit key_arrays(std::span<const wanted_key> wanted) {
    for (const wanted_key& each : wanted) {
      mailboxes.push(each.account->mailbox_id);
      senders.push(each.sender->account_id);
      ids.push(each.id);
    }
  }
  int64_array mailboxes, senders;
  text_array ids;
};

}  // namespace

std::size_t find_by_key(pipeline& in, std::span<const wanted_key> wanted) {
  const key_arrays keys(wanted);
  return in.add(by_key_statement, {keys.mailboxes, keys.senders, keys.ids});
}

result<std::vector<found_delivery>> find_by_key(connection& in, std::span<const wanted_key> wanted) {
  const key_arrays keys(wanted);
  const auto answer = in.execute(by_key_statement, {keys.mailboxes, keys.senders, keys.ids});
  if (!answer) return answer.error();
  return read_found(*answer);
}

std::vector<found_delivery> read_found(const rows& answer) {
  std::vector<found_delivery> found;
  found.reserve(answer.size());
  for (const row each : answer) {
    found.push_back({static_cast<std::size_t>(each.int64(0) - 1), each.int64(1),
                     each.optional_boolean(2).value_or(false)});
  }
  return found;
}

result<std::vector<std::int64_t>> list_days(connection& in) {
  const auto answer = in.execute(days_statement);
  if (!answer) return answer.error();
  std::vector<std::int64_t> days;
  for (const row each : *answer) days.push_back(each.int64(0));
  return days;
}

std::int64_t day_of(message_number number) { return number / day_us; }

// By their places in the table, which leaves the planner no choice of where to begin.
void remove_deliveries(pipeline& from, std::int64_t day, std::span<const delivery_place> gone) {
  int64_array mailboxes, numbers;
  for (const delivery_place& each : gone) {
    mailboxes.push(each.mailbox_id);
    numbers.push(each.number);
  }
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
  char leaf[32];
  std::snprintf(leaf, sizeof leaf, "delivery_%04d%02u%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  const std::string sql = "delete from " + std::string(leaf) +
                          " where ctid = any(array("
                          "select d.ctid from unnest($1, $2) u(mailbox_id, number) cross join lateral ("
                          "select d.ctid from " +
                          leaf + " d where d.mailbox_id = u.mailbox_id and d.number = u.number offset 0) d))";
  from.add({"remove_from_" + std::string(leaf), sql}, {mailboxes, numbers});
}

void settle_dead_letters(pipeline& in, std::span<const std::int64_t> ids) {
  int64_array given;
  for (const std::int64_t id : ids) given.push(id);
  in.add(settle_statement, {given});
}

result<void> settle_dead_letters(connection& in, std::span<const std::int64_t> ids) {
  int64_array given;
  for (const std::int64_t id : ids) given.push(id);
  const auto answer = in.execute(settle_statement, {given});
  if (!answer) return answer.error();
  return {};
}

void mark_stored_through(pipeline& in, message_number number, std::int64_t batch) {
  in.add(mark_statement, {number, batch});
}

result<bool> was_committed(connection& in, std::int64_t batch) {
  const auto answer = in.execute("select last_batch = $1 from broker", {batch});
  if (!answer) return answer.error();
  return !answer->empty() && (*answer)[0].boolean(0);
}

result<std::vector<mailbox_count>> count_mailboxes(connection& in, std::span<const std::string> accounts,
                                                   std::int64_t limit) {
  text_array names;
  for (const std::string& each : accounts) names.push(each);
  const auto answer = in.execute(count_statement, {names, limit});
  if (!answer) return answer.error();
  std::vector<mailbox_count> counts;
  for (const row each : *answer) counts.push_back({std::string(each.text(0)), each.int64(1)});
  return counts;
}

result<std::vector<group_member>> list_members(connection& in, std::span<const std::string> groups) {
  text_array names;
  for (const std::string& each : groups) names.push(each);
  const auto answer = in.execute(members_statement, {names});
  if (!answer) return answer.error();
  std::vector<group_member> members;
  for (const row each : *answer) members.push_back({std::string(each.text(0)), std::string(each.text(1))});
  return members;
}

result<std::vector<granted_service>> list_services(connection& in, std::span<const std::string> services) {
  text_array names;
  for (const std::string& each : services) names.push(each);
  const auto answer = in.execute(services_statement, {names});
  if (!answer) return answer.error();
  std::vector<granted_service> granted;
  for (const row each : *answer) granted.push_back({std::string(each.text(0)), std::string(each.text(1))});
  return granted;
}

}  // namespace restante
