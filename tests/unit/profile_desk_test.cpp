#include "core/profile_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace restante {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// Readers 1, 2, ... are accounts `a1`, `a2`, ...
struct desk_with_a_source : ::testing::Test, profile_source {
  bool read(profile_request request) override {
    if (is_full) return false;
    asked.push_back(std::move(request));
    return true;
  }
  std::string account_of(session_handle reader) {
    return gone == reader ? std::string() : "a" + std::to_string(reader);
  }
  void ask() {
    desk.ask(*this, [this](session_handle reader) { return account_of(reader); });
  }
  std::vector<session_handle> answer(const std::string& account, std::int64_t version,
                                     std::vector<std::string> blocked = {}) {
    std::vector<session_handle> given;
    desk.answered(
        {account, version, "{}", std::move(blocked)}, [&](session_handle reader) { given.push_back(reader); },
        [this](session_handle reader) { return account_of(reader); });
    return given;
  }

  profile_desk desk;
  std::vector<profile_request> asked;
  bool is_full = false;
  session_handle gone = 0;
};

TEST_F(desk_with_a_source, gives_on_subscription_and_only_what_is_newer_afterwards) {
  desk.watch(1, "bob");
  ask();
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_THAT(asked[0].readers, ElementsAre("a1"));
  EXPECT_THAT(answer("bob", 3), ElementsAre(1));
  desk.changed({"bob", "somebody"});
  ask();
  EXPECT_THAT(answer("bob", 3), IsEmpty());
  desk.changed_all();
  ask();
  EXPECT_THAT(answer("bob", 4), ElementsAre(1));
  desk.watch(1, "bob");
  ask();
  EXPECT_THAT(answer("bob", 4), ElementsAre(1));
}

TEST_F(desk_with_a_source, asks_once_more_however_often_it_changes_meanwhile) {
  desk.watch(1, "bob");
  ask();
  for (int i = 0; i < 5; ++i) {
    desk.changed({"bob"});
    ask();
  }
  EXPECT_EQ(asked.size(), 1U);
  EXPECT_THAT(answer("bob", 1), ElementsAre(1));
  ask();
  ask();
  EXPECT_EQ(asked.size(), 2U);
}

TEST_F(desk_with_a_source, gives_nothing_to_who_came_after_it_was_asked_or_is_blocked) {
  desk.watch(1, "bob");
  desk.watch(2, "bob");
  ask();
  desk.watch(3, "bob");
  EXPECT_THAT(answer("bob", 1, {"a2"}), ElementsAre(1));
  ask();
  EXPECT_THAT(asked.back().readers, UnorderedElementsAre("a1", "a2", "a3"));
  EXPECT_THAT(answer("bob", 1), UnorderedElementsAre(2, 3));
}

TEST_F(desk_with_a_source, gives_nothing_of_accounts_that_are_not_there) {
  desk.watch(1, "nobody");
  ask();
  EXPECT_THAT(answer("nobody", 0), IsEmpty());
}

TEST_F(desk_with_a_source, keeps_what_the_source_does_not_take) {
  desk.watch(1, "bob");
  is_full = true;
  ask();
  is_full = false;
  ask();
  EXPECT_EQ(asked.size(), 1U);
  EXPECT_THAT(answer("bob", 1), ElementsAre(1));
}

TEST_F(desk_with_a_source, asks_for_so_many_at_once_and_for_all_in_the_end) {
  const std::size_t count = 3 * profile_desk::asked_at_once;
  for (std::size_t i = 0; i < count; ++i) desk.watch(1, "p" + std::to_string(i));
  ask();
  EXPECT_EQ(asked.size(), profile_desk::asked_at_once);
  for (std::size_t answered = 0; answered < asked.size(); ++answered) {
    const std::string account = asked[answered].account;
    EXPECT_THAT(answer(account, 1), ElementsAre(1));
    ask();
  }
  EXPECT_EQ(asked.size(), count);
}

TEST_F(desk_with_a_source, forgets_whom_nobody_watches) {
  desk.watch(1, "bob");
  desk.unwatch(1, "bob");
  ask();
  EXPECT_THAT(asked, IsEmpty());
  desk.watch(1, "bob");
  ask();
  desk.unwatch(1, "bob");
  EXPECT_THAT(answer("bob", 1), IsEmpty());
  desk.watch(2, "carol");
  gone = 2;
  ask();
  EXPECT_EQ(asked.size(), 1U);
  EXPECT_EQ(desk.watched(), 0U);
}

}  // namespace
}  // namespace restante
