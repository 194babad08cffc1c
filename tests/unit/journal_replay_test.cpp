// What comes back from the journal: at once, after a restart, and after a part was trimmed.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "journal_harness.h"

namespace restante {
namespace {

using namespace test;

std::vector<journal_record> one_of_each() {
  unresolved_receipt receipt;
  receipt.told = *a_message(5).what.what;
  receipt.told.number = 0;
  receipt.told.payload = "delivered";
  receipt.about = {"bert", "m9"};
  receipt.through = 99;
  receipt.may_message = true;
  receipt.known = {5, 6};
  auto group = a_message(6);
  group.what.recipients.clear();
  group.what.group = "choir";
  group.what.dead_letter = 12;
  group.known = {};
  return {a_message(1),
          group,
          removal_list{"bert", {1}},
          removal_list{"bert", {1, -2, 1'700'000'000'000'000}},
          removal_list{"bert", {}},
          removal_by_key{"cleo", {"anna", "m1"}, 44, true},
          removal_by_key{"cleo", {"anna", "m2"}, 45, false},
          receipt,
          used_once{{8, 9}, 1'700'000'000'000'000}};
}

class journal_replay : public testing::Test, protected journal_on_a_disk {
 protected:
  void SetUp() override { ASSERT_EQ(start(), ""); }

  void write(const journal_record& record) {
    const auto at = records->end();
    ASSERT_EQ(append(*records, record), journal_status::ok);
    written.push_back({at, text_of(record)});
  }
  void write_some(std::size_t count) {
    for (std::size_t index = 0; index < count; ++index) {
      write(a_message(written.size()));
      if (written.size() % 7 == 0) flush();
    }
    flush();
  }
  void flush() { ASSERT_EQ(records->flush(), journal_status::ok); }

  std::vector<told> written;
};

TEST_F(journal_replay, gives_back_every_kind_of_record_as_it_was) {
  for (const auto& record : one_of_each()) write(record);
  flush();
  EXPECT_EQ(read_all(*records, records->begin()), written);
  kill();
  ASSERT_EQ(start(), "");
  EXPECT_EQ(read_all(*records, records->begin()), written);
}

TEST_F(journal_replay, says_where_the_next_record_will_stand_over_many_segments) {
  write_some(1'000);
  EXPECT_GT(disk.names().size(), 20U);
  EXPECT_EQ(read_all(*records, 0, 1), written);
  EXPECT_EQ(read_all(*records, 0, 1 << 20), written);
  EXPECT_EQ(read_all(*records, written[500].at), std::vector<told>(written.begin() + 500, written.end()));
}

TEST_F(journal_replay, gives_back_nothing_that_is_not_flushed) {
  write(a_message(1));
  EXPECT_TRUE(read_all(*records, 0).empty());
  flush();
  EXPECT_EQ(read_all(*records, 0), written);
  EXPECT_EQ(records->read(records->end(), 100).next, records->end());
}

TEST_F(journal_replay, goes_on_after_restart_upon_restart) {
  for (int restart = 0; restart < 5; ++restart) {
    write_some(50);
    if (restart % 2 == 0) kill();
    ASSERT_EQ(start(), "");
    ASSERT_EQ(start(), "") << "again, with nothing written";
    EXPECT_EQ(read_all(*records, records->begin()), written);
  }
}

TEST_F(journal_replay, begins_at_what_was_kept_last) {
  write_some(300);
  for (const std::size_t kept : {10U, 150U, 299U}) {
    records->trim(written[kept].at);
    flush();
    kill();
    ASSERT_EQ(start(), "");
    EXPECT_EQ(records->begin(), written[kept].at);
    EXPECT_EQ(read_all(*records, records->begin()),
              std::vector<told>(written.begin() + static_cast<long>(kept), written.end()));
  }
  records->trim(records->end());
  flush();
  kill();
  ASSERT_EQ(start(), "");
  EXPECT_TRUE(read_all(*records, records->begin()).empty());
}

TEST_F(journal_replay, forgets_what_was_trimmed_without_a_flush) {
  write_some(10);
  records->trim(written[5].at);
  kill();
  ASSERT_EQ(start(), "");
  EXPECT_EQ(records->begin(), 0U);
}

TEST_F(journal_replay, removes_the_files_of_what_was_trimmed_once_the_mark_is_on_disk) {
  settings.dedupe_us = 0;
  ASSERT_EQ(start(), "");
  write_some(500);
  records->tend();
  const auto before = disk.bytes();
  records->trim(records->end());
  flush();
  EXPECT_EQ(disk.bytes() / 4'096, before / 4'096);
  records->tend();
  EXPECT_LT(disk.bytes(), 8'192U);
  write_some(10);
  kill();
  ASSERT_EQ(start(), "");
  EXPECT_EQ(read_all(*records, records->begin()), std::vector<told>(written.end() - 10, written.end()));
}

TEST_F(journal_replay, keeps_what_is_flushed_together_in_one_file) {
  for (int batch = 0; batch < 60; ++batch) {
    const auto first = records->end();
    for (int index = 0; index < 5; ++index) write(a_message(written.size()));
    flush();
    for (const auto& name : disk.names()) {
      const auto start = journal_format::parse_file_name(name, ".journal");
      EXPECT_FALSE(start && *start > first && *start < records->end()) << name;
    }
  }
}

TEST_F(journal_replay, takes_a_record_larger_than_a_segment) {
  write(a_message(1));
  write(a_message(2, 50'000));
  write(a_message(3));
  flush();
  write_some(20);
  EXPECT_EQ(read_all(*records, 0, 10), written);
  kill();
  ASSERT_EQ(start(), "");
  EXPECT_EQ(read_all(*records, records->begin()), written);
}

TEST_F(journal_replay, refuses_a_record_that_no_message_can_be) {
  auto large = a_message(1);
  large.what.recipients.assign(1, std::string(65, 'x'));
  EXPECT_EQ(append(*records, large), journal_status::full);
  EXPECT_EQ(records->end(), 0U);
  write_some(3);
  EXPECT_EQ(read_all(*records, 0), written);
}

TEST_F(journal_replay, leaves_no_file_open) {
  write_some(300);
  records->tend();
  read_all(*records, 0);
  records.reset();
  EXPECT_EQ(port->open_handles(), 0U);
}

}  // namespace
}  // namespace restante
