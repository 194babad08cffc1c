// What the broker's thread wants of the store's, until that takes it.
//
// Bounds: one batch; 65,536 pages, and as many accounts to remember; one report.
// Threads: any; the store's thread alone calls wait() and take_...().
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/ports.h"

namespace restante {

class store_requests {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr std::size_t most_pages = 65'536;
  static constexpr std::size_t most_accounts = 65'536;

  void give(store_batch batch);
  bool ask(page_request request);  // false: too many wait already
  void report(broker_report newest);
  void remember(std::string account);  // forgotten when too many wait
  void stop();
  void nudge();  // wait() returns

  // Until something was given, a nudge, or `until`.
  void wait(time_point until);

  bool is_stopping() const;
  bool has_batch() const;
  std::optional<store_batch> take_batch();
  std::optional<page_request> take_page();
  std::vector<page_request> take_pages();
  std::size_t pages() const;
  std::optional<broker_report> take_report();
  // Puts back what could not be written, unless a newer one has come.
  void put_back(broker_report report);
  std::vector<std::string> take_accounts(std::size_t most);
  bool has_notes() const;  // a report or accounts

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool is_new_ = false;  // something came since the last wait()
  bool is_stopping_ = false;
  std::optional<store_batch> batch_;
  std::deque<page_request> pages_;
  std::optional<broker_report> report_;
  std::set<std::string> accounts_;
};

}  // namespace restante
