// Bounds: the limit, a full or slow or broken disk, a directory that cannot be used.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "journal_harness.h"

namespace restante {
namespace {

using namespace test;

class journal_room : public testing::Test, protected journal_on_a_disk {
 protected:
  journal_room() {
    settings.limit_bytes = 1 << 20;
    settings.segment_bytes = 64 << 10;
  }
  void SetUp() override { ASSERT_EQ(start(), ""); }

  journal_status write(const journal_record& record) {
    const auto at = records->end();
    const auto status = append(*records, record);
    if (status != journal_status::ok) return status;
    const auto flushed = records->flush();
    if (flushed == journal_status::ok) written.push_back({at, text_of(record)});
    return flushed;
  }
  // Until it is refused.
  journal_status fill(const std::function<journal_record(std::uint64_t)>& make, std::size_t most = 100'000) {
    for (std::size_t count = 0; count < most; ++count) {
      if (const auto status = write(make(written.size())); status != journal_status::ok) return status;
      if (count % 50 == 0) records->tend();
      EXPECT_LE(records->size_bytes(), settings.limit_bytes);
    }
    return journal_status::ok;
  }
  journal_status fill_with_removals() {
    return fill([](std::uint64_t number) {
      return removal_list{"bert", {static_cast<message_number>(number)}};
    });
  }
  journal_status fill_with_messages() {
    return fill([](std::uint64_t number) { return a_message(number, 300); });
  }
  void trim_all() {
    records->trim(records->end());
    EXPECT_EQ(records->flush(), journal_status::ok);
    for (int round = 0; round < 100; ++round) records->tend();
  }
  void expect_all_to_be_there() {
    kill();
    ASSERT_EQ(start(), "");
    EXPECT_EQ(read_all(*records, 0), written);
  }

  std::vector<told> written;
};

TEST_F(journal_room, keeps_a_sixteenth_free_of_messages) {
  EXPECT_EQ(fill_with_messages(), journal_status::full);
  EXPECT_GT(disk.bytes(), settings.limit_bytes / 16 * 14);
  EXPECT_LE(disk.bytes(), settings.limit_bytes / 16 * 15);
  const auto messages = written.size();
  EXPECT_EQ(fill_with_removals(), journal_status::full);
  EXPECT_GT(written.size() - messages, 500U);
  EXPECT_LE(disk.bytes(), settings.limit_bytes);
  EXPECT_EQ(write(a_message(1)), journal_status::full);
  expect_all_to_be_there();
}

TEST_F(journal_room, counts_fingerprints_that_outlive_their_segments) {
  EXPECT_EQ(fill([](std::uint64_t number) {
              return used_once{{number + 1, 5}, 1'700'000'000'000'000};
            }),
            journal_status::full);
  trim_all();
  EXPECT_LE(disk.bytes(), settings.limit_bytes);
  EXPECT_GT(disk.bytes(), settings.limit_bytes / 4) << "the fingerprints";
  EXPECT_EQ(fill([](std::uint64_t number) {
              return used_once{{number + 1, 5}, 1'700'000'000'000'000};
            }),
            journal_status::full);
  EXPECT_LE(disk.bytes(), settings.limit_bytes);
}

TEST_F(journal_room, is_there_again_once_something_is_trimmed) {
  for (int round = 0; round < 5; ++round) {
    EXPECT_EQ(fill_with_messages(), journal_status::full);
    trim_all();
    time.pass(settings.dedupe_us);
    records->tend();
    EXPECT_LT(disk.bytes(), 140'000U);
  }
}

TEST_F(journal_room, for_marks_is_there_though_the_limit_is_reached) {
  EXPECT_EQ(fill_with_removals(), journal_status::full);
  for (int restart = 0; restart < 3; ++restart) {
    kill();
    ASSERT_EQ(start(), "");
    EXPECT_EQ(fill_with_removals(), journal_status::full);
  }
  for (std::size_t kept = 0; kept < written.size(); ++kept) {
    records->trim(written[kept].at);
    ASSERT_EQ(records->flush(), journal_status::ok);
    if (kept % 100 == 0) records->tend();
  }
  kill();
  ASSERT_EQ(start(), "");
  EXPECT_EQ(read_all(*records, records->begin()), std::vector<told>(written.end() - 1, written.end()));
}

TEST_F(journal_room, that_the_disk_has_not_is_waited_for) {
  for (const std::size_t most_at_once : {SIZE_MAX, std::size_t{100}}) {
    port->most_at_once = most_at_once;
    port->room_bytes = disk.bytes() + 100'000;
    const auto begin = records->end();
    EXPECT_EQ(fill_with_messages(), journal_status::full);
    EXPECT_EQ(fill_with_removals(), journal_status::full);
    EXPECT_EQ(records->why_failed(), "");
    EXPECT_EQ(read_all(*records, begin), written);
    port->room_bytes = UINT64_MAX;
    EXPECT_EQ(write(a_message(written.size())), journal_status::ok);
    EXPECT_EQ(fill_with_messages(), journal_status::full) << "the limit";
    trim_all();
    time.pass(settings.dedupe_us);
    records->tend();
    written.clear();
  }
  EXPECT_EQ(write(a_message(1)), journal_status::ok);
  kill();
  ASSERT_EQ(start(), "");
  EXPECT_EQ(read_all(*records, records->begin()), written);
}

TEST_F(journal_room, that_ends_within_a_flush_leaves_what_was_before) {
  settings.limit_bytes = 16 << 20;
  ASSERT_EQ(start(), "");
  for (std::uint64_t spare_bytes = 1; spare_bytes < 2'000; spare_bytes += 7) {
    ASSERT_EQ(write(a_message(written.size())), journal_status::ok);
    port->room_bytes = disk.bytes() + spare_bytes;
    const auto before = records->end();
    std::vector<told> batch;
    bool refused = false;
    for (int index = 0; index < 8 && !refused; ++index) {
      const auto record = a_message(written.size() + batch.size());
      batch.push_back({records->end(), text_of(record)});
      refused = append(*records, record) != journal_status::ok;
      if (refused) batch.pop_back();
    }
    if (records->flush() == journal_status::ok) {
      written.insert(written.end(), batch.begin(), batch.end());
    } else {
      EXPECT_EQ(records->end(), before);
    }
    port->room_bytes = UINT64_MAX;
    records->tend();
    if (spare_bytes % 5 == 0) {
      kill();
      ASSERT_EQ(start(), "");
    }
  }
  expect_all_to_be_there();
}

TEST_F(journal_room, to_put_fingerprints_aside_is_made_by_giving_back_the_spare) {
  fill([](std::uint64_t number) { return used_once{{number + 1, 5}, 1'700'000'000'000'000}; }, 5'000);
  port->room_bytes = disk.bytes();
  records->trim(records->end());
  port->room_bytes += 1'000;  // for the mark
  EXPECT_EQ(records->flush(), journal_status::ok);
  for (int round = 0; round < 20; ++round) records->tend();
  EXPECT_GT(disk.bytes(), 0U);
  EXPECT_EQ(records->why_failed(), "");
}

TEST_F(journal_room, that_the_journal_fills_to_the_last_byte_is_made_by_forgetting_fingerprints) {
  const auto once = [](std::uint64_t number) { return used_once{{number + 1, 5}, 1'700'000'000'000'000}; };
  fill(once, 5'000);
  port->create_error = ENOSPC;
  EXPECT_EQ(fill(once), journal_status::full);
  // Trimmed by little it has no room for marks in the end, but for the one that counts.
  for (int marks = 0; marks < 50; ++marks) {
    records->trim(records->begin() + static_cast<journal_position>(marks) * 100);
    records->flush();
    records->tend();
    EXPECT_EQ(fill(once), journal_status::full);
  }
  const auto full_bytes = records->size_bytes();
  records->trim(records->end());
  EXPECT_EQ(records->flush(), journal_status::ok);
  for (int round = 0; round < 20; ++round) records->tend();
  EXPECT_EQ(write(once(1)), journal_status::full) << "it is waited for";
  EXPECT_THAT(records->take_notes(), testing::IsEmpty());
  time.pass(1'000'000);
  for (int round = 0; round < 20; ++round) records->tend();
  EXPECT_THAT(records->take_notes(), testing::ElementsAre(testing::HasSubstr("fingerprints are forgotten")));
  EXPECT_LT(records->size_bytes(), full_bytes / 2);
  port->create_error = 0;
  EXPECT_EQ(write(once(1)), journal_status::ok);
  EXPECT_EQ(records->why_failed(), "");
}

TEST_F(journal_room, of_a_disk_that_is_far_behind_is_not_for_messages) {
  EXPECT_EQ(write(a_message(1)), journal_status::ok);
  const auto loop = [&] { return records->flush(); };
  time.pass(50 * settings.sync_us);
  EXPECT_EQ(loop(), journal_status::ok);
  EXPECT_EQ(write(a_message(2)), journal_status::ok);
  time.pass(1);
  EXPECT_EQ(loop(), journal_status::ok);
  EXPECT_EQ(write(a_message(3)), journal_status::full);
  EXPECT_EQ(write(removal_list{"bert", {1}}), journal_status::ok);
  records->tend();
  EXPECT_EQ(loop(), journal_status::ok);
  EXPECT_EQ(write(a_message(3)), journal_status::ok);
  expect_all_to_be_there();
}

TEST_F(journal_room, is_gone_for_good_after_any_other_error) {
  ASSERT_EQ(write(a_message(1)), journal_status::ok);
  port->write_error = EIO;
  EXPECT_EQ(write(a_message(2)), journal_status::failed);
  port->write_error = 0;
  EXPECT_EQ(append(*records, a_message(3)), journal_status::failed);
  EXPECT_EQ(append(*records, removal_list{"bert", {1}}), journal_status::failed);
  EXPECT_EQ(records->flush(), journal_status::failed);
  EXPECT_NE(records->why_failed().find("Input/output error"), std::string::npos);
  expect_all_to_be_there();
}

TEST_F(journal_room, is_gone_for_good_after_a_failed_sync_though_the_next_would_say_yes) {
  ASSERT_EQ(write(a_message(1)), journal_status::ok);
  port->sync_error = EIO;
  records->tend();
  port->sync_error = 0;
  const auto syncs = port->syncs();
  records->tend();
  EXPECT_EQ(port->syncs(), syncs) << "not tried again";
  EXPECT_EQ(write(a_message(2)), journal_status::failed);
  EXPECT_NE(records->why_failed().find("syncing"), std::string::npos) << records->why_failed();
}

TEST_F(journal_room, is_gone_when_the_sync_of_a_flush_fails) {
  settings.sync_us = 0;
  ASSERT_EQ(start(), "");
  const auto syncs = port->syncs();
  ASSERT_EQ(write(a_message(1)), journal_status::ok);
  EXPECT_EQ(port->syncs(), syncs + 1);
  port->sync_error = EIO;
  EXPECT_EQ(write(a_message(2)), journal_status::failed);
}

TEST_F(journal_room, on_a_disk_that_became_read_only_is_gone_at_the_next_segment) {
  port->make_error = EROFS;
  EXPECT_EQ(fill_with_messages(), journal_status::failed);
  EXPECT_NE(records->why_failed().find("Read-only file system"), std::string::npos);
}

TEST_F(journal_room, without_more_open_files_is_waited_for) {
  port->make_error = EMFILE;
  EXPECT_EQ(fill_with_messages(), journal_status::full);
  port->make_error = 0;
  EXPECT_EQ(write(a_message(1)), journal_status::ok);
}

TEST_F(journal_room, without_more_open_files_is_read_later) {
  ASSERT_EQ(write(a_message(1)), journal_status::ok);
  port->open_error = EMFILE;
  const auto chunk = records->read(records->begin(), 1'000);
  EXPECT_THAT(chunk.records, testing::IsEmpty());
  EXPECT_FALSE(chunk.failed);
  EXPECT_EQ(chunk.next, records->begin());
  port->open_error = 0;
  EXPECT_EQ(records->read(records->begin(), 1'000).records.size(), 1U);
  EXPECT_EQ(write(a_message(2)), journal_status::ok);
}

class journal_directory : public testing::Test, protected journal_on_a_disk {};

TEST_F(journal_directory, belongs_to_one_broker) {
  ASSERT_EQ(start(), "");
  simulated_files another(disk, locked);
  const auto opened = file_journal::open(settings, another, time);
  const auto* error = std::get_if<journal_error>(&opened);
  ASSERT_NE(error, nullptr);
  EXPECT_NE(error->line.find("another broker uses"), std::string::npos) << error->line;
  EXPECT_EQ(append(*records, a_message(1)), journal_status::ok) << "the first goes on";
}

TEST_F(journal_directory, must_be_closed_to_others) {
  for (const int bits : {0701, 0704, 0710, 0740, 0755, 0777}) {
    simulated_files open_to_others(disk);
    open_to_others.permission_bits = bits;
    const auto opened = file_journal::open(settings, open_to_others, time);
    const auto* error = std::get_if<journal_error>(&opened);
    ASSERT_NE(error, nullptr) << bits;
    EXPECT_NE(error->line.find("chmod 700"), std::string::npos) << error->line;
  }
}

TEST_F(journal_directory, that_cannot_be_written_is_told_at_the_start) {
  ASSERT_EQ(start(), "");
  for (const auto& [error, says] : {std::pair{EROFS, "Read-only file system"},
                                    {EACCES, "must belong to the user that the broker runs as"},
                                    {ENOSPC, "make room"}}) {
    simulated_disk fresh;
    simulated_files refusing(fresh);
    auto opened = file_journal::open(settings, refusing, time);
    ASSERT_EQ(opened.index(), 0U);
    refusing.make_error = error;
    const auto refused = std::get<0>(opened)->start(file_journal::behind::by_hand);
    ASSERT_TRUE(refused);
    EXPECT_NE(refused->line.find(says), std::string::npos) << refused->line;
    EXPECT_EQ(append(*std::get<0>(opened), a_message(1)), journal_status::failed);
  }
}

TEST_F(journal_directory, keeps_its_key_for_ever) {
  ASSERT_EQ(start(), "");
  const auto key = records->hash_key();
  EXPECT_NE(key.low, 0U);
  ASSERT_EQ(start(), "");
  EXPECT_EQ(records->hash_key().low, key.low);
  EXPECT_EQ(records->hash_key().high, key.high);
}

}  // namespace
}  // namespace restante
