// What was flushed last is in the ring, and nothing is lost on its way from there to the segment.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "journal_harness.h"

namespace restante {
namespace {

using namespace test;

class journal_ring : public testing::Test, protected journal_on_a_disk {
 protected:
  journal_ring() {
    prepare = [](simulated_files& port) { port.maps = true; };
    settings.segment_bytes = 4'096;  // and so a ring of 1,024
    EXPECT_EQ(start(), "");
  }

  journal_status write(std::size_t payload_bytes = 40) {
    const auto record = a_message(++number_, payload_bytes);
    const auto at = records->end();
    auto status = append(*records, record);
    if (status == journal_status::ok) status = records->flush();
    if (status == journal_status::ok) written.push_back({at, text_of(record)});
    return status;
  }
  void write_some(int count) {
    for (int i = 0; i < count; ++i) ASSERT_EQ(write(), journal_status::ok);
  }
  void expect_all() { EXPECT_EQ(read_all(*records, records->begin()), written); }
  bool has_ring() { return disk.content("ring") != nullptr; }
  // All files but the ring.
  std::string last_segment() {
    std::string last;
    for (const auto& name : disk.names()) {
      if (name.ends_with(".journal")) last = name;
    }
    return *disk.content(last);
  }

  std::vector<told> written;

 private:
  std::uint64_t number_ = 0;
};

TEST_F(journal_ring, has_what_the_segment_has_not_yet) {
  write_some(4);
  EXPECT_EQ(last_segment().size(), journal_format::header_bytes);
  records->tend();
  EXPECT_EQ(last_segment().size(), journal_format::header_bytes + records->end());
}

TEST_F(journal_ring, is_where_a_killed_process_left_what_it_flushed_last) {
  write_some(4);
  kill();
  ASSERT_EQ(start(), "");
  EXPECT_EQ(records->take_notes(), std::vector<std::string>{});
  expect_all();
}

TEST_F(journal_ring, goes_round_and_through_segments_and_lives) {
  for (int life = 0; life < 6; ++life) {
    for (int i = 0; i < 60; ++i) {
      ASSERT_EQ(write(i % 7 == 0 ? 1'500 : 40), journal_status::ok);
      if (i % 11 == life) records->tend();
    }
    expect_all();
    kill();
    ASSERT_EQ(start(), "");
    EXPECT_EQ(records->take_notes(), std::vector<std::string>{});
    expect_all();
  }
}

TEST_F(journal_ring, is_read_back_while_it_is_being_filled) {
  for (int i = 0; i < 100; ++i) {
    write_some(1);
    const auto from = written.size() > 20 ? written[written.size() - 20].at : 0;
    const auto found = read_all(*records, from);
    ASSERT_EQ(found.size(), std::min<std::size_t>(written.size(), 20));
    ASSERT_EQ(found.back(), written.back());
    if (i % 10 == 0) records->tend();
  }
}

TEST_F(journal_ring, is_gone_after_an_orderly_end) {
  write_some(4);
  ASSERT_TRUE(has_ring());
  close();
  EXPECT_FALSE(has_ring());
  ASSERT_EQ(start(), "");
  expect_all();
}

TEST_F(journal_ring, of_an_earlier_life_has_nothing_for_a_later_one) {
  write_some(8);
  const std::string old = *disk.content("ring");
  kill();
  ASSERT_EQ(start(), "");
  write_some(1);
  kill();
  *disk.content("ring") = old;
  written.pop_back();  // which was in the ring alone
  ASSERT_EQ(start(), "");
  expect_all();
  // As a power loss may leave it: a file that is none.
  kill();
  disk.content("ring")->clear();
  ASSERT_EQ(start(), "");
  expect_all();
}

TEST_F(journal_ring, is_made_anew_so_that_no_power_loss_brings_back_an_old_one) {
  write_some(4);
  std::mt19937 random(1);
  const auto is_empty = [](const std::string* ring) {
    return ring == nullptr || ring->find_first_not_of('\0') == std::string::npos;
  };
  simulated_disk left;
  while (is_empty(left.content("ring"))) left = disk.after_power_loss(random);
  close();
  disk = left;
  ASSERT_EQ(start(), "");
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(is_empty(disk.after_power_loss(random).content("ring")));
  }
}

TEST_F(journal_ring, loses_nothing_when_memory_fails) {
  write_some(4);
  port->store_fails = true;
  write_some(4);
  EXPECT_FALSE(has_ring());
  expect_all();
  kill();
  ASSERT_EQ(start(), "");
  expect_all();
}

TEST_F(journal_ring, fills_up_while_the_segment_has_no_room_and_goes_on_when_there_is) {
  write_some(2);
  const auto room_bytes = disk.bytes();
  port->room_bytes = room_bytes;
  int taken = 0;
  while (write() == journal_status::ok) ASSERT_LT(++taken, 100);
  EXPECT_GT(taken, 0);
  records->tend();
  EXPECT_EQ(records->why_failed(), "");
  EXPECT_NE(write(), journal_status::ok);
  const simulated_disk full = disk;
  port->room_bytes = UINT64_MAX;
  write_some(20);
  expect_all();
  // Or killed amid that.
  written.resize(written.size() - 20);
  close();
  disk = full;
  ASSERT_EQ(start(), "");
  expect_all();
}

TEST_F(journal_ring, fails_for_good_when_the_disk_does) {
  write_some(2);
  port->write_error = EIO;
  records->tend();
  EXPECT_NE(records->why_failed().find("writing"), std::string::npos) << records->why_failed();
  EXPECT_EQ(write(), journal_status::failed);
  port->write_error = 0;
  kill();
  ASSERT_EQ(start(), "");
  expect_all();
}

TEST_F(journal_ring, is_found_behind_damage_where_nothing_is_needed_any_more) {
  write_some(6);
  records->tend();
  records->trim(written[4].at);
  ASSERT_EQ(records->flush(), journal_status::ok);
  records->tend();
  write_some(2);
  kill();
  for (const auto& name : disk.names()) {
    if (name.ends_with(".journal")) (*disk.content(name))[journal_format::header_bytes + 20] ^= 1;
  }
  ASSERT_EQ(start(), "");
  EXPECT_EQ(read_all(*records, records->begin()), std::vector<told>(written.begin() + 4, written.end()));
}

TEST_F(journal_ring, is_not_used_when_each_flush_waits_for_the_disk) {
  close();
  settings.sync_us = 0;
  ASSERT_EQ(start(), "");
  write_some(4);
  EXPECT_FALSE(has_ring());
  expect_all();
}

}  // namespace
}  // namespace restante
