#include "postgres/batch_storing.h"

#include <set>
#include <utility>
#include <vector>

#include "core/topic.h"
#include "postgres/batch_statements.h"

namespace restante {
namespace {

// Collects rows and sends them whenever there are enough.
template <typename Rows, typename Send>
class row_stream {
 public:
  explicit row_stream(Send send) : send_(std::move(send)) {}

  template <typename... Values>
  result<void> push(Values&&... values) {
    rows_.push(std::forward<Values>(values)...);
    return rows_.is_full() ? flush() : result<void>();
  }
  result<void> flush() {
    if (rows_.empty()) return {};
    auto sent = send_(rows_);
    rows_.clear();
    return sent;
  }

 private:
  Rows rows_;
  Send send_;
};

template <typename Rows, typename Send>
row_stream<Rows, Send> stream_of(Send send) {
  return row_stream<Rows, Send>(std::move(send));
}

bool is_receipt(const outgoing& message) { return first_level(message.what->topic) == "receipt"; }

// With their bodies: to one recipient, and what expired on its way here.
result<void> store_whole(connection& to, const std::vector<const outgoing*>& messages,
                         std::int64_t retention_us) {
  auto singles = stream_of<message_rows>(
      [&](const message_rows& rows) { return store_singles(to, rows, retention_us); });
  auto expired = stream_of<message_rows>(
      [&](const message_rows& rows) { return bury(to, rows, "expired", retention_us); });
  for (const outgoing* each : messages) {
    for (std::size_t i = 0; i < each->recipients->size(); ++i) {
      if (!each->is_for(i)) continue;
      const std::string& recipient = (*each->recipients)[i];
      auto sent = each->has_expired
                      ? expired.push(*each->what, recipient, each->expires_at_us)
                      : singles.push(*each->what, recipient, each->expires_at_us, each->is_full(i));
      if (!sent) return sent;
    }
  }
  if (auto sent = singles.flush(); !sent) return sent;
  return expired.flush();
}

// Bodies once, then who gets them.
result<void> store_group(connection& to, const std::vector<const outgoing*>& messages,
                         std::int64_t retention_us) {
  std::set<message_number> unstored;
  auto bodies = stream_of<message_rows>([&](const message_rows& rows) -> result<void> {
    const auto left = store_bodies(to, rows);
    if (!left) return left.error();
    unstored.insert(left->begin(), left->end());
    return {};
  });
  for (const outgoing* each : messages) {
    if (auto sent = bodies.push(*each->what, std::string_view(), each->expires_at_us); !sent) return sent;
  }
  if (auto sent = bodies.flush(); !sent) return sent;

  auto deliveries = stream_of<delivery_rows>(
      [&](const delivery_rows& rows) { return store_deliveries(to, rows, retention_us); });
  auto refused = stream_of<message_rows>(
      [&](const message_rows& rows) { return bury(to, rows, "refused", retention_us); });
  for (const outgoing* each : messages) {
    const bool has_body = !unstored.contains(each->what->number);
    for (std::size_t i = 0; i < each->recipients->size(); ++i) {
      if (!each->is_for(i)) continue;
      const std::string& recipient = (*each->recipients)[i];
      auto sent = has_body ? deliveries.push(each->what->number, recipient, each->is_full(i))
                           : refused.push(*each->what, recipient, each->expires_at_us);
      if (!sent) return sent;
    }
  }
  if (auto sent = deliveries.flush(); !sent) return sent;
  return refused.flush();
}

// Those of this batch included.
result<void> remove_older_receipts(connection& from, std::span<const outgoing> messages) {
  std::vector<newer_receipt> newer;
  for (const outgoing& each : messages) {
    if (!is_receipt(each)) continue;
    for (const std::string& recipient : *each.recipients) {
      newer.push_back({recipient, each.what->topic, each.what->number});
    }
  }
  if (newer.empty()) return {};
  const auto older = find_older_receipts(from, newer);
  if (!older) return older.error();
  std::vector<removal> gone;
  for (const found_delivery& each : *older) gone.push_back({each.account, each.number});
  return remove_deliveries(from, gone);
}

}  // namespace

result<void> store_messages(connection& to, std::span<const outgoing> messages, std::int64_t retention_us) {
  std::vector<const outgoing*> whole, group;
  std::vector<std::int64_t> settled;
  for (const outgoing& each : messages) {
    if (each.dead_letter != 0) settled.push_back(each.dead_letter);
    (each.is_group && !each.has_expired ? group : whole).push_back(&each);
  }
  if (auto stored = store_whole(to, whole, retention_us); !stored) return stored;
  if (auto stored = store_group(to, group, retention_us); !stored) return stored;
  if (auto removed = remove_older_receipts(to, messages); !removed) return removed;
  if (!settled.empty()) return settle_dead_letters(to, settled);
  return {};
}

}  // namespace restante
