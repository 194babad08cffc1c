#include "postgres/batch_statements.h"

#include "core/names.h"

namespace restante {

const std::string_view fast_path_settings =
    "set plan_cache_mode = force_generic_plan; set jit = off; set enable_seqscan = off;"
    "set enable_bitmapscan = off; set enable_hashjoin = off; set enable_mergejoin = off;"
    "set enable_material = off;"
    // PostgreSQL 13 does not have it.
    "select set_config(name, 'off', false) from pg_settings where name = 'enable_memoize';";

namespace {

constexpr statement singles_statement{"store_singles", R"(
with judged as materialized (
  select g.*, b.id as mailbox_id, s.id as sender_id,
         case when a.id is null then 'unknown'
              when a.status <> 'active' then 'departed'
              when exists (select from block k where k.account_id = a.id and k.blocked_id = s.id) then 'blocked'
              when g.is_full <> 0 then 'full' end as reason
  from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    g(number, recipient, topic, sender, message_id, payload, qos, properties, expires_at, is_full)
  left join account a on a.name = g.recipient
  left join mailbox b on b.account_id = a.id and b.device = ''
  left join account s on s.name = g.sender
), stored as (
  insert into delivery (mailbox_id, number, topic, sender_id, message_id, payload, qos, properties, expires_at)
  select mailbox_id, number, topic, sender_id, message_id, payload, qos, properties, expires_at
  from judged where reason is null
  on conflict do nothing
)
insert into dead_letter (number, recipient, topic, sender, message_id, payload, qos, properties, reason, receipt_at)
select number, recipient, topic, sender, message_id, payload, qos, properties, reason,
       case when tells_expiry(topic) then number_time(coalesce(expires_at, number + $11)) end
from judged where reason is not null
on conflict (number, recipient) do nothing)"};

constexpr statement bodies_statement{"store_bodies", R"(
with given as materialized (
  select g.*, s.id as sender_id
  from unnest($1, $2, $3, $4, $5, $6, $7, $8)
    g(number, topic, sender, message_id, payload, qos, properties, expires_at)
  left join account s on s.name = g.sender
), stored as (
  insert into message (number, topic, sender_id, message_id, payload, qos, properties, expires_at)
  select number, topic, sender_id, message_id, payload, qos, properties, expires_at
  from given where sender_id is not null
  on conflict do nothing
)
select number from given where sender_id is null)"};

constexpr statement deliveries_statement{"store_deliveries", R"(
with judged as materialized (
  select g.number, g.recipient, b.id as mailbox_id, m.expires_at,
         case when a.id is null then 'unknown'
              when a.status <> 'active' then 'departed'
              when exists (select from block k where k.account_id = a.id and k.blocked_id = m.sender_id) then 'blocked'
              when g.is_full <> 0 then 'full' end as reason
  from unnest($1, $2, $3) g(number, recipient, is_full)
  cross join lateral (select m.sender_id, m.expires_at from message m where m.number = g.number offset 0) m
  left join account a on a.name = g.recipient
  left join mailbox b on b.account_id = a.id and b.device = ''
), stored as (
  insert into delivery (mailbox_id, number, expires_at)
  select mailbox_id, number, expires_at from judged where reason is null
  on conflict do nothing
)
insert into dead_letter (number, recipient, topic, sender, message_id, payload, qos, properties, reason, receipt_at)
select j.number, j.recipient, m.topic, (select s.name from account s where s.id = m.sender_id), m.message_id,
       m.payload, m.qos, m.properties, j.reason,
       case when tells_expiry(m.topic) then number_time(coalesce(m.expires_at, m.number + $4)) end
from judged j
cross join lateral (select m.* from message m where m.number = j.number offset 0) m
where j.reason is not null
on conflict (number, recipient) do nothing)"};

constexpr statement bury_statement{"bury", R"(
insert into dead_letter (number, recipient, topic, sender, message_id, payload, qos, properties, reason, receipt_at)
select number, recipient, topic, sender, message_id, payload, qos, properties, $10,
       case when tells_expiry(topic) then number_time(coalesce(expires_at, number + $11)) end
from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
  g(number, recipient, topic, sender, message_id, payload, qos, properties, expires_at)
on conflict (number, recipient) do nothing)"};

constexpr statement older_receipts_statement{"find_older_receipts", R"(
select t.recipient, d.number
from unnest($1, $2, $3) t(recipient, topic, number)
cross join lateral (
  select b.id from account a join mailbox b on b.account_id = a.id and b.device = '' where a.name = t.recipient
  offset 0) b
cross join lateral (
  select d.number from delivery d
  where d.mailbox_id = b.id and d.topic = t.topic and d.topic like 'receipt/%' and d.number < t.number
  offset 0) d)"};

// Each mailbox is read once, however many of its keys are wanted: `ids` has them as the keys of an object,
// which is searched in the logarithm of their number. Bodies of groups are found by their key.
constexpr statement by_key_statement{"find_by_key", R"(
with wanted as materialized (
  select k.account, k.sender, k.message_id,
         (select b.id from account a join mailbox b on b.account_id = a.id and b.device = ''
          where a.name = k.account) as mailbox_id,
         (select s.id from account s where s.name = k.sender) as sender_id
  from unnest($1, $2, $3) k(account, sender, message_id)
), boxes as materialized (
  select mailbox_id, account, jsonb_object_agg(message_id, true) as ids
  from wanted where sender_id is not null group by mailbox_id, account
)
select x.account, (select s.name::text from account s where s.id = d.sender_id), d.message_id, d.number, true
from boxes x
cross join lateral (
  select d.sender_id, d.message_id, d.number from delivery d
  where d.mailbox_id = x.mailbox_id and x.ids ? d.message_id and d.topic not like 'receipt/%'
  offset 0) d
where d.sender_id is not null
union all
select w.account, w.sender, w.message_id, m.number, coalesce(passes_receipts(split_part(m.topic, '/', 2)), false)
from wanted w
cross join lateral (
  select m.number, m.topic from message m where m.message_id = w.message_id and m.sender_id = w.sender_id
  offset 0) m
cross join lateral (
  select from delivery d where d.mailbox_id = w.mailbox_id and d.number = m.number and d.topic is null
  offset 0) d
order by 4)"};

constexpr statement settle_statement{
    "settle_dead_letters",
    "update dead_letter set receipt_at = null where id = any($1) and receipt_at is not null"};

constexpr statement mark_statement{"mark_stored_through", R"(
update broker set stored_through = greatest(stored_through, $1) returning pg_current_xact_id()::text)"};

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

result<void> done(const result<rows>& answer) {
  if (!answer) return answer.error();
  return {};
}

}  // namespace

void message_rows::push(const message& what, std::string_view recipient,
                        std::optional<std::int64_t> expires_at_us, bool is_full) {
  numbers_.push(what.number);
  recipients_.push(recipient);
  topics_.push(what.topic);
  senders_.push(what.key.sender);
  ids_.push(what.key.id);
  payloads_.push(what.payload);
  qos_.push(static_cast<std::int16_t>(what.qos));
  properties_.push(what.properties);
  expiries_.push(expires_at_us);
  full_.push(static_cast<std::int16_t>(is_full ? 1 : 0));
}

void message_rows::clear() { *this = message_rows(); }

void delivery_rows::push(message_number number, std::string_view recipient, bool is_full) {
  numbers_.push(number);
  recipients_.push(recipient);
  full_.push(static_cast<std::int16_t>(is_full ? 1 : 0));
}

void delivery_rows::clear() { *this = delivery_rows(); }

result<void> store_singles(connection& to, const message_rows& rows, std::int64_t retention_us) {
  return done(to.execute(singles_statement, {rows.numbers_, rows.recipients_, rows.topics_, rows.senders_,
                                             rows.ids_, rows.payloads_, rows.qos_, rows.properties_,
                                             rows.expiries_, rows.full_, retention_us}));
}

result<std::vector<message_number>> store_bodies(connection& to, const message_rows& rows) {
  const auto answer =
      to.execute(bodies_statement, {rows.numbers_, rows.topics_, rows.senders_, rows.ids_, rows.payloads_,
                                    rows.qos_, rows.properties_, rows.expiries_});
  if (!answer) return answer.error();
  std::vector<message_number> unstored;
  for (const row each : *answer) unstored.push_back(each.int64(0));
  return unstored;
}

result<void> store_deliveries(connection& to, const delivery_rows& rows, std::int64_t retention_us) {
  return done(to.execute(deliveries_statement, {rows.numbers_, rows.recipients_, rows.full_, retention_us}));
}

result<void> bury(connection& to, const message_rows& rows, std::string_view reason,
                  std::int64_t retention_us) {
  return done(to.execute(
      bury_statement, {rows.numbers_, rows.recipients_, rows.topics_, rows.senders_, rows.ids_,
                       rows.payloads_, rows.qos_, rows.properties_, rows.expiries_, reason, retention_us}));
}

result<std::vector<found_delivery>> find_older_receipts(connection& in,
                                                        std::span<const newer_receipt> newer) {
  text_array recipients, topics;
  int64_array numbers;
  for (const newer_receipt& each : newer) {
    recipients.push(each.recipient);
    topics.push(each.topic);
    numbers.push(each.number);
  }
  const auto answer = in.execute(older_receipts_statement, {recipients, topics, numbers});
  if (!answer) return answer.error();
  std::vector<found_delivery> found;
  for (const row each : *answer) found.push_back({std::string(each.text(0)), {}, each.int64(1), {}});
  return found;
}

result<std::vector<found_delivery>> find_by_key(connection& in, std::span<const wanted_key> wanted) {
  text_array accounts, senders, ids;
  for (const wanted_key& each : wanted) {
    if (!is_account_name(each.account) || !is_account_name(each.key->sender) ||
        !is_message_id(each.key->id)) {
      continue;
    }
    accounts.push(each.account);
    senders.push(each.key->sender);
    ids.push(each.key->id);
  }
  std::vector<found_delivery> found;
  if (accounts.empty()) return found;
  const auto answer = in.execute(by_key_statement, {accounts, senders, ids});
  if (!answer) return answer.error();
  for (const row each : *answer) {
    found.push_back({std::string(each.text(0)),
                     {std::string(each.text(1)), std::string(each.text(2))},
                     each.int64(3),
                     each.boolean(4)});
  }
  return found;
}

result<void> settle_dead_letters(connection& in, std::span<const std::int64_t> ids) {
  int64_array given;
  for (const std::int64_t id : ids) given.push(id);
  return done(in.execute(settle_statement, {given}));
}

result<std::string> mark_stored_through(connection& in, message_number number) {
  const auto answer = in.execute(mark_statement, {number});
  if (!answer) return answer.error();
  if (answer->empty())
    return database_error{database_failure::other, "", "the table restante.broker is empty"};
  return std::string((*answer)[0].text(0));
}

result<bool> was_committed(connection& in, std::string_view transaction, message_number marked) {
  const auto answer =
      in.execute("select pg_xact_status($1::text::xid8) = 'committed' and stored_through >= $2 from broker",
                 {transaction, marked});
  if (!answer) {
    // Of a transaction that this server has not had yet: it is another one, which took over without it.
    if (answer.error().kind == database_failure::data) return false;
    return answer.error();
  }
  return !answer->empty() && (*answer)[0].optional_boolean(0).value_or(false);
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

}  // namespace restante
