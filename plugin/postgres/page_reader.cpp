#include "postgres/page_reader.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "core/filter.h"
#include "core/names.h"
#include "core/topic.h"
#include "postgres/batch_statements.h"
#include "postgres/readable.h"

namespace restante {
namespace {

constexpr std::uint32_t most_rows = 10'000;
constexpr std::size_t largest_payload_bytes = 268'435'455;  // of any MQTT packet

// One row more than wanted tells whether there are more. Bodies beyond the allowance in bytes stay in the
// server: their lengths are known without reading them.
constexpr statement page_statement{"read_page", R"(
with listed as materialized (
  select d.number, coalesce(d.topic, m.topic) as topic, coalesce(d.sender_id, m.sender_id) as sender_id,
         coalesce(d.message_id, m.message_id) as message_id, coalesce(d.payload, m.payload) as payload,
         coalesce(d.qos, m.qos) as qos, coalesce(d.properties, m.properties) as properties,
         coalesce(d.expires_at, m.expires_at) as expires_at
  from (
    select d.* from delivery d
    where d.mailbox_id = (select b.id from account a join mailbox b on b.account_id = a.id and b.device = ''
                          where a.name = $1)
      and d.number > greatest($2, (extract(epoch from now()) * 1000000)::bigint - $5)
      and (d.expires_at is null or d.expires_at > (extract(epoch from now()) * 1000000)::bigint)
    order by d.number limit $3 + 1) d
  left join lateral (
    select m.* from message m
    where m.number = case when d.payload is null then d.number end
      and m.number > greatest($2, (extract(epoch from now()) * 1000000)::bigint - $5)  -- leaves out days at once
    offset 0) m on true
  order by d.number
), measured as (
  select *, row_number() over whole as place, sum(coalesce(octet_length(payload), 0)) over whole as bytes
  from listed window whole as (order by number)
)
select p.number, p.topic, (select s.name::text from account s where s.id = p.sender_id), p.message_id,
       case when fits then p.payload end, p.qos, p.properties, p.expires_at, fits
from (select *, place <= $3 and (place = 1 or bytes <= $4) as fits from measured) p
order by p.number)"};

// The message in a row, or why there is none.
struct reading {
  shared_message made;
  std::string_view why;
};

reading read_row(const row& from, message_number number) {
  const auto topic = from.optional_text(1), id = from.optional_text(3);
  const auto payload = from.optional_bytea(4);
  if (!topic || !is_topic(*topic)) return {nullptr, "its topic is none"};
  const parsed_topic parsed = parse_topic(*topic);
  const std::string_view speaks = speaker(parsed);
  if (speaks.empty() || std::holds_alternative<acknowledge_topic>(parsed)) {
    return {nullptr, "its topic is not one of those that are kept"};
  }
  // The account that `expired` speaks of may never have existed.
  const std::string_view sender = from.optional_text(2).value_or(speaks);
  if (sender != speaks) return {nullptr, "its sender is not the one in its topic"};
  if (!id || !is_message_id(*id)) return {nullptr, "its message id is none"};
  if (!payload || payload->size() > largest_payload_bytes)
    return {nullptr, "it has no payload that MQTT could carry"};
  const std::int16_t qos = from.optional_int16(5).value_or(0);
  if (qos != 1 && qos != 2) return {nullptr, "its QoS is neither 1 nor 2"};

  auto made = std::make_shared<message>();
  made->number = number;
  made->topic = *topic;
  made->payload = *payload;
  made->properties = from.optional_bytea(6).value_or(std::string_view());
  made->key = {std::string(sender), std::string(*id)};
  made->qos = static_cast<std::uint8_t>(qos);
  made->expires_at_us = std::max<std::int64_t>(from.optional_int64(7).value_or(0), 0);
  return {std::move(made), {}};
}

void take_rows(const rows& answer, const std::string& account, message_number& after, page_reading& to) {
  constexpr std::size_t overhead_bytes = 256;
  to.read.complete = true;
  for (const row each : answer) {
    if (!each.boolean(8)) {
      to.read.complete = false;
      return;
    }
    after = each.int64(0);
    reading got = read_row(each, after);
    if (!got.made) {
      to.complaints.push_back("row " + std::to_string(after) + " of the mailbox of " + readable(account) +
                              " is no message: " + std::string(got.why));
      continue;
    }
    to.size_bytes += overhead_bytes + got.made->payload.size() + got.made->properties.size();
    to.read.rows.push_back(std::move(got.made));
  }
}

}  // namespace

result<page_reading> read_page(connection& from, const page_request& wanted, std::int64_t retention_us) {
  page_reading made;
  made.read.token = wanted.token;
  made.read.complete = true;
  if (!is_account_name(wanted.account)) return made;

  if (!wanted.resolve.empty()) {
    std::vector<wanted_key> keys;
    for (const message_key& each : wanted.resolve) keys.push_back({wanted.account, &each});
    auto found = find_by_key(from, keys);
    if (!found) return found.error();
    for (found_delivery& each : *found) made.read.resolved.push_back({std::move(each.key), each.number});
  }

  const std::int64_t limit = std::clamp<std::uint32_t>(wanted.limit, 1, most_rows);
  const auto limit_bytes = static_cast<std::int64_t>(std::min<std::uint64_t>(wanted.limit_bytes, INT64_MAX));
  message_number after = wanted.after;
  do {
    const auto answer =
        from.execute(page_statement, {wanted.account, after, limit, limit_bytes, retention_us});
    if (!answer) return answer.error();
    take_rows(*answer, wanted.account, after, made);
    // An empty page that is not the last would be asked for again for ever.
  } while (made.read.rows.empty() && !made.read.complete);
  return made;
}

}  // namespace restante
