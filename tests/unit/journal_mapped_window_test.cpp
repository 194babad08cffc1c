// What is stored through the window is in the file, and a disk that does not take it is no end of the
// process.
#include "journal/mapped_window.h"

#include <gtest/gtest.h>

#include <errno.h>

#include <filesystem>
#include <string>

#include "../faults/small_file_system.h"
#include "journal_mapped_file.h"

namespace restante {
namespace {

using namespace test;
using outcome = mapped_window::outcome;

constexpr std::uint64_t window_bytes = mapped_window::size_bytes;

class a_mapped_window : public testing::Test {
 protected:
  ~a_mapped_window() override { std::filesystem::remove_all(folder); }

  const std::filesystem::path folder = new_folder();
  scratch_file file{folder};
  mapped_window window;
};

TEST_F(a_mapped_window, shows_every_reader_what_was_stored) {
  std::string all;
  for (std::size_t number = 0; all.size() < 3 * window_bytes; ++number) {
    const std::string piece(1 + number * 37 % 5'000, static_cast<char>('a' + number % 26));
    ASSERT_EQ(window.store(file.handle(), piece, all.size(), 4 * window_bytes), outcome::stored);
    all += piece;
  }
  EXPECT_TRUE(file.content(0, all.size()) == all);
  const auto rest = file.content(all.size(), 4 * window_bytes);
  EXPECT_LE(rest.size(), window_bytes);
  EXPECT_EQ(rest.find_first_not_of('\0'), std::string::npos);
}

TEST_F(a_mapped_window, makes_no_file_larger_than_there_is_space) {
  EXPECT_EQ(window.store(file.handle(), "abc", 0, 5'000), outcome::stored);
  EXPECT_EQ(file.size_bytes(), 5'000U);
  EXPECT_EQ(window.store(file.handle(), "abc", 4'997, 5'000), outcome::stored);
  EXPECT_EQ(window.store(file.handle(), "abc", 4'998, 5'000), outcome::not_here);
  EXPECT_EQ(window.store(file.handle(), "abc", 5'000, 5'003), outcome::stored) << "there is more now";
  EXPECT_EQ(file.size_bytes(), 5'003U);
}

TEST_F(a_mapped_window, leaves_large_pieces_to_others_and_goes_on_behind_them) {
  constexpr std::uint64_t capacity_bytes = 1'000'000;
  const std::string large(300'000, 'l');
  ASSERT_EQ(window.store(file.handle(), "abc", 0, capacity_bytes), outcome::stored);
  ASSERT_EQ(window.store(file.handle(), large, 3, capacity_bytes), outcome::not_here);
  ASSERT_EQ(::pwrite(file.handle(), large.data(), large.size(), 3), 300'000);
  ASSERT_EQ(window.store(file.handle(), "def", 300'003, capacity_bytes), outcome::stored);
  EXPECT_TRUE(file.content(0, 300'006) == "abc" + large + "def");
}

TEST_F(a_mapped_window, goes_from_file_to_file_and_gives_back_no_space_that_was_kept) {
  const auto other_folder = new_folder();
  {
    const scratch_file other(other_folder);
    ASSERT_TRUE(file.keep_space(100'000));
    ASSERT_EQ(window.store(file.handle(), "abc", 0, 100'000), outcome::stored);
    ASSERT_EQ(window.store(other.handle(), "xyz", 0, 100'000), outcome::stored);
    ASSERT_EQ(window.store(file.handle(), "def", 3, 100'000), outcome::stored);
    EXPECT_EQ(file.content(0, 6), "abcdef");
    EXPECT_EQ(other.content(0, 3), "xyz");
    EXPECT_GE(file.kept_bytes(), 100'000U);
  }
  std::filesystem::remove_all(other_folder);
}

TEST_F(a_mapped_window, says_that_somebody_cut_the_file) {
  ASSERT_EQ(window.store(file.handle(), "abc", 0, window_bytes), outcome::stored);
  file.cut(0);
  window.prepare(file.handle(), 100'000);
  EXPECT_EQ(window.store(file.handle(), "def", 3, window_bytes), outcome::cut);
  EXPECT_EQ(window.store(file.handle(), "def", 3, window_bytes), outcome::not_here) << "not once more";
  EXPECT_EQ(file.size_bytes(), 0U);
}

TEST_F(a_mapped_window, leaves_it_to_others_to_say_that_there_is_no_room) {
  const auto mount = folder / "small";
  std::filesystem::create_directory(mount);
  const faults::small_file_system disk(mount, "64k");
  if (!disk.is_mounted()) return;  // only root may
  const scratch_file full(mount);
  const std::string piece(4'096, 'p');
  std::uint64_t offset = 0;
  auto last = outcome::stored;
  while (last == outcome::stored && offset < window_bytes) {
    last = window.store(full.handle(), piece, offset, window_bytes);
    if (last == outcome::stored) offset += piece.size();
  }
  EXPECT_EQ(last, outcome::not_here);
  EXPECT_EQ(::pwrite(full.handle(), piece.data(), piece.size(), static_cast<off_t>(offset)), -1);
  EXPECT_EQ(errno, ENOSPC);
  EXPECT_EQ(full.content(offset - 1, 1), "p") << "what had room is there";
}

TEST_F(a_mapped_window, takes_a_hint_for_any_file_at_any_time) {
  window.prepare(file.handle(), 1 << 30);
  ASSERT_EQ(window.store(file.handle(), "abc", 0, 100'000), outcome::stored);
  window.prepare(file.handle() + 1, 1 << 30);
  window.prepare(file.handle(), 1 << 30);
  ASSERT_EQ(window.store(file.handle(), "def", 3, 100'000), outcome::stored);
  EXPECT_EQ(file.content(0, 7), std::string("abcdef\0", 7));
  window.leave(file.handle());
  window.prepare(file.handle(), 1 << 30);
}

}  // namespace
}  // namespace restante
