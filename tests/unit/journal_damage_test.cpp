// Torn and flipped bits: the tail is cut, everything else is refused, and nothing that was never written is
// told.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "journal_harness.h"

namespace restante {
namespace {

using namespace test;
using testing::Test;

class journal_damage : public Test, protected journal_on_a_disk {
 protected:
  void SetUp() override { ASSERT_EQ(start(), ""); }

  void write(const journal_record& record) {
    const auto at = records->end();
    ASSERT_EQ(append(*records, record), journal_status::ok);
    ASSERT_EQ(records->flush(), journal_status::ok);
    written.push_back({at, text_of(record)});
  }
  // The file that is written now.
  std::string last_file() const {
    std::string last;
    for (const auto& name : disk.names()) {
      if (journal_format::parse_file_name(name, ".journal")) last = name;
    }
    return last;
  }
  // What is told after a restart is how what was written began. How much of it.
  std::size_t expect_a_beginning() {
    const auto found = read_all(*records, records->begin());
    EXPECT_LE(found.size(), written.size());
    if (found.size() <= written.size()) {
      EXPECT_EQ(found, std::vector<told>(written.begin(), written.begin() + static_cast<long>(found.size())));
    }
    return found.size();
  }

  std::vector<told> written;
};

TEST_F(journal_damage, cuts_a_record_torn_at_any_byte) {
  for (std::uint64_t number = 0; number < 5; ++number) write(a_message(number));
  const auto file = last_file();
  kill();
  const simulated_disk whole = disk;
  const auto torn_from = journal_format::header_bytes + written[4].at;
  for (std::size_t left = torn_from; left < disk.content(file)->size(); ++left) {
    disk = whole;
    disk.content(file)->resize(left);
    ASSERT_EQ(start(), "") << left;
    EXPECT_EQ(expect_a_beginning(), 4U);
    EXPECT_EQ(records->take_notes().empty(), left == torn_from) << "what is cut is told";
    EXPECT_EQ(records->end(), written[4].at);
    close();
  }
}

TEST_F(journal_damage, takes_preallocated_zeros_for_a_clean_end) {
  write(a_message(1));
  const auto file = last_file();
  kill();
  disk.content(file)->append(10'000, '\0');
  ASSERT_EQ(start(), "");
  EXPECT_TRUE(records->take_notes().empty());
  EXPECT_EQ(expect_a_beginning(), 1U);
  write(a_message(2));
  kill();
  ASSERT_EQ(start(), "");
  EXPECT_EQ(expect_a_beginning(), 2U);
}

TEST_F(journal_damage, cuts_a_record_of_which_any_part_is_there_before_zeros) {
  for (std::uint64_t number = 0; number < 5; ++number) write(a_message(number));
  const auto file = last_file();
  const auto torn_from = journal_format::header_bytes + written[4].at;
  const auto torn_until = journal_format::header_bytes + records->end();
  kill();
  disk.content(file)->resize(2'048);
  const simulated_disk whole = disk;
  for (auto at = torn_from; at < torn_until; ++at) {
    for (const bool beginning_is_there : {true, false}) {
      disk = whole;
      auto& content = *disk.content(file);
      const auto from = beginning_is_there ? at : torn_from;
      const auto until = beginning_is_there ? torn_until : at + 1;
      std::fill(content.begin() + static_cast<long>(from), content.begin() + static_cast<long>(until), '\0');
      if (content == *simulated_disk(whole).content(file)) continue;
      const auto last = content.find_last_not_of('\0');
      ASSERT_EQ(start(), "") << at;
      EXPECT_EQ(expect_a_beginning(), 4U);
      EXPECT_EQ(records->end(), written[4].at);
      const auto notes = records->take_notes();
      if (last < torn_from) {
        EXPECT_TRUE(notes.empty()) << "nothing of it is there: " << at;
      } else {
        ASSERT_EQ(notes.size(), 1U);
        EXPECT_NE(notes[0].find("cut " + std::to_string(last + 1 - torn_from) + " bytes"), std::string::npos)
            << notes[0];
      }
      close();
    }
  }
}

TEST_F(journal_damage, is_refused_when_zeros_stand_where_a_mark_says_that_it_was_safe) {
  for (std::uint64_t number = 0; number < 3; ++number) write(a_message(number));
  records->tend();
  write(a_message(3));  // with the mark
  const auto file = last_file();
  kill();
  auto& content = *disk.content(file);
  const auto from = static_cast<long>(journal_format::header_bytes + written[2].at);
  const auto until = static_cast<long>(journal_format::header_bytes + written[3].at);
  std::fill(content.begin() + from, content.begin() + until, '\0');
  const auto error = start();
  EXPECT_NE(error.find(file + " is damaged at byte " + std::to_string(from)), std::string::npos) << error;
}

TEST_F(journal_damage, takes_no_record_from_another_place_or_journal) {
  write(a_message(1));
  write(a_message(2));
  const auto file = last_file();
  kill();
  auto* content = disk.content(file);
  const auto begin = journal_format::header_bytes;
  content->append(content->substr(begin));  // as stale bytes would be
  ASSERT_EQ(start(), "");
  EXPECT_EQ(expect_a_beginning(), 2U);
}

TEST_F(journal_damage, cuts_or_refuses_whatever_bit_is_flipped) {
  settings.segment_bytes = 1'024;
  ASSERT_EQ(start(), "");
  std::size_t safe = 0;
  for (std::uint64_t number = 0; number < 14; ++number) {
    write(a_message(number));
    if (number % 4 != 3) continue;
    records->tend();
    safe = written.size();
  }
  ASSERT_EQ(safe, 12U);
  kill();
  const simulated_disk whole = disk;
  std::size_t refused = 0, cut = 0;
  for (const auto& name : whole.names()) {
    if (!journal_format::parse_file_name(name, ".journal")) continue;
    const std::size_t bits = disk.content(name)->size() * 8;
    for (std::size_t bit = 0; bit < bits; ++bit) {
      disk = whole;
      auto& byte = (*disk.content(name))[bit / 8];
      byte = static_cast<char>(byte ^ (1 << (bit % 8)));
      const simulated_disk flipped = disk;
      if (const auto error = open(); !error.empty()) {
        EXPECT_TRUE(error.find("damaged at byte") != std::string::npos ||
                    error.find("missing") != std::string::npos)
            << error;
        EXPECT_NE(error.find(name), std::string::npos) << error;
        EXPECT_TRUE(disk.same_as(flipped)) << "what is refused is not touched";
        ++refused;
        continue;
      }
      // Only what no mark called safe may be cut: the last mark was written before the last sync.
      ++cut;
      EXPECT_GE(expect_a_beginning(), 8U) << name << " bit " << bit;
    }
  }
  EXPECT_GT(refused, 10'000U);
  EXPECT_GT(cut, 1'000U);
}

TEST_F(journal_damage, is_refused_in_the_last_segment_too_when_a_mark_says_that_it_was_safe) {
  settings.segment_bytes = 1 << 20;
  ASSERT_EQ(start(), "");
  write(a_message(1));
  write(a_message(2));
  records->tend();
  write(a_message(3));  // with the mark
  const auto file = last_file();
  kill();
  (*disk.content(file))[journal_format::header_bytes + 20] ^= 1;
  const auto error = start();
  EXPECT_NE(error.find(file + " is damaged at byte 64 "), std::string::npos) << error;
}

TEST_F(journal_damage, of_the_last_record_is_refused_after_an_orderly_end) {
  write(a_message(1));
  const auto file = last_file();
  close();
  (*disk.content(file))[journal_format::header_bytes + 20] ^= 1;
  const auto error = start();
  EXPECT_NE(error.find("is damaged at byte 64 "), std::string::npos) << error;
}

TEST_F(journal_damage, is_cut_where_no_mark_says_that_it_was_safe_though_records_follow) {
  write(a_message(1));
  records->tend();
  write(a_message(2));
  write(a_message(3));
  const auto file = last_file();
  kill();
  (*disk.content(file))[journal_format::header_bytes + written[1].at + 20] ^= 1;
  ASSERT_EQ(start(), "");
  EXPECT_EQ(expect_a_beginning(), 1U);
  written.resize(1);
  write(a_message(4));
  kill();
  ASSERT_EQ(start(), "");
  EXPECT_EQ(expect_a_beginning(), 2U);
}

TEST_F(journal_damage, is_refused_when_a_segment_in_the_middle_is_gone) {
  for (std::uint64_t number = 0; number < 100; ++number) write(a_message(number));
  records->tend();
  write(a_message(100));
  kill();
  const auto names = disk.names();
  disk.seen.erase(names[names.size() / 2]);
  const auto error = start();
  EXPECT_NE(error.find("missing"), std::string::npos) << error;
}

TEST_F(journal_damage, before_the_beginning_of_replay_costs_nothing_but_a_note) {
  settings.segment_bytes = 1 << 20;
  ASSERT_EQ(start(), "");
  for (std::uint64_t number = 0; number < 10; ++number) write(a_message(number));
  records->trim(written[6].at);
  ASSERT_EQ(records->flush(), journal_status::ok);
  records->tend();
  const auto file = last_file();
  kill();
  (*disk.content(file))[journal_format::header_bytes + written[2].at + 20] ^= 1;
  ASSERT_EQ(start(), "");
  EXPECT_EQ(records->begin(), written[6].at);
  EXPECT_EQ(read_all(*records, records->begin()), std::vector<told>(written.begin() + 6, written.end()));
  EXPECT_EQ(records->take_notes().size(), 1U);
}

TEST_F(journal_damage, of_a_length_before_the_beginning_ends_the_search_for_fingerprints_there) {
  settings.segment_bytes = 1 << 20;
  ASSERT_EQ(start(), "");
  for (std::uint64_t number = 0; number < 10; ++number) {
    write(a_message(static_cast<std::uint64_t>(time.now_us()) + number));
  }
  records->trim(written[6].at);
  ASSERT_EQ(records->flush(), journal_status::ok);
  const auto file = last_file();
  kill();
  (*disk.content(file))[journal_format::header_bytes + written[2].at + 1] ^= 4;  // longer by a thousand
  ASSERT_EQ(start(), "");
  std::size_t known = 0;
  records->recall([&](const used_once&) { ++known; });
  EXPECT_EQ(known, 2U);
}

TEST_F(journal_damage, of_a_newer_version_or_another_journal_is_refused) {
  write(a_message(1));
  const auto file = last_file();
  kill();
  (*disk.content(file))[8] = 3;
  EXPECT_NE(start().find("has a header that can be read"), std::string::npos);
}

TEST_F(journal_damage, found_while_running_stops_acceptance) {
  write(a_message(1));
  write(a_message(2));
  (*disk.content(last_file()))[journal_format::header_bytes + written[1].at + 20] ^= 1;
  const auto chunk = records->read(0, 1 << 20);
  EXPECT_TRUE(chunk.failed);
  ASSERT_EQ(chunk.records.size(), 1U);
  EXPECT_EQ(append(*records, a_message(3)), journal_status::failed);
  EXPECT_NE(records->why_failed().find("cannot be read back"), std::string::npos);
}

}  // namespace
}  // namespace restante
