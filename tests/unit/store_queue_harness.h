// One store queue over a journal by hand, whose records are as long as a test says.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/store_queue.h"

namespace restante {

inline envelope letter(message_number number, std::vector<std::string> recipients, std::size_t bytes = 0) {
  auto made = std::make_shared<message>();
  made->number = number;
  made->key = {"anna", "m" + std::to_string(number)};
  made->payload = std::string(bytes, 'x');
  return {std::move(made), std::move(recipients), {}, 0};
}

class placed_records final : public journal {
 public:
  journal_position put(journal_record record, std::size_t bytes = 1) {
    const auto at = end_;
    records_.emplace(at, std::move(record));
    end_ += bytes;
    return at;
  }
  journal_status append(const envelope&, const fingerprint&) override { return journal_status::ok; }
  journal_status append(const removal_list&) override { return journal_status::ok; }
  journal_status append(const removal_by_key&) override { return journal_status::ok; }
  journal_status append(const unresolved_receipt&) override { return journal_status::ok; }
  journal_status append(const used_once&) override { return journal_status::ok; }
  journal_position end() const override { return end_; }
  journal_status flush() override { return journal_status::ok; }
  journal_chunk read(journal_position from, std::size_t bytes) override {
    ++reads;
    journal_chunk chunk;
    chunk.next = from;
    for (auto at = records_.lower_bound(from); at != records_.end(); ++at) {
      if (chunk.next - from >= bytes || chunk.records.size() == at_once) break;
      if (at->first >= unreadable_from) {
        chunk.failed = true;
        break;
      }
      chunk.records.emplace_back(at->first, at->second);
      chunk.next = std::next(at) == records_.end() ? end_ : std::next(at)->first;
    }
    records_read += chunk.records.size();
    return chunk;
  }
  void trim(journal_position) override {}
  std::uint64_t size_bytes() const override { return end_; }

  std::size_t at_once = std::numeric_limits<std::size_t>::max();  // records in one read
  journal_position unreadable_from = std::numeric_limits<journal_position>::max();
  std::size_t reads = 0, records_read = 0;

 private:
  std::map<journal_position, journal_record> records_;
  journal_position end_ = 0;
};

struct with_records {
  placed_records records;
};

// Each entry is at the end of the journal; those of which no test says how long they are take one byte.
class queue_of : public with_records, public store_queue {
 public:
  explicit queue_of(store_queue_limits limits) : store_queue(limits, {1, 2}, records) {}
  void push(const envelope& accepted, std::int64_t now_us, std::size_t record_bytes = 1) {
    store_queue::push(accepted, records.put(accepted_message{accepted, {}}, record_bytes), true, now_us);
  }
  void remove(removal gone, std::int64_t now_us) {
    const auto at = records.put(removal_list{gone.account, {gone.number}});
    store_queue::remove(std::move(gone), at, now_us);
  }
  void remove(removal_by_key gone, after_removal then, std::int64_t now_us) {
    const auto at = records.put(gone);
    store_queue::remove(std::move(gone), at, std::move(then), now_us);
  }
  bool strike(std::string_view account, message_number number) {
    records.put(removal_list{std::string(account), {number}});
    return store_queue::strike(account, number, "anna") != struck::no;
  }
  std::size_t entries() const { return messages() + removals(); }
};

inline std::vector<message_number> numbers_of(const store_batch& batch) {
  std::vector<message_number> numbers;
  for (const auto& each : batch.messages) numbers.push_back(each.what->number);
  return numbers;
}

// Whatever is due at once, as when nothing may linger.
inline store_batch take_now(queue_of& from, message_number last_accepted = 1'000) {
  auto batch = from.take(0, 0, last_accepted);
  if (batch) return std::move(*batch);
  ADD_FAILURE() << "there is nothing to store";
  return {};
}

inline batch_result nothing_found(std::size_t count) {
  batch_result made;
  made.removals_by_key.resize(count);
  return made;
}

}  // namespace restante
