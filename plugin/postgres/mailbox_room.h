// Keeps mailboxes from growing beyond their limit without counting them at each message.
//
// A mailbox is counted when chance picks one of its rows: each of them while limits are small, one in 128
// when they are large. From then on its room is known and counted down with each row; when it is used up the
// mailbox is counted again, but not before ten seconds have passed or a hundredth of it has been removed. A
// mailbox so goes over its limit by a few hundred rows at most, by a hundred and twenty-eight on average;
// with limits up to 256 by none. Mailboxes that are not spoken of for long are forgotten, and chance finds
// them again.
//
// Bounds: `capacity` mailboxes. Threads: one.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>

namespace restante {

class mailbox_room {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit mailbox_room(std::int64_t limit, std::size_t capacity = 16'384);

  // Whether the mailbox should be counted before `rows` are put in it.
  bool must_be_counted(const std::string& mailbox, std::int64_t rows, time_point now);
  void counted(const std::string& mailbox, std::int64_t waiting, time_point now);
  // A row is about to be stored. False: the mailbox is full.
  bool take(const std::string& mailbox);
  void removed(const std::string& mailbox);

  std::int64_t limit() const noexcept { return limit_; }
  std::size_t size() const noexcept { return recent_.size(); }

 private:
  struct entry {
    std::string mailbox;
    std::int64_t room;
    std::int64_t removed;
    time_point counted;
  };
  using entry_list = std::list<entry>;
  entry* find(const std::string& mailbox);
  bool is_picked(std::int64_t rows);

  const std::int64_t limit_;
  const std::size_t capacity_;
  const std::int64_t period_;  // one row in so many is picked
  std::minstd_rand random_;
  entry_list recent_;                                                   // last used first
  std::unordered_map<std::string_view, entry_list::iterator> by_name_;  // views into recent_
};

}  // namespace restante
