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
  using grant_of = std::function<std::string()>;  // the account of the service; empty: nobody
  // A request is stored for this account; empty: for nobody.
  using request_stored = std::function<void(message_number, const std::string& account)>;
  using result = std::variant<batch_result, page, std::uint64_t>;  // the last: a page that could not be read

  fake_store(membership_of members, grant_of granted, request_stored stored)
      : members_(std::move(members)), granted_(std::move(granted)), request_stored_(std::move(stored)) {}

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
  // The service is granted to `to` now; empty: to nobody.
  void move_requests(const std::string& from, const std::string& to);
  std::optional<shared_message> expire(const std::string& account, std::size_t which);

  const std::map<message_number, shared_message>& rows(const std::string& account) { return rows_[account]; }
  message_number stored_through() const { return stored_through_; }
  bool is_idle() const { return !writing_ && reads_.empty() && results_.empty(); }
  std::size_t pages_waiting() const { return reads_.size(); }

 private:
  batch_result apply(const store_batch& batch);

  membership_of members_;
  grant_of granted_;
  request_stored request_stored_;
  std::map<std::string, std::map<message_number, shared_message>> rows_;
  message_number stored_through_ = 0;
  std::optional<store_batch> writing_;
  std::optional<batch_result> doubted_;  // of `writing_`, when it is committed and nobody heard so
  std::deque<page_request> reads_;
  std::deque<result> results_;
};

// Places are counts of records. What is not flushed dies with the broker.
class fake_journal final : public journal {
 public:
  journal_status append(const envelope& accepted, const fingerprint& known) override;
  journal_status append(const removal_list& gone) override { return add(gone); }
  journal_status append(const removal_by_key& gone) override { return add(gone); }
  journal_status append(const unresolved_receipt& told) override { return add(told); }
  journal_status append(const used_once& publish) override { return add(publish); }
  journal_position end() const override { return end_; }
  journal_status flush() override;
  journal_chunk read(journal_position from, std::size_t bytes) override;
  void trim(journal_position keep) override { keep_ = keep; }
  std::uint64_t size_bytes() const override { return records_.size(); }

  // What a broker finds that starts after this one died.
  void broker_died();
  const std::map<journal_position, journal_record>& records() const { return records_; }
  const std::vector<used_once>& remembered() const { return remembered_; }
  bool has_removal(const std::string& account, const message& what) const;

  bool full = false;
  bool unreadable = false;

 private:
  journal_status add(journal_record record);

  std::map<journal_position, journal_record> records_;
  std::vector<used_once> remembered_;  // of what is trimmed
  journal_position end_ = 0, flushed_ = 0, keep_ = 0, trimmed_ = 0;
};

}  // namespace restante::model
