// A store and a journal that stall, fail, commit in doubt and answer late, each when told to.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/ports.h"

namespace restante::model {

class fake_store final : public store {
 public:
  using membership_of = std::function<std::vector<std::string>(const std::string& group)>;
  using result = std::variant<batch_result, page, std::uint64_t>;  // the last: a page that could not be read

  explicit fake_store(membership_of members) : members_(std::move(members)) {}

  void write(store_batch batch) override;
  void read(page_request request) override { reads_.push_back(std::move(request)); }
  void report(broker_report) override {}
  void remember_acknowledging(std::string) override {}

  // What the thread of a real store does, one job at a time.
  bool work(bool batch_first);
  void doubt();
  bool fail_a_page();
  std::optional<result> next_result();
  void broker_died(bool batch_got_through);

  // An operator's or the clock's doing.
  void withdraw(const std::string& account, const std::string& group);
  std::optional<shared_message> expire(const std::string& account, std::size_t which);

  const std::map<message_number, shared_message>& rows(const std::string& account) { return rows_[account]; }
  message_number stored_through() const { return stored_through_; }
  bool is_idle() const { return !writing_ && reads_.empty() && results_.empty(); }
  std::size_t pages_waiting() const { return reads_.size(); }

 private:
  batch_result apply(const store_batch& batch);

  membership_of members_;
  std::map<std::string, std::map<message_number, shared_message>> rows_;
  message_number stored_through_ = 0;
  std::optional<store_batch> writing_;
  std::optional<batch_result> doubted_;  // of `writing_`, when it is committed and nobody heard so
  std::deque<page_request> reads_;
  std::deque<result> results_;
};

class fake_journal final : public journal {
 public:
  journal_status append(const envelope& accepted) override;
  journal_status append(const removal& acknowledged) override;
  void trim(message_number stored_through) override;

  bool full = false;
  std::vector<std::variant<envelope, removal>> records;
  bool has_removal(const std::string& account, message_number number) const;
};

}  // namespace restante::model
