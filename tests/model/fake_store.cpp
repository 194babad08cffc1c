#include "fake_store.h"

#include <algorithm>
#include <stdexcept>

#include "core/topic.h"

namespace restante::model {
namespace {

std::string group_of(const message& what) {
  const auto parsed = parse_topic(what.topic);
  const auto* group = std::get_if<group_topic>(&parsed);
  return group == nullptr ? std::string() : std::string(group->group);
}

bool is_receipt(const message& what) { return first_level(what.topic) == "receipt"; }
bool is_request(const message& what) { return first_level(what.topic) == "service"; }

}  // namespace

void fake_store::write(store_batch batch) {
  if (writing_) throw std::logic_error("a second batch before the first was stored");
  message_number last = 0;
  for (const auto& each : batch.messages) {
    if (each.what->number <= last) throw std::logic_error("a batch out of order");
    last = each.what->number;
  }
  if (batch.stored_through < last)
    throw std::logic_error("a batch that does not store through its own messages");
  writing_ = std::move(batch);
}

batch_result fake_store::apply(const store_batch& batch) {
  for (const auto& each : batch.messages) {
    if (is_request(*each.what)) {
      const std::string account = granted_();
      if (!account.empty()) rows_[account].emplace(each.what->number, each.what);
      request_stored_(each.what->number, account);
      continue;
    }
    const auto recipients = each.group.empty() ? each.recipients : members_(each.group);
    for (const auto& to : recipients) {
      if (!each.group.empty() && to == each.what->key.sender) continue;
      auto& mailbox = rows_[to];
      if (is_receipt(*each.what)) {
        std::erase_if(mailbox, [&](const auto& row) { return row.second->topic == each.what->topic; });
      }
      mailbox.emplace(each.what->number, each.what);
    }
  }
  stored_through_ = std::max(stored_through_, batch.stored_through);
  for (const auto& each : batch.removals) rows_[each.account].erase(each.number);
  batch_result result;
  for (const auto& each : batch.removals_by_key) {
    auto& mailbox = rows_[each.account];
    const auto found = std::find_if(mailbox.begin(), mailbox.end(), [&](const auto& row) {
      return row.second->key == each.key && row.first <= each.through &&
             !is_kept_until_handed_over(row.second->topic);
    });
    if (found == mailbox.end()) {
      result.removals_by_key.push_back({});
      continue;
    }
    result.removals_by_key.push_back({true, found->first, group_of(*found->second) != "town"});
    if (!each.find_only) mailbox.erase(found);
  }
  return result;
}

bool fake_store::work(bool batch_first) {
  if (writing_ && (batch_first || reads_.empty())) {
    // A batch that was committed in doubt is written again, and changes nothing.
    results_.push_back(doubted_ ? *doubted_ : apply(*writing_));
    doubted_.reset();
    writing_.reset();
    return true;
  }
  if (reads_.empty()) return false;
  const auto asked = std::move(reads_.front());
  reads_.pop_front();
  page read;
  read.token = asked.token;
  const auto& mailbox = rows_[asked.account];
  std::size_t bytes = 0;
  auto row = mailbox.upper_bound(asked.after);
  for (; row != mailbox.end() && read.rows.size() < asked.limit; ++row) {
    bytes += row->second->payload.size();
    if (!read.rows.empty() && bytes > asked.limit_bytes) break;
    read.rows.push_back(row->second);
  }
  read.complete = row == mailbox.end();
  for (const auto& key : asked.resolve) {
    for (const auto& [number, what] : mailbox) {
      if (what->key == key && !is_kept_until_handed_over(what->topic)) {
        read.resolved.push_back({key, number});
        break;
      }
    }
  }
  results_.push_back(std::move(read));
  return true;
}

void fake_store::doubt() {
  if (writing_ && !doubted_) doubted_ = apply(*writing_);
}

bool fake_store::fail_a_page() {
  if (reads_.empty()) return false;
  results_.push_back(reads_.front().token);
  reads_.pop_front();
  return true;
}

std::optional<fake_store::result> fake_store::next_result() {
  if (results_.empty()) return std::nullopt;
  auto next = std::move(results_.front());
  results_.pop_front();
  return next;
}

void fake_store::broker_died(bool batch_got_through) {
  if (writing_ && !doubted_ && batch_got_through) apply(*writing_);
  doubted_.reset();
  writing_.reset();
  reads_.clear();
  results_.clear();
}

void fake_store::withdraw(const std::string& account, const std::string& group) {
  std::erase_if(rows_[account], [&](const auto& row) { return group_of(*row.second) == group; });
}

void fake_store::move_requests(const std::string& from, const std::string& to) {
  auto& mailbox = rows_[from];
  for (auto row = mailbox.begin(); row != mailbox.end();) {
    const auto next = std::next(row);
    if (is_request(*row->second)) {
      request_stored_(row->first, to);
      if (!to.empty()) rows_[to].insert(*row);
      mailbox.erase(row);
    }
    row = next;
  }
}

std::optional<shared_message> fake_store::expire(const std::string& account, std::size_t which) {
  auto& mailbox = rows_[account];
  if (mailbox.empty()) return std::nullopt;
  const auto row = std::next(mailbox.begin(), static_cast<std::ptrdiff_t>(which % mailbox.size()));
  const auto gone = row->second;
  mailbox.erase(row);
  return gone;
}

journal_status fake_journal::append(const envelope& accepted, const fingerprint& known) {
  return full ? journal_status::full : add(accepted_message{accepted, known});
}

// What is no message has the sixteenth that is kept for it.
journal_status fake_journal::add(journal_record record) {
  records_.emplace(end_++, std::move(record));
  return journal_status::ok;
}

journal_status fake_journal::flush() {
  flushed_ = end_;
  trimmed_ = keep_;
  while (!records_.empty() && records_.begin()->first < trimmed_) {
    const auto& gone = records_.begin()->second;
    if (const auto* accepted = std::get_if<accepted_message>(&gone))
      remembered_.push_back({accepted->known, 0});
    if (const auto* told = std::get_if<unresolved_receipt>(&gone)) remembered_.push_back({told->known, 0});
    if (const auto* used = std::get_if<used_once>(&gone)) remembered_.push_back(*used);
    records_.erase(records_.begin());
  }
  return journal_status::ok;
}

journal_chunk fake_journal::read(journal_position from, std::size_t) {
  journal_chunk chunk;
  if (unreadable) return {{}, from, true};
  auto at = records_.lower_bound(from);
  for (; at != records_.end() && at->first < flushed_ && chunk.records.size() < 3; ++at) {
    chunk.records.emplace_back(at->first, at->second);
  }
  chunk.next = chunk.records.empty() ? std::max(from, flushed_) : chunk.records.back().first + 1;
  return chunk;
}

void fake_journal::broker_died() {
  records_.erase(records_.lower_bound(flushed_), records_.end());
  end_ = flushed_;
  keep_ = trimmed_;
  unreadable = false;
}

bool fake_journal::has_removal(const std::string& account, const message& what) const {
  // A receipt of a note to self has the note's key, and no key reaches receipts and answers.
  const bool has_key = !is_kept_until_handed_over(what.topic);
  return std::any_of(records_.begin(), records_.end(), [&](const auto& record) {
    if (const auto* gone = std::get_if<removal_list>(&record.second)) {
      return gone->account == account &&
             std::find(gone->numbers.begin(), gone->numbers.end(), what.number) != gone->numbers.end();
    }
    if (const auto* gone = std::get_if<removal_by_key>(&record.second)) {
      return has_key && gone->account == account && gone->key == what.key;
    }
    const auto* told = std::get_if<unresolved_receipt>(&record.second);
    return has_key && told != nullptr && told->told.key.sender == account && told->about == what.key;
  });
}

}  // namespace restante::model
