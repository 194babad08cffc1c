#include "crypto/password_memory.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "crypto/password.h"

namespace restante {
namespace {

using steady = std::chrono::steady_clock;

template <typename Call>
auto time_of(const Call& call) {
  const auto began = steady::now();
  call();
  return steady::now() - began;
}

TEST(password_memory, gives_the_verdicts_of_verify_password_first_and_again) {
  password_memory memory;
  const auto hash = hash_password("secret"), other = hash_password("secret");
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(memory.verify("secret", hash));
    EXPECT_TRUE(memory.verify("secret", other));
    EXPECT_FALSE(memory.verify("Secret", hash));
    EXPECT_FALSE(memory.verify("", hash));
    EXPECT_FALSE(memory.verify("secret", "no hash"));
  }
}

TEST(password_memory, knows_nothing_of_a_password_that_was_changed) {
  password_memory memory;
  EXPECT_TRUE(memory.verify("old", hash_password("old")));
  const auto changed = hash_password("new");
  EXPECT_FALSE(memory.verify("old", changed));
  EXPECT_TRUE(memory.verify("new", changed));
}

TEST(password_memory, tells_apart_where_the_hash_ends_and_the_password_begins) {
  password_memory memory;
  const auto hash = hash_password("secret");
  EXPECT_TRUE(memory.verify("secret", hash));
  EXPECT_FALSE(memory.verify(hash.substr(hash.size() - 1) + "secret", hash.substr(0, hash.size() - 1)));
}

TEST(password_memory, answers_what_it_has_seen_in_a_fraction_of_the_time) {
  password_memory memory;
  const auto hash = hash_password("secret");
  const auto first = time_of([&] { memory.verify("secret", hash); });
  auto again = first;
  for (int i = 0; i < 10; ++i) again = std::min(again, time_of([&] { memory.verify("secret", hash); }));
  EXPECT_LT(again * 10, first);
}

TEST(password_memory, forgets_wrong_passwords_but_no_right_one_however_many_are_guessed) {
  password_memory memory;
  const auto hash = hash_password("secret");
  EXPECT_TRUE(memory.verify("secret", hash));
  // Not argon2id: refused without any work.
  for (std::size_t i = 0; i < 2 * password_memory::most_wrong; ++i) {
    EXPECT_FALSE(memory.verify("guess" + std::to_string(i), "no hash"));
  }
  const auto again = time_of([&] { EXPECT_TRUE(memory.verify("secret", hash)); });
  EXPECT_LT(again * 2, time_of([&] { EXPECT_FALSE(memory.verify("other", hash)); }));
}

}  // namespace
}  // namespace restante
