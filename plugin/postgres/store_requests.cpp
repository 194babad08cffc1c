#include "postgres/store_requests.h"

#include <iterator>
#include <utility>

namespace restante {

void store_requests::give(store_batch batch) {
  const std::lock_guard lock(mutex_);
  batch_ = std::move(batch);
  is_new_ = true;
  changed_.notify_all();
}

bool store_requests::ask(page_request request) {
  const std::lock_guard lock(mutex_);
  if (is_stopping_ || pages_.size() >= most_pages) return false;
  pages_.push_back(std::move(request));
  is_new_ = true;
  changed_.notify_all();
  return true;
}

void store_requests::report(broker_report newest) {
  const std::lock_guard lock(mutex_);
  report_ = std::move(newest);
  is_new_ = true;
  changed_.notify_all();
}

void store_requests::remember(std::string account) {
  const std::lock_guard lock(mutex_);
  if (accounts_.size() >= most_accounts) return;
  accounts_.insert(std::move(account));
  is_new_ = true;
  changed_.notify_all();
}

void store_requests::stop() {
  const std::lock_guard lock(mutex_);
  is_stopping_ = true;
  is_new_ = true;
  changed_.notify_all();
}

void store_requests::nudge() {
  const std::lock_guard lock(mutex_);
  is_new_ = true;
  changed_.notify_all();
}

void store_requests::wait(time_point until) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, until, [this] { return is_new_; });
  is_new_ = false;
}

bool store_requests::is_stopping() const {
  const std::lock_guard lock(mutex_);
  return is_stopping_;
}

bool store_requests::has_batch() const {
  const std::lock_guard lock(mutex_);
  return batch_.has_value();
}

bool store_requests::has_notes() const {
  const std::lock_guard lock(mutex_);
  return report_ || !accounts_.empty();
}

std::optional<store_batch> store_requests::take_batch() {
  const std::lock_guard lock(mutex_);
  return std::exchange(batch_, std::nullopt);
}

std::optional<page_request> store_requests::take_page() {
  const std::lock_guard lock(mutex_);
  if (pages_.empty()) return std::nullopt;
  std::optional<page_request> first = std::move(pages_.front());
  pages_.pop_front();
  return first;
}

std::vector<page_request> store_requests::take_pages() {
  const std::lock_guard lock(mutex_);
  std::vector<page_request> all(std::make_move_iterator(pages_.begin()),
                                std::make_move_iterator(pages_.end()));
  pages_.clear();
  return all;
}

std::size_t store_requests::pages() const {
  const std::lock_guard lock(mutex_);
  return pages_.size();
}

std::optional<broker_report> store_requests::take_report() {
  const std::lock_guard lock(mutex_);
  return std::exchange(report_, std::nullopt);
}

void store_requests::put_back(broker_report report) {
  const std::lock_guard lock(mutex_);
  if (!report_) report_ = std::move(report);
}

std::vector<std::string> store_requests::take_accounts(std::size_t most) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> taken;
  while (!accounts_.empty() && taken.size() < most)
    taken.push_back(accounts_.extract(accounts_.begin()).value());
  return taken;
}

}  // namespace restante
