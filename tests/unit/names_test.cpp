#include "core/names.h"

#include <gtest/gtest.h>

#include <string>

namespace restante {
namespace {

TEST(names, account_names_are_letters_digits_and_a_few_signs) {
  for (const auto* good : {"a", "Z", "7", "bob", "Bob.Smith", "bob_1@example.org", "did:key:z6Mk", "a=b", "-",
                           "...", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz0123456789"}) {
    EXPECT_TRUE(is_account_name(good)) << good;
  }
  for (const auto* bad :
       {"",      " ",   "a b", "a/b",  "+",    "#",   "a+", "%u", "a\n", "$SYS", "jos\xC3\xA9",
        "a\x80", "a,b", "a'b", "a\"b", "a\\b", "a;b", "[",  "`",  "{",   "\x7F"}) {
    EXPECT_FALSE(is_account_name(bad)) << bad;
  }
}

TEST(names, message_ids_know_neither_at_nor_equals) {
  for (const auto* good :
       {"1", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "123e4567-e89b-12d3-a456-426614174000", "a.b_c:d-e"}) {
    EXPECT_TRUE(is_message_id(good)) << good;
  }
  for (const auto* bad : {"", "a@b", "a=b", "a/b", "a b", "+", "#", "\xC3\xA9"}) {
    EXPECT_FALSE(is_message_id(bad)) << bad;
  }
}

TEST(names, end_after_64_bytes) {
  EXPECT_TRUE(is_account_name(std::string(64, 'x')));
  EXPECT_FALSE(is_account_name(std::string(65, 'x')));
  EXPECT_TRUE(is_message_id(std::string(64, 'x')));
  EXPECT_FALSE(is_message_id(std::string(65, 'x')));
}

TEST(names, do_not_hide_a_nul) {
  EXPECT_FALSE(is_account_name(std::string("a\0b", 3)));
  EXPECT_FALSE(is_message_id(std::string("\0", 1)));
}

TEST(names, are_found_at_the_beginning_of_a_text) {
  EXPECT_EQ(leading_account_name("bob@example.org/m1"), "bob@example.org");
  EXPECT_EQ(leading_account_name("bob"), "bob");
  EXPECT_EQ(leading_account_name("/m1"), "");
  EXPECT_EQ(leading_account_name(""), "");
  EXPECT_EQ(leading_message_id("m1\nbob/m2"), "m1");
  EXPECT_EQ(leading_message_id("m1@2"), "m1");
  const std::string longest(64, 'x');
  EXPECT_EQ(leading_account_name(longest + "/m1"), longest);
  EXPECT_EQ(leading_message_id(longest), longest);
  EXPECT_EQ(leading_account_name(longest + "x/m1"), "") << "too long";
  EXPECT_EQ(leading_message_id(longest + "x"), "") << "too long";
}

TEST(names, are_the_same_only_if_every_byte_is) {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string name(size, 'x');
    EXPECT_TRUE(same_name(name, std::string(size, 'x'))) << size;
    EXPECT_FALSE(same_name(name, name + 'x')) << size;
    for (std::size_t at = 0; at < size; ++at) {
      auto other = name;
      other[at] = 'y';
      EXPECT_FALSE(same_name(name, other)) << size << ' ' << at;
    }
  }
}

}  // namespace
}  // namespace restante
