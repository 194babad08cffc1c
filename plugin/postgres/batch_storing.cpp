#include "postgres/batch_storing.h"

#include <set>
#include <string_view>
#include <utility>
#include <variant>

#include "core/topic.h"

namespace restante {
namespace {

// Collects rows and sends them whenever there are enough.
template <typename Rows, typename Send>
class row_stream {
 public:
  explicit row_stream(Send send) : send_(std::move(send)) {}

  template <typename... Values>
  void push(Values&&... values) {
    rows_.push(std::forward<Values>(values)...);
    if (rows_.is_full()) flush();
  }
  void flush() {
    if (rows_.empty()) return;
    send_(rows_);
    rows_.clear();
  }

 private:
  Rows rows_;
  Send send_;
};

template <typename Rows, typename Send>
row_stream<Rows, Send> stream_of(Send send) {
  return row_stream<Rows, Send>(std::move(send));
}

std::string_view group_of(const message& what) {
  const parsed_topic parsed = parse_topic(what.topic);
  const auto* to = std::get_if<group_topic>(&parsed);
  return to != nullptr ? to->group : std::string_view();
}

class batch_storing {
 public:
  batch_storing(pipeline& to, account_ids& ids, std::int64_t retention_us, attempt_kind kind)
      : to_(to), ids_(ids), retention_us_(retention_us), kind_(kind) {}

  // With their bodies: to one recipient, and what expired on its way here.
  void store_whole(const std::vector<const outgoing*>& messages) {
    auto singles = stream_of<message_rows>(
        [&](const message_rows& rows) { store_singles(to_, rows, retention_us_, kind_); });
    auto expired =
        stream_of<message_rows>([&](const message_rows& rows) { bury(to_, rows, "expired", retention_us_); });
    for (const outgoing* each : messages) {
      const account_place* const sender = ids_.find(each->what->key.sender);
      for_each_recipient(*each, [&](const named_account& recipient, bool is_full) {
        if (each->has_expired) {
          expired.push(*each->what, recipient, sender, each->expires_at_us);
        } else {
          singles.push(*each->what, recipient, sender, each->expires_at_us, is_full);
        }
      });
    }
    singles.flush();
    expired.flush();
  }

  // Bodies once, then who gets them. Without an account of the sender's name there is nothing to keep them
  // by.
  void store_group(const std::vector<const outgoing*>& messages) {
    auto bodies = stream_of<message_rows>([&](const message_rows& rows) { store_bodies(to_, rows, kind_); });
    for (const outgoing* each : messages) {
      if (const account_place* const sender = ids_.find(each->what->key.sender)) {
        bodies.push(*each->what, named_account(), sender, each->expires_at_us);
      }
    }
    bodies.flush();

    auto deliveries = stream_of<delivery_rows>(
        [&](const delivery_rows& rows) { store_deliveries(to_, rows, retention_us_, kind_); });
    auto refused =
        stream_of<message_rows>([&](const message_rows& rows) { bury(to_, rows, "refused", retention_us_); });
    for (const outgoing* each : messages) {
      const account_place* const sender = ids_.find(each->what->key.sender);
      const std::string_view group = group_of(*each->what);
      for_each_recipient(*each, [&](const named_account& recipient, bool is_full) {
        if (sender) {
          deliveries.push(each->what->number, group, recipient, sender, each->expires_at_us, is_full);
        } else {
          refused.push(*each->what, recipient, sender, each->expires_at_us);
        }
      });
    }
    deliveries.flush();
    refused.flush();
  }

 private:
  template <typename Visit>
  void for_each_recipient(const outgoing& of, Visit visit) {
    for (std::size_t i = 0; i < of.recipients->size(); ++i) {
      if (!of.is_for(i)) continue;
      const std::string& name = (*of.recipients)[i];
      visit(named_account{name, ids_.find(name)}, of.is_full(i));
    }
  }

  pipeline& to_;
  account_ids& ids_;
  const std::int64_t retention_us_;
  const attempt_kind kind_;
};

}  // namespace

void store_messages(pipeline& to, std::span<const outgoing> messages, account_ids& ids,
                    std::int64_t retention_us, attempt_kind kind) {
  std::vector<const outgoing*> whole, group;
  std::vector<std::int64_t> settled;
  for (const outgoing& each : messages) {
    if (each.dead_letter != 0) settled.push_back(each.dead_letter);
    (each.is_group && !each.has_expired ? group : whole).push_back(&each);
  }
  batch_storing storing(to, ids, retention_us, kind);
  storing.store_whole(whole);
  storing.store_group(group);
  if (!settled.empty()) settle_dead_letters(to, settled);
}

std::vector<newer_receipt> receipts_among(std::span<const outgoing> messages, account_ids& ids) {
  std::vector<newer_receipt> newer;
  for (const outgoing& each : messages) {
    if (first_level(each.what->topic) != "receipt") continue;
    for (const std::string& recipient : *each.recipients) {
      if (const account_place* const place = ids.find(recipient)) {
        newer.push_back({place, each.what->topic, each.what->number});
      }
    }
  }
  return newer;
}

std::vector<std::string_view> names_in(std::span<const outgoing> messages) {
  std::vector<std::string_view> names;
  for (const outgoing& each : messages) {
    names.push_back(each.what->key.sender);
    names.insert(names.end(), each.recipients->begin(), each.recipients->end());
  }
  return names;
}

}  // namespace restante
