// plugin/postgres/pipeline.h against a real server.
#include "postgres/pipeline.h"

#include <gmock/gmock.h>

#include <string>

#include "support/failure.h"
#include "support/postgres_server.h"

namespace restante {
namespace {

using testing::HasSubstr;

constexpr statement insert_one{"insert_one", "insert into note (id) values ($1)"};
constexpr statement insert_all{"insert_all", "insert into note (id) select unnest($1)"};
constexpr statement count_all{"count_all", "select count(*) from note"};
constexpr statement into_nothing{"into_nothing", "insert into nowhere (id) values ($1)"};

class store_pipeline : public testing::Test {
 protected:
  store_pipeline()
      : database_(support::shared_postgres().create_database().owner),
        to_(connection::open({.database = database_}).value()) {
    if (!to_.execute_script("create schema restante; create table note (id bigint primary key)"))
      throw support::failure("no table");
  }

  std::string stored() { return support::query(database_, "select coalesce(sum(id), 0) from restante.note"); }

  std::string database_;
  connection to_;
};

TEST_F(store_pipeline, commits_all_of_it_at_the_end) {
  for (int round = 0; round < 2; ++round) {
    auto begun = pipeline::begin(to_);
    ASSERT_TRUE(begun);
    begun->add(insert_one, {round * 10 + 1});
    begun->add(insert_one, {round * 10 + 2});
    EXPECT_EQ(stored(), round == 0 ? "0" : "3");
    ASSERT_TRUE(begun->finish());
  }
  EXPECT_EQ(stored(), "26");
}

TEST_F(store_pipeline, answers_on_the_way_to_what_stands_before) {
  auto begun = pipeline::begin(to_);
  ASSERT_TRUE(begun);
  begun->add(insert_one, {1});
  const std::size_t first = begun->add(count_all, {});
  begun->add(insert_one, {2});
  const std::size_t second = begun->add(count_all, {});
  EXPECT_EQ((*begun->answer(first))[0].int64(0), 1);
  EXPECT_EQ((*begun->answer(second))[0].int64(0), 2);
  begun->add(insert_one, {3});
  EXPECT_TRUE(begun->finish());
  EXPECT_EQ(stored(), "6");
}

TEST_F(store_pipeline, keeps_nothing_of_it_when_one_of_it_fails) {
  {
    auto begun = pipeline::begin(to_);
    ASSERT_TRUE(begun);
    begun->add(insert_one, {1});
    begun->add(insert_one, {1});
    begun->add(insert_one, {2});
    const auto ended = begun->finish();
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().sqlstate, "23505");
  }
  EXPECT_EQ(stored(), "0");
  EXPECT_TRUE(to_.execute(count_all));
}

TEST_F(store_pipeline, can_be_left_after_a_failure_that_was_heard_on_the_way) {
  {
    auto begun = pipeline::begin(to_);
    ASSERT_TRUE(begun);
    begun->add(insert_one, {1});
    begun->add(into_nothing, {1});
    const auto answer = begun->answer(begun->add(count_all, {}));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().sqlstate, "42P01");
  }
  EXPECT_EQ(stored(), "0");
  // What was prepared before the failure is, and what was not is not taken for it.
  ASSERT_TRUE(to_.execute_script("create table nowhere (id bigint)"));
  auto again = pipeline::begin(to_);
  ASSERT_TRUE(again);
  again->add(into_nothing, {1});
  again->add(insert_one, {1});
  again->add(count_all, {});
  EXPECT_TRUE(again->finish());
  EXPECT_EQ(stored(), "1");
}

TEST_F(store_pipeline, left_in_the_middle_commits_nothing) {
  {
    auto begun = pipeline::begin(to_);
    ASSERT_TRUE(begun);
    begun->add(insert_one, {1});
  }
  EXPECT_FALSE(to_.is_usable());
  EXPECT_EQ(stored(), "0");
}

TEST_F(store_pipeline, says_what_only_the_commit_finds) {
  ASSERT_TRUE(to_.execute_script(
      "alter table note add other bigint default 5 references note deferrable initially deferred"));
  {
    auto begun = pipeline::begin(to_);
    ASSERT_TRUE(begun);
    const auto inserted = begun->answer(begun->add(insert_one, {1}));
    EXPECT_TRUE(inserted);
    const auto ended = begun->finish();
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().sqlstate, "23503");
  }
  EXPECT_EQ(stored(), "0");
  EXPECT_TRUE(to_.execute(count_all));
}

TEST_F(store_pipeline, takes_more_than_fits_in_the_sockets) {
  auto begun = pipeline::begin(to_);
  ASSERT_TRUE(begun);
  std::int64_t next = 0;
  for (int i = 0; i < 8; ++i) {
    int64_array ids;
    for (int j = 0; j < 100'000; ++j) ids.push(++next);
    begun->add(insert_all, {ids});
  }
  EXPECT_TRUE(begun->finish());
  EXPECT_EQ(support::query(database_, "select count(*) from restante.note"), "800000");
}

TEST_F(store_pipeline, says_that_its_connection_has_ended) {
  const std::string backend = support::query(
      database_,
      "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
  auto begun = pipeline::begin(to_);
  ASSERT_TRUE(begun);
  begun->add(insert_one, {1});
  support::query(database_, "select pg_terminate_backend(" + backend + ")");
  const auto ended = begun->finish();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, database_failure::unreachable);
  EXPECT_FALSE(to_.is_usable());
}

}  // namespace
}  // namespace restante
