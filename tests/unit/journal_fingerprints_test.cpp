// Fingerprints outlive the messages they were taken from, over trimming and restarts, for `dedupe` and no
// longer.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "journal/recent_format.h"
#include "journal_harness.h"

namespace restante {
namespace {

using namespace test;

constexpr std::int64_t hour_us = 3'600'000'000;

class journal_fingerprints : public testing::Test, protected journal_on_a_disk {
 protected:
  void SetUp() override { ASSERT_EQ(start(), ""); }

  // As the core would: numbers are times.
  void write_some(std::size_t count) {
    for (std::size_t index = 0; index < count; ++index) {
      const auto number = static_cast<std::uint64_t>(time.now_us());
      ASSERT_EQ(append(*records, a_message(number)), journal_status::ok);
      ASSERT_EQ(records->flush(), journal_status::ok);
      written.insert(number + 1);
      time.pass(1);
    }
  }
  void trim_all() {
    records->trim(records->end());
    ASSERT_EQ(records->flush(), journal_status::ok);
    for (int round = 0; round < 300; ++round) records->tend();
  }
  std::size_t files_ending(const std::string& ending) {
    const auto names = disk.names();
    return static_cast<std::size_t>(
        std::count_if(names.begin(), names.end(), [&](const auto& name) { return name.ends_with(ending); }));
  }
  // What a restarted broker learns: by recall, and by replay.
  std::set<std::uint64_t> known_after_restart() {
    kill();
    EXPECT_EQ(start(), "");
    std::set<std::uint64_t> known;
    records->recall([&](const used_once& used) {
      EXPECT_LE(used.at_us, time.now_us());
      EXPECT_GT(used.at_us, time.now_us() - settings.dedupe_us);
      known.insert(used.known.identity);
    });
    for (const auto& [at, record] : records->read(records->begin(), SIZE_MAX / 2).records)
      known.insert(std::get<accepted_message>(record).known.identity);
    return known;
  }

  std::set<std::uint64_t> written;
};

TEST_F(journal_fingerprints, are_known_after_a_restart_whatever_was_trimmed) {
  write_some(100);
  records->trim(records->end());
  write_some(100);
  EXPECT_EQ(known_after_restart(), written) << "trimmed, and not yet removed";
  for (int round = 0; round < 300; ++round) records->tend();
  EXPECT_EQ(known_after_restart(), written) << "half of it removed";
  trim_all();
  EXPECT_EQ(known_after_restart(), written);
  write_some(10);
  trim_all();
  EXPECT_EQ(known_after_restart(), written) << "a second time";
}

TEST_F(journal_fingerprints, of_every_kind_of_record_are_known) {
  ASSERT_EQ(append(*records, a_message(static_cast<std::uint64_t>(time.now_us()))), journal_status::ok);
  ASSERT_EQ(append(*records, used_once{{2, 9}, time.now_us()}), journal_status::ok);
  unresolved_receipt receipt;
  receipt.known = {3, 9};
  ASSERT_EQ(append(*records, receipt), journal_status::ok);
  ASSERT_EQ(append(*records, used_once{{}, time.now_us()}), journal_status::ok);  // says nothing
  trim_all();
  EXPECT_EQ(known_after_restart(),
            (std::set<std::uint64_t>{static_cast<std::uint64_t>(time.now_us()) + 1, 2, 3}));
}

TEST_F(journal_fingerprints, end_after_their_time) {
  write_some(200);
  trim_all();
  EXPECT_GT(files_ending(".recent"), 0U);
  time.pass(settings.dedupe_us - 300);
  const auto some = known_after_restart();
  EXPECT_EQ(some.size(), 200U);
  time.pass(199);
  EXPECT_EQ(known_after_restart().size(), 100U);
  time.pass(200);
  EXPECT_TRUE(known_after_restart().empty());
  trim_all();
  EXPECT_EQ(files_ending(".recent"), 0U);
}

TEST_F(journal_fingerprints, outlive_a_clock_that_is_set_back_and_right_again) {
  write_some(200);
  time.now -= hour_us;
  trim_all();
  EXPECT_EQ(known_after_restart(), written);
  time.now += hour_us;
  records->tend();
  EXPECT_EQ(known_after_restart(), written) << "they are no older than before";
  time.pass(settings.dedupe_us);
  records->tend();
  EXPECT_EQ(files_ending(".recent"), 0U);
}

TEST_F(journal_fingerprints, from_far_in_the_future_count_as_from_now) {
  write_some(200);
  time.now -= 3 * hour_us;
  trim_all();
  EXPECT_EQ(known_after_restart(), written);
  time.pass(settings.dedupe_us);
  records->tend();
  EXPECT_EQ(files_ending(".recent"), 0U) << "three hours later would be too late";
}

TEST_F(journal_fingerprints, are_not_kept_when_repeats_are_not_asked_for) {
  settings.dedupe_us = 0;
  ASSERT_EQ(start(), "");
  write_some(200);
  trim_all();
  EXPECT_EQ(files_ending(".recent"), 0U);
}

TEST_F(journal_fingerprints, too_old_when_their_segment_goes_are_not_kept) {
  write_some(200);
  time.pass(settings.dedupe_us);
  trim_all();
  EXPECT_EQ(files_ending(".recent"), 0U);
  EXPECT_LE(files_ending(".journal"), 1U);
}

TEST_F(journal_fingerprints, cost_only_themselves_when_damaged) {
  settings.segment_bytes = 1 << 20;
  ASSERT_EQ(start(), "");
  write_some(500);
  kill();
  ASSERT_EQ(start(), "");  // begins a segment
  trim_all();
  ASSERT_EQ(files_ending(".recent"), 1U);
  kill();
  for (const auto& name : disk.names()) {
    if (name.ends_with(".recent")) (*disk.content(name))[5'000] ^= 4;
  }
  EXPECT_EQ(known_after_restart().size(), 330U) << "two of three blocks";
  EXPECT_EQ(records->take_notes().size(), 1U);
}

// Seventeen blocks and a part of one; sixteen are written at once.
TEST_F(journal_fingerprints, of_one_segment_are_put_aside_in_several_writes) {
  settings.segment_bytes = 8 << 20;
  ASSERT_EQ(start(), "");
  write_some(3'000);
  kill();
  ASSERT_EQ(start(), "");  // begins a segment
  trim_all();
  ASSERT_EQ(files_ending(".recent"), 1U);
  EXPECT_EQ(known_after_restart(), written);
  EXPECT_TRUE(records->take_notes().empty());
}

TEST_F(journal_fingerprints, that_cannot_be_written_leave_no_file_and_are_put_aside_later) {
  settings.segment_bytes = 8 << 20;
  ASSERT_EQ(start(), "");
  write_some(3'000);
  kill();
  ASSERT_EQ(start(), "");
  records->trim(records->end());
  ASSERT_EQ(records->flush(), journal_status::ok);
  port->room_bytes = disk.bytes() + (64 << 10) + 1'000;
  for (int round = 0; round < 10; ++round) {
    records->tend();
    EXPECT_EQ(files_ending(".recent"), 0U);
  }
  port->room_bytes = UINT64_MAX;
  records->tend();
  EXPECT_EQ(files_ending(".recent"), 1U);
  EXPECT_EQ(known_after_restart(), written);
}

TEST_F(journal_fingerprints, take_whole_blocks_that_hold_a_hundred_and_seventy) {
  std::vector<used_once> entries;
  for (std::uint64_t index = 0; index < 171; ++index)
    entries.push_back({{index, index * 2}, static_cast<std::int64_t>(index)});
  std::string bytes;
  const auto all = std::span<const used_once>(entries);
  journal_format::append_recent_block(bytes, all.first(170), {1, 2}, 77, 0);
  journal_format::append_recent_block(bytes, all.subspan(170), {1, 2}, 77, 1);
  EXPECT_EQ(bytes.size(), 2 * 4'096U);
  EXPECT_EQ(journal_format::recent_bytes(171), bytes.size());
  std::size_t count = 0;
  const auto each = [&](const used_once& found) {
    EXPECT_EQ(found.known, entries[count].known);
    EXPECT_EQ(found.at_us, entries[count].at_us);
    ++count;
  };
  EXPECT_EQ(journal_format::decode_recent(bytes, {1, 2}, 77, each), 0U);
  EXPECT_EQ(count, 171U);
  count = 0;
  EXPECT_EQ(journal_format::decode_recent(bytes, {1, 2}, 78, each), 2U) << "another segment's";
  EXPECT_EQ(journal_format::decode_recent(bytes, {1, 3}, 77, each), 2U) << "another journal's";
  EXPECT_EQ(journal_format::decode_recent(bytes.substr(0, 4'095), {1, 2}, 77, each), 1U);
}

}  // namespace
}  // namespace restante
