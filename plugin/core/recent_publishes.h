// Remembers which (sender, id) was lately used on which topic, so that a repeated publish is answered with
// success and not handed over again, and one id on two topics is refused.
//
// Keeps eight bytes a publish, not the names: 48 bits of one keyed hash, beside those by which its place is
// found, and 16 of another. So a new publish is taken for an old one once in some 10^12 at the limit, and an
// id on another topic for a repeat once in 65,536. Two generations, each at least as long as `span`, closed
// by the first call after it: an entry lives for one span at least, and for less than three. A generation
// that reaches `limit` is closed early, so memory is bounded (some 10 bytes an entry, in steps of 4 MB) and
// the oldest are forgotten first. Threads: one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/journal_record.h"
#include "core/keyed_hash.h"

namespace restante {

// `identity`: what must be unique, such as "{sender}/{id}". `topic`: where it is used, or what is left of it.
fingerprint fingerprint_of(hash_key key, std::string_view identity, std::string_view topic) noexcept;

class recent_publishes {
 public:
  enum class found { fresh, repeated, on_another_topic };

  recent_publishes(std::int64_t span_us, std::size_t limit);

  // Fetches what look_up() and remember() will look at: some other work should come in between.
  void prepare(std::uint64_t identity) const noexcept;
  found look_up(const fingerprint& publish, std::int64_t now_us);
  // Only what look_up() calls fresh, or it is kept twice.
  void remember(const fingerprint& publish, std::int64_t now_us);
  std::size_t size() const noexcept { return current_.size + previous_.size; }

 private:
  static constexpr std::size_t bucket_places = 16;
  // One line of memory tells whether anything here is alike. Filled from the front.
  struct alignas(64) bucket {
    std::array<std::uint32_t, bucket_places> heads{};  // 0: nothing there
    std::array<std::uint16_t, bucket_places> tails{}, topics{};

    bool is_full() const noexcept { return heads.back() != 0; }
  };
  static_assert(sizeof(bucket) == bucket_places * 8);

  // What has no room in its bucket goes to the next one that has. A full table is followed by another, so
  // that nothing is ever moved.
  class table {
   public:
    table();
    void prepare(std::uint64_t identity) const noexcept;
    void prepare_to_remember(std::uint64_t identity) const noexcept;
    found look_up(const fingerprint& publish) const noexcept;
    // False: it is full.
    bool remember(const fingerprint& publish) noexcept;

   private:
    std::vector<bucket> buckets_;
    std::size_t size_ = 0;
  };
  struct generation {
    std::vector<table> tables;
    std::size_t size = 0;
  };

  void age(std::int64_t now_us);

  std::int64_t span_us_;
  std::size_t limit_;
  std::int64_t opened_us_ = 0;
  generation current_, previous_;
};

}  // namespace restante
