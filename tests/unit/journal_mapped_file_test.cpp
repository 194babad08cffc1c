// What is stored into memory is in the file, and a file that is cut is no end of the process.
#include "journal/mapped_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <thread>

#include "journal_mapped_file.h"

namespace restante {
namespace {

using namespace test;

constexpr std::size_t size_bytes = 64 << 10;

class a_mapped_file : public testing::Test {
 protected:
  a_mapped_file() {
    EXPECT_TRUE(file.keep_space(size_bytes));
    file.cut(size_bytes);
    EXPECT_EQ(mapped.map(file.handle(), size_bytes), 0);
  }
  ~a_mapped_file() override {
    mapped.leave(file.handle());
    std::filesystem::remove_all(folder);
  }

  const std::filesystem::path folder = new_folder();
  scratch_file file{folder};
  mapped_file mapped;
};

TEST_F(a_mapped_file, shows_every_reader_what_was_stored) {
  std::string all;
  for (std::size_t number = 0; all.size() + 5'000 < size_bytes; ++number) {
    const std::string piece(1 + number * 37 % 5'000, static_cast<char>('a' + number % 26));
    ASSERT_TRUE(mapped.store(file.handle(), piece, all.size()));
    all += piece;
  }
  EXPECT_TRUE(file.content(0, all.size()) == all);
  EXPECT_EQ(file.size_bytes(), size_bytes);
}

TEST_F(a_mapped_file, stores_nothing_beyond_its_end_nor_into_another) {
  EXPECT_TRUE(mapped.store(file.handle(), "abc", size_bytes - 3));
  EXPECT_FALSE(mapped.store(file.handle(), "abc", size_bytes - 2));
  EXPECT_FALSE(mapped.store(file.handle(), "a", size_bytes + 1));
  EXPECT_FALSE(mapped.store(file.handle() + 1, "abc", 0));
  EXPECT_EQ(file.content(size_bytes - 3, 3), "abc");
}

TEST_F(a_mapped_file, says_that_somebody_cut_the_file) {
  ASSERT_TRUE(mapped.store(file.handle(), "abc", 0));
  file.cut(0);
  EXPECT_FALSE(mapped.store(file.handle(), "def", 3));
  EXPECT_FALSE(mapped.store(file.handle(), "def", 3)) << "and nothing more is stored";
  EXPECT_EQ(file.size_bytes(), 0U);
}

TEST_F(a_mapped_file, is_left_when_its_thread_closes_it_and_not_when_another_has_the_same_number) {
  std::thread([this] { mapped.leave(file.handle()); }).join();
  EXPECT_TRUE(mapped.store(file.handle(), "abc", 0));
  mapped.leave(file.handle());
  EXPECT_FALSE(mapped.store(file.handle(), "abc", 0));
}

TEST_F(a_mapped_file, can_be_another_one_later) {
  const auto other_folder = new_folder();
  {
    const scratch_file other(other_folder);
    other.cut(size_bytes);
    ASSERT_EQ(mapped.map(other.handle(), size_bytes), 0);
    EXPECT_TRUE(mapped.store(other.handle(), "xyz", 0));
    EXPECT_FALSE(mapped.store(file.handle(), "abc", 0));
    EXPECT_EQ(other.content(0, 3), "xyz");
    mapped.leave(other.handle());
  }
  std::filesystem::remove_all(other_folder);
}

}  // namespace
}  // namespace restante
