// What the engine does when all is well.
#include <gmock/gmock.h>

#include <string>

#include "engine_harness.h"

namespace restante::bridge_model {
namespace {

using testing::IsEmpty;

class an_engine : public engine_harness {};

TEST_F(an_engine, sends_what_is_due_and_settles_it) {
  const auto anna = add("anna", "Anna"), bert = add("bert", "Bert");
  start();
  EXPECT_EQ(request(), "put anna=Anna,bert=Bert");
  answer(answer_kind::done);
  for (const auto id : {anna, bert}) {
    EXPECT_EQ(database.row(id).synced_version, 1);
    EXPECT_EQ(database.row(id).remote, remote_state::active);
    EXPECT_FALSE(database.row(id).hash.empty());
  }
  EXPECT_TRUE(engine->is_idle());
  EXPECT_TRUE(observer.is_available);
}

TEST_F(an_engine, sends_one_request_alone_before_the_first_answer_and_then_as_many_as_it_may) {
  add_many(1'000);
  start();
  step();
  EXPECT_EQ(out.open.size(), 1U);
  answer(answer_kind::done);
  EXPECT_EQ(out.open.size(), 4U);
  EXPECT_LE(engine->accounts_held(), 600U);
}

TEST_F(an_engine, sends_no_more_accounts_at_once_than_the_service_takes) {
  add_many(250);
  start();
  while (request() != "none") {
    const auto& body = out.open.front().request.body;
    EXPECT_LE(std::count(body.begin(), body.end(), ','), 99);
    answer(answer_kind::done);
  }
  for (const auto& [id, row] : database.rows()) EXPECT_EQ(row.synced_version, 1);
  EXPECT_EQ(out.count, 3U);
}

TEST_F(an_engine, sends_only_the_newest_of_many_changes_and_one_request_for_an_account_at_a_time) {
  const auto anna = add("anna", "1");
  start();
  EXPECT_EQ(request(), "put anna=1");
  change(anna, "2");
  change(anna, "3");
  engine->wake();
  step();
  EXPECT_EQ(out.open.size(), 1U);
  answer(answer_kind::done);
  EXPECT_EQ(request(), "put anna=3");
  answer(answer_kind::done);
  EXPECT_EQ(database.row(anna).synced_version, 3);
  EXPECT_EQ(out.count, 2U);
}

TEST_F(an_engine, spends_no_request_on_what_the_service_has_already) {
  const auto anna = add("anna", "1");
  start();
  answer(answer_kind::done);
  change(anna, "2");
  change(anna, "1");
  engine->wake();
  EXPECT_FALSE(wait_for_request());
  EXPECT_EQ(database.row(anna).synced_version, 3);
  EXPECT_EQ(observer.free_settlements, 1U);
}

TEST_F(an_engine, trusts_no_hash_after_a_request_that_was_not_answered) {
  const auto anna = add("anna", "1");
  start();
  answer(answer_kind::done);
  change(anna, "2");
  EXPECT_EQ(request(), "put anna=2");
  change(anna, "1");
  lose(http_failure::timeout);
  answer(answer_kind::done);  // of 2, again
  EXPECT_EQ(request(), "put anna=1");
  answer(answer_kind::done);
  EXPECT_EQ(database.row(anna).synced_version, 3);
}

TEST_F(an_engine, takes_an_account_step_by_step_to_where_it_is_wanted) {
  const auto anna = add("anna", "1");
  start();
  answer(answer_kind::done);
  database.change(anna, {.name = "1"}, account_status::blocked);
  EXPECT_EQ(request(), "stop anna");
  answer(answer_kind::done);
  EXPECT_EQ(database.row(anna).remote, remote_state::deactivated);
  database.change(anna, {.name = "1"}, account_status::active);
  EXPECT_EQ(request(), "start anna");
  answer(answer_kind::done);
  EXPECT_EQ(request(), "put anna=1");
  answer(answer_kind::done);
  EXPECT_EQ(database.row(anna).remote, remote_state::active);
  EXPECT_EQ(database.row(anna).synced_version, 3);
}

TEST_F(an_engine, asks_nothing_for_an_account_that_was_never_there) {
  const auto anna = add("anna");
  database.change(anna, {}, account_status::blocked);
  const auto bert = add("bert");
  database.change(bert, {}, account_status::deleted);
  start();
  EXPECT_FALSE(wait_for_request());
  EXPECT_EQ(database.row(anna).synced_version, 2);
  EXPECT_EQ(database.row(bert).synced_version, 2);
}

TEST_F(an_engine, waits_for_a_task_without_holding_up_anything_else) {
  const auto anna = add("anna");
  start();
  answer(answer_kind::done);
  database.change(anna, {.name = "shown"}, account_status::deleted);
  EXPECT_EQ(request(), "drop anna");
  answer(sync_answer{answer_kind::started, {}, {}, "t1"});
  EXPECT_EQ(request(), "task t1");
  const auto asked_us = clock.steady;
  const auto bert = add("bert");
  engine->wake();
  answer(answer_kind::running);
  EXPECT_EQ(request(), "put bert=shown");
  answer(answer_kind::done);
  EXPECT_EQ(database.row(bert).synced_version, 1);
  EXPECT_EQ(request(), "task t1");
  EXPECT_GE(clock.steady - asked_us, 1'000'000);
  answer(answer_kind::done);
  EXPECT_EQ(database.row(anna).remote, remote_state::deleted);
}

TEST_F(an_engine, counts_a_task_that_does_not_end_as_the_accounts_own_failure) {
  const auto anna = add("anna");
  start();
  answer(answer_kind::done);
  database.change(anna, {.name = "shown"}, account_status::deleted);
  request();
  answer(sync_answer{answer_kind::started, {}, {}, "t1"});
  const auto began_us = clock.steady;
  while (database.row(anna).attempts == 0) {
    ASSERT_EQ(request(), "task t1");
    answer(answer_kind::running);
  }
  EXPECT_NEAR(static_cast<double>(clock.steady - began_us), 60e6, 2e6);
  EXPECT_EQ(database.row(anna).hash, "");
}

TEST_F(an_engine, gives_everything_back_when_it_is_stopped) {
  add_many(1'000);
  start();
  answer(answer_kind::done);
  ASSERT_EQ(out.open.size(), 4U);
  engine->stop();
  step();
  EXPECT_EQ(out.open.size(), 4U);
  EXPECT_EQ(engine->accounts_held(), 400U);
  answer(answer_kind::done);
  EXPECT_EQ(out.open.size(), 3U) << "no request follows";
  EXPECT_FALSE(engine->is_idle());
  engine->abandon();
  step();
  EXPECT_TRUE(engine->is_idle());
  std::size_t synced = 0;
  for (const auto& [id, row] : database.rows()) {
    EXPECT_EQ(row.claimed_by, 0);
    synced += row.synced_version == 1 ? 1 : 0;
    EXPECT_EQ(row.attempts, 0);
  }
  EXPECT_EQ(synced, 200U);
}

TEST_F(an_engine, knows_nothing_for_certain_of_what_it_abandoned) {
  const auto anna = add("anna");
  start();
  request();
  engine->abandon();
  step();
  EXPECT_EQ(database.row(anna).remote, remote_state::active) << "it may be there";
  EXPECT_EQ(database.row(anna).hash, "");
  engine->answered(out.open.front().number, {.status = 200});
  EXPECT_TRUE(engine->is_idle()) << "a late answer changes nothing";
}

}  // namespace
}  // namespace restante::bridge_model
