// The journal on this machine's own file system.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "journal/posix_files.h"
#include "journal_harness.h"

namespace restante {
namespace {

using namespace test;

class journal_on_this_machine : public testing::Test {
 protected:
  journal_on_this_machine() {
    std::string name = (std::filesystem::temp_directory_path() / "restante-journal-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    settings.directory = (folder / "journal").string();
    settings.segment_bytes = 64 << 10;
    settings.sync_us = 1'000;
  }
  ~journal_on_this_machine() override {
    records.reset();
    port.reset();
    std::filesystem::remove_all(folder);
  }
  std::string open() {
    records.reset();
    port = std::make_unique<posix_files>();
    auto opened = file_journal::open(settings, *port, time);
    if (const auto* error = std::get_if<journal_error>(&opened)) return error->line;
    records = std::move(std::get<0>(opened));
    return "";
  }

  static std::uintmax_t bytes_of_segments(const std::filesystem::path& in) {
    std::uintmax_t all = 0;
    for (const auto& each : std::filesystem::directory_iterator(in)) {
      if (each.path().extension() == ".journal") all += each.file_size();
    }
    return all;
  }

  std::filesystem::path folder;
  journal_settings settings = small_settings();
  hand_clock time;
  std::unique_ptr<posix_files> port;
  std::unique_ptr<file_journal> records;
};

TEST_F(journal_on_this_machine, makes_its_directory_for_its_owner_alone) {
  settings.directory += "///";
  ASSERT_EQ(open(), "");
  struct stat about {};
  ASSERT_EQ(::stat((folder / "journal").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777, 0700U);
}

TEST_F(journal_on_this_machine, wants_the_folder_above_to_be_there) {
  settings.directory = (folder / "a" / "b").string();
  EXPECT_NE(open().find("make the folder above it"), std::string::npos) << open();
}

TEST_F(journal_on_this_machine, does_not_take_a_directory_that_others_may_read) {
  ASSERT_EQ(open(), "");
  ASSERT_EQ(::chmod(settings.directory.c_str(), 0750), 0);
  EXPECT_NE(open().find("chmod 700"), std::string::npos);
}

TEST_F(journal_on_this_machine, does_not_take_a_file_for_a_directory) {
  settings.directory = "/dev/null";
  EXPECT_NE(open().find("choose a directory"), std::string::npos) << open();
}

TEST_F(journal_on_this_machine, is_locked_until_its_broker_ends) {
  ASSERT_EQ(open(), "");
  {
    posix_files another;
    const auto opened = file_journal::open(settings, another, time);
    ASSERT_EQ(opened.index(), 1U);
    EXPECT_NE(std::get<1>(opened).line.find("another broker uses"), std::string::npos);
  }
  records.reset();
  port.reset();
  EXPECT_EQ(open(), "");
}

TEST_F(journal_on_this_machine, gives_back_what_it_took_after_restart_upon_restart) {
  std::vector<told> written;
  for (int life = 0; life < 3; ++life) {
    ASSERT_EQ(open(), "");
    EXPECT_EQ(read_all(*records, records->begin(), 100'000), written);
    ASSERT_FALSE(records->start());
    for (std::uint64_t number = 0; number < 3'000; ++number) {
      const auto record = a_message(number, number % 1'000 == 0 ? 100'000 : 50);
      written.push_back({records->end(), text_of(record)});
      ASSERT_EQ(append(*records, record), journal_status::ok);
      if (number % 10 != 9) continue;
      ASSERT_EQ(records->flush(), journal_status::ok) << records->why_failed();
    }
    EXPECT_EQ(read_all(*records, records->begin(), 100'000), written);
  }
}

TEST_F(journal_on_this_machine, syncs_each_flush_when_that_is_asked) {
  settings.sync_us = 0;
  ASSERT_EQ(open(), "");
  ASSERT_FALSE(records->start());
  for (std::uint64_t number = 0; number < 10; ++number) {
    ASSERT_EQ(append(*records, a_message(number, 20'000)), journal_status::ok);
    ASSERT_EQ(records->flush(), journal_status::ok);
  }
  EXPECT_EQ(read_all(*records, 0).size(), 10U);
}

TEST_F(journal_on_this_machine, leaves_what_it_took_when_its_process_is_killed) {
  ASSERT_EQ(open(), "");
  ASSERT_FALSE(records->start(file_journal::behind::by_hand));
  std::vector<told> written;
  for (std::uint64_t number = 0; number < 500; ++number) {
    const auto record = a_message(number);
    written.push_back({records->end(), text_of(record)});
    ASSERT_EQ(append(*records, record), journal_status::ok);
    ASSERT_EQ(records->flush(), journal_status::ok);
  }
  const auto left = folder / "left";
  std::filesystem::copy(settings.directory, left);
  EXPECT_LT(bytes_of_segments(left), records->end()) << "the ring has the rest";
  std::filesystem::permissions(left, std::filesystem::perms::owner_all);
  settings.directory = left.string();
  ASSERT_EQ(open(), "");
  EXPECT_EQ(read_all(*records, records->begin(), 100'000), written);
}

TEST_F(journal_on_this_machine, is_given_up_when_somebody_cuts_its_ring) {
  ASSERT_EQ(open(), "");
  ASSERT_FALSE(records->start(file_journal::behind::by_hand));
  ASSERT_EQ(append(*records, a_message(1)), journal_status::ok);
  ASSERT_EQ(records->flush(), journal_status::ok);
  std::filesystem::resize_file(settings.directory + "/ring", 0);
  ASSERT_EQ(append(*records, a_message(2)), journal_status::ok);
  EXPECT_EQ(records->flush(), journal_status::failed);
  EXPECT_NE(records->why_failed().find("writing"), std::string::npos) << records->why_failed();
  EXPECT_EQ(append(*records, a_message(3)), journal_status::failed);
}

TEST_F(journal_on_this_machine, goes_on_when_somebody_cuts_a_ring_with_nothing_of_its_own) {
  ASSERT_EQ(open(), "");
  ASSERT_FALSE(records->start(file_journal::behind::by_hand));
  ASSERT_EQ(append(*records, a_message(1)), journal_status::ok);
  ASSERT_EQ(records->flush(), journal_status::ok);
  records->tend();
  std::filesystem::resize_file(settings.directory + "/ring", 0);
  ASSERT_EQ(append(*records, a_message(2)), journal_status::ok);
  EXPECT_EQ(records->flush(), journal_status::ok) << records->why_failed();
  EXPECT_EQ(read_all(*records, 0).size(), 2U);
  EXPECT_FALSE(std::filesystem::exists(settings.directory + "/ring"));
}

TEST_F(journal_on_this_machine, makes_a_key_that_no_other_journal_has) {
  ASSERT_EQ(open(), "");
  const auto key = records->hash_key();
  ASSERT_FALSE(records->start());
  ASSERT_EQ(open(), "");
  EXPECT_EQ(records->hash_key().low, key.low);
  std::filesystem::remove_all(settings.directory);
  ASSERT_EQ(open(), "");
  EXPECT_NE(records->hash_key().low, key.low);
}

}  // namespace
}  // namespace restante
