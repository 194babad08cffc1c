// Remembers which messages at QoS 0 an account heard last. Nothing is kept of them, and their recipient may
// tell the sender of them all the same (`receipt/{from}/{by}/{id}`).
//
// The last `limit` that were noted, exactly; the oldest are forgotten first. One that is noted again counts
// as new, and the group that it was heard in last is the one that counts.
//
// A ring of entries, and for each of as many buckets the newest entry of it, from where older ones are linked
// as in a compressor's window: what the ring has overwritten is told by its number, so nothing is ever taken
// out. No allocation an entry, and none at all before the first; both then double up to `limit`, at some 40
// bytes an entry. Threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace restante {

class recently_heard {
 public:
  // Null: to one account.
  using group_name = std::shared_ptr<const std::string>;

  // `name`: a keyed hash, spread evenly. `limit`: from 1.
  void note(std::uint64_t name, const group_name& group, std::size_t limit);
  // The group in which it was heard; null if it is not remembered.
  const group_name* find(std::uint64_t name) const noexcept;

 private:
  struct entry {
    std::uint64_t name = 0;
    std::uint64_t older = 0;  // of its bucket
    group_name group;
  };

  const entry& at(std::uint64_t number) const noexcept { return ring_[number & (ring_.size() - 1)]; }
  bool is_there(std::uint64_t number) const noexcept { return number != 0 && last_ - number < kept_; }
  void place(std::uint64_t name, group_name group) noexcept;
  void grow();

  std::vector<entry> ring_;            // a power of two, by number
  std::vector<std::uint64_t> newest_;  // as many buckets: a number, or 0
  std::uint64_t last_ = 0;             // numbers count from 1
  std::size_t kept_ = 0;               // so many of the last are there
};

}  // namespace restante
