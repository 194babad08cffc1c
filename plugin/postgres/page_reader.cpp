#include "postgres/page_reader.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
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

// Of payload, where several pages are read at once, and for one of them.
constexpr std::uint64_t most_bytes_at_once = 16 << 20, least_share_bytes = 256 << 10;

// One row more than wanted tells whether there are more. Bodies beyond the allowance in bytes stay in the
// server: their lengths are known without reading them. Days before the oldest cursor, $6, are left out at
// once.
constexpr statement pages_statement{"read_pages", R"(
select w.page, r.number, r.topic, (select s.name::text from account s where s.id = r.sender_id), r.message_id,
       case when r.place <= w.row_limit and (r.place = 1 or r.bytes <= w.byte_limit) then r.payload end,
       r.qos, r.properties, r.expires_at, r.place <= w.row_limit and (r.place = 1 or r.bytes <= w.byte_limit)
from unnest($1, $2, $3, $4) with ordinality w(account, after, row_limit, byte_limit, page)
cross join lateral (
  select b.id from account a join mailbox b on b.account_id = a.id and b.device = '' where a.name = w.account
  offset 0) b
cross join lateral (
  select d.*, row_number() over whole as place, sum(coalesce(octet_length(d.payload), 0)) over whole as bytes
  from (
    select d.* from delivery d
    where d.mailbox_id = b.id and d.number > w.after
      and d.number > greatest($6, (extract(epoch from now()) * 1000000)::bigint - $5)
      and (d.expires_at is null or d.expires_at > (extract(epoch from now()) * 1000000)::bigint)
    order by d.number limit w.row_limit + 1) d
  window whole as (order by d.number)
  order by d.number) r)"};

// What groups were sent, in the same columns: those that fit into $2 bytes together, the first in any case.
// All numbers are above $3.
constexpr statement bodies_statement{"read_bodies", R"(
select 0::bigint, r.number, r.topic, (select s.name::text from account s where s.id = r.sender_id), r.message_id,
       case when r.fits then r.payload end, r.qos, r.properties, r.expires_at, r.fits
from (
  select m.*, w.place = 1 or sum(octet_length(m.payload)) over (order by w.place) <= $2 as fits
  from unnest($1) with ordinality w(number, place)
  cross join lateral (select m.* from message m where m.number = w.number and m.number > $3 offset 0) m) r)"};

// The message in a row, or why there is none.
struct reading {
  shared_message made;
  std::string_view why;
};

reading read_row(const row& from, message_number number) {
  const auto topic = from.optional_text(2), id = from.optional_text(4);
  const auto payload = from.optional_bytea(5);
  if (!topic || !is_topic(*topic)) return {nullptr, "its topic is none"};
  const parsed_topic parsed = parse_topic(*topic);
  // Who answers does not stand in the topic.
  const std::string_view speaks = std::holds_alternative<answer_topic>(parsed)
                                      ? from.optional_text(3).value_or(std::string_view())
                                      : speaker(parsed);
  if (speaks.empty() || std::holds_alternative<acknowledge_topic>(parsed)) {
    return {nullptr, "its topic is not one of those that are kept"};
  }
  // The account that `expired` speaks of may never have existed.
  const std::string_view sender = from.optional_text(3).value_or(speaks);
  if (sender != speaks) return {nullptr, "its sender is not the one in its topic"};
  if (!id || !is_message_id(*id)) return {nullptr, "its message id is none"};
  if (!payload || payload->size() > largest_payload_bytes)
    return {nullptr, "it has no payload that MQTT could carry"};
  const std::int16_t qos = from.optional_int16(6).value_or(0);
  if (qos != 1 && qos != 2) return {nullptr, "its QoS is neither 1 nor 2"};

  auto made = std::make_shared<message>();
  made->number = number;
  made->topic = *topic;
  made->payload = *payload;
  made->properties = from.optional_bytea(7).value_or(std::string_view());
  made->key = {std::string(sender), std::string(*id)};
  made->qos = static_cast<std::uint8_t>(qos);
  made->expires_at_us = std::max<std::int64_t>(from.optional_int64(8).value_or(0), 0);
  return {std::move(made), {}};
}

bool is_recent(message_number after) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::microseconds(after) > now - std::chrono::hours(24);
}

// Bodies of groups by their numbers. One that did not fit is there without a message or a reason.
using body_map = std::unordered_map<message_number, reading>;

bool is_wanted(const row& of) { return of.boolean(9); }
bool has_body_elsewhere(const row& of) { return of.is_null(2); }

// Of all pages, each once: most pages have none, and then their tables are not even opened.
result<body_map> read_bodies(connection& from, const rows& pages) {
  body_map bodies;
  int64_array numbers;
  message_number lowest = INT64_MAX;
  for (const row each : pages) {
    if (!is_wanted(each) || !has_body_elsewhere(each)) continue;
    const message_number number = each.int64(1);
    if (!bodies.try_emplace(number, reading{nullptr, "its topic is none"}).second) continue;
    numbers.push(number);
    lowest = std::min(lowest, number);
  }
  if (numbers.empty()) return bodies;
  const auto answer =
      from.execute(bodies_statement, {numbers, static_cast<std::int64_t>(most_bytes_at_once), lowest - 1});
  if (!answer) return answer.error();
  for (const row each : *answer) {
    const message_number number = each.int64(1);
    bodies[number] = is_wanted(each) ? read_row(each, number) : reading();
  }
  return bodies;
}

// Of those read so far.
struct progress {
  message_number after = 0;
  std::uint64_t bytes = 0, byte_limit = 0;
  bool is_cut = false;  // a row did not fit
};

void take_row(const row& each, const body_map& bodies, const std::string& account, progress& so_far,
              page_reading& to) {
  constexpr std::size_t overhead_bytes = 256;
  if (so_far.is_cut) return;
  const auto cut = [&] {
    so_far.is_cut = true;
    to.read.complete = false;
  };
  if (!is_wanted(each)) return cut();
  const message_number number = each.int64(1);
  const reading got = has_body_elsewhere(each) ? bodies.at(number) : read_row(each, number);
  if (!got.made && got.why.empty()) return cut();
  if (got.made) {
    so_far.bytes += got.made->payload.size();
    if (!to.read.rows.empty() && so_far.bytes > so_far.byte_limit) return cut();
    to.size_bytes += overhead_bytes + got.made->payload.size() + got.made->properties.size();
    to.read.rows.push_back(got.made);
  } else {
    to.complaints.push_back("row " + std::to_string(number) + " of the mailbox of " + readable(account) +
                            " is no message: " + std::string(got.why));
  }
  so_far.after = number;
}

// Those of `wanted` whose places are in `open`.
result<void> read_open(connection& from, std::span<const page_request> wanted, std::vector<std::size_t> open,
                       std::int64_t retention_us, std::vector<page_reading>& made) {
  std::vector<progress> so_far(wanted.size());
  for (const std::size_t i : open) so_far[i].after = wanted[i].after;
  while (!open.empty()) {
    text_array accounts;
    int64_array after, row_limits, byte_limits;
    message_number oldest = INT64_MAX;
    const std::uint64_t share = std::max(most_bytes_at_once / open.size(), least_share_bytes);
    for (const std::size_t i : open) {
      accounts.push(wanted[i].account);
      after.push(so_far[i].after);
      row_limits.push(static_cast<std::int64_t>(std::clamp<std::uint32_t>(wanted[i].limit, 1, most_rows)));
      const std::uint64_t limit_bytes =
          open.size() == 1 ? wanted[i].limit_bytes : std::min(share, wanted[i].limit_bytes);
      byte_limits.push(static_cast<std::int64_t>(std::min<std::uint64_t>(limit_bytes, INT64_MAX)));
      so_far[i].byte_limit = limit_bytes;
      oldest = std::min(oldest, so_far[i].after);
      so_far[i].is_cut = false;
      made[i].read.complete = true;
    }
    const auto answer =
        from.execute(pages_statement, {accounts, after, row_limits, byte_limits, retention_us, oldest});
    if (!answer) return answer.error();
    const auto bodies = read_bodies(from, *answer);
    if (!bodies) return bodies.error();
    for (const row each : *answer) {
      const std::size_t i = open[static_cast<std::size_t>(each.int64(0) - 1)];
      take_row(each, *bodies, wanted[i].account, so_far[i], made[i]);
    }
    // An empty page that is not the last would be asked for again for ever.
    std::erase_if(open, [&](std::size_t i) { return !made[i].read.rows.empty() || made[i].read.complete; });
  }
  return {};
}

result<void> resolve(connection& in, std::span<const page_request> wanted, account_ids& ids,
                     std::vector<page_reading>& made) {
  std::vector<std::string_view> names;
  for (const page_request& each : wanted) {
    if (each.resolve.empty()) continue;
    names.push_back(each.account);
    for (const message_key& key : each.resolve) names.push_back(key.sender);
  }
  if (names.empty()) return {};
  if (auto found = ids.look_up(in, names); !found) return found;
  std::vector<wanted_key> keys;
  std::vector<std::pair<std::size_t, const message_key*>> asked;
  for (std::size_t page = 0; page < wanted.size(); ++page) {
    for (const message_key& key : wanted[page].resolve) {
      const account_place *const account = ids.find(wanted[page].account), *const sender =
                                                                               ids.find(key.sender);
      if (!account || !sender || !is_message_id(key.id)) continue;
      keys.push_back({account, sender, key.id});
      asked.emplace_back(page, &key);
    }
  }
  if (keys.empty()) return {};
  const auto found = find_by_key(in, keys);
  if (!found) return found.error();
  for (const found_delivery& each : *found) {
    made[asked[each.asked].first].read.resolved.push_back({*asked[each.asked].second, each.number});
  }
  return {};
}

}  // namespace

result<std::vector<page_reading>> read_pages(connection& from, std::span<const page_request> wanted,
                                             account_ids& ids, std::int64_t retention_us) {
  std::vector<page_reading> made(wanted.size());
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    made[i].read.token = wanted[i].token;
    made[i].read.complete = true;
    if (is_account_name(wanted[i].account)) open.push_back(i);
  }
  if (auto resolved = resolve(from, wanted, ids, made); !resolved) return resolved.error();

  // The oldest cursor decides how many days a statement looks into: those that want one or two go by
  // themselves.
  const auto old = std::stable_partition(open.begin(), open.end(),
                                         [&](std::size_t i) { return is_recent(wanted[i].after); });
  const std::vector<std::size_t> older(old, open.end());
  open.erase(old, open.end());
  for (std::vector<std::size_t> some : {open, older}) {
    if (auto got = read_open(from, wanted, std::move(some), retention_us, made); !got) return got.error();
  }
  return made;
}

}  // namespace restante
