// What the engine does when something is wrong: with an account, with the service, with the store.
#include <gmock/gmock.h>

#include <string>

#include "engine_harness.h"
#include "limiter.h"

namespace restante::bridge_model {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class an_engine_in_trouble : public engine_harness {
 protected:
  sync_answer told(answer_kind what, std::optional<std::size_t> culprit = {}) {
    sync_answer said{what, "the service says so"};
    said.culprit = culprit;
    return said;
  }
  http_headers budget(std::int64_t limit, std::int64_t remaining, std::int64_t resets_in_s) {
    const auto now_s = clock.now_us() / 1'000'000;
    return {{"x-ratelimit-limit", std::to_string(limit)},
            {"x-ratelimit-remaining", std::to_string(remaining)},
            {"x-ratelimit-reset", std::to_string(now_s + resets_in_s)},
            {"date", http_date(now_s)}};
  }
};

TEST_F(an_engine_in_trouble, cuts_out_the_account_that_the_service_names) {
  for (const char* name : {"anna", "bert", "cleo"}) add(name);
  start();
  EXPECT_EQ(request(), "put anna=shown,bert=shown,cleo=shown");
  answer(told(answer_kind::refused, 1));
  EXPECT_EQ(request(), "put anna=shown,cleo=shown");
  answer(answer_kind::done);
  EXPECT_EQ(request(), "put bert=shown");
  answer(answer_kind::refused);
  EXPECT_EQ(database.row(2).last, sync_result::parked);
  EXPECT_EQ(database.row(2).error, "the service says so");
  EXPECT_EQ(database.row(3).synced_version, 1);
  EXPECT_FALSE(wait_for_request()) << "parked: nothing until the profile changes";
  change(2, "better");
  EXPECT_EQ(request(), "put bert=better");
}

TEST_F(an_engine_in_trouble, believes_no_name_that_was_wrong) {
  for (const char* name : {"anna", "bert", "cleo"}) add(name);
  start();
  answer(told(answer_kind::refused, 0));
  EXPECT_EQ(request(), "put bert=shown,cleo=shown");
  answer(told(answer_kind::refused));
  std::vector<std::string> rest;
  while (wait_for_request(std::chrono::seconds(1))) {
    rest.push_back(request());
    answer(rest.back() == "put cleo=shown" ? answer_kind::refused : answer_kind::done);
  }
  EXPECT_THAT(rest, testing::UnorderedElementsAre("put anna=shown", "put bert=shown", "put cleo=shown"));
  EXPECT_EQ(database.row(1).synced_version, 1);
  EXPECT_EQ(database.row(3).last, sync_result::parked);
}

TEST_F(an_engine_in_trouble, parks_what_the_target_finds_bad_by_itself_without_a_request) {
  const auto anna = add("anna", "unspeakable");
  start();
  EXPECT_FALSE(wait_for_request());
  EXPECT_EQ(database.row(anna).last, sync_result::parked);
  EXPECT_THAT(log.lines.back(), HasSubstr("account=anna"));
}

TEST_F(an_engine_in_trouble, gives_up_an_account_that_the_service_has_deleted) {
  const auto anna = add("anna");
  start();
  request();
  answer(answer_kind::deleted);
  EXPECT_EQ(database.row(anna).last, sync_result::gone);
  EXPECT_EQ(database.row(anna).remote, remote_state::deleted);
}

TEST_F(an_engine_in_trouble, reactivates_an_account_that_turns_out_to_be_deactivated) {
  add("anna");
  start();
  request();
  answer(answer_kind::deactivated);
  EXPECT_EQ(request(), "start anna");
  answer(answer_kind::done);
  EXPECT_EQ(request(), "put anna=shown");
}

TEST_F(an_engine_in_trouble, tries_an_accounts_own_failure_later_and_later_and_then_parks_it) {
  const auto anna = add("anna");
  start();
  std::int64_t former_us = 0, failed_us = 0;
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(wait_for_request(std::chrono::hours(2))) << i;
    if (i > 0) {
      const auto waited_us = clock.steady - failed_us;
      EXPECT_GT(static_cast<double>(waited_us), static_cast<double>(former_us) * 1.1) << i;
      former_us = waited_us;
    }
    failed_us = clock.steady;
    answer(answer_kind::failed);
  }
  EXPECT_EQ(database.row(anna).last, sync_result::parked);
}

TEST_F(an_engine_in_trouble, waits_for_the_reset_when_it_is_told_to_slow_down) {
  add("anna");
  start();
  request();
  const auto told_us = clock.steady;
  answer(told(answer_kind::rate_limited), budget(300, 0, 40));
  EXPECT_EQ(request(), "put anna=shown");
  EXPECT_GE(clock.steady - told_us, 39'000'000);
  EXPECT_LE(clock.steady - told_us, 42'000'000);
  answer(answer_kind::done);
  EXPECT_EQ(database.row(1).attempts, 0);
}

TEST_F(an_engine_in_trouble, waits_as_long_as_retry_after_says) {
  add("anna");
  start();
  request();
  const auto told_us = clock.steady;
  answer(told(answer_kind::rate_limited), {{"retry-after", "12"}});
  request();
  EXPECT_GE(clock.steady - told_us, 12'000'000);
  EXPECT_LE(clock.steady - told_us, 13'000'000);
}

TEST_F(an_engine_in_trouble, waits_longer_each_time_when_nobody_says_how_long) {
  add("anna");
  start();
  std::vector<double> waits_s;
  for (int i = 0; i < 7; ++i) {
    request();
    const auto told_us = clock.steady;
    answer(answer_kind::rate_limited);
    request();
    waits_s.push_back(static_cast<double>(clock.steady - told_us) / 1e6);
  }
  for (std::size_t i = 0; i < waits_s.size(); ++i) {
    const double base = std::min(30, 2 << i);
    EXPECT_GE(waits_s[i], base);
    EXPECT_LE(waits_s[i], base + 1);
  }
}

TEST_F(an_engine_in_trouble, tries_a_service_that_is_away_with_one_request_at_a_time) {
  add_many(1'000);
  start();
  answer(answer_kind::done);
  ASSERT_EQ(out.open.size(), 4U);
  for (int i = 0; i < 4; ++i) lose(http_failure::unreachable);
  EXPECT_FALSE(observer.is_available);
  EXPECT_THAT(log.lines, testing::Contains(HasSubstr("target_unavailable error=nobody is there")));
  std::vector<double> waits_s;
  for (int i = 0; i < 9; ++i) {
    const auto from_us = clock.steady;
    ASSERT_TRUE(wait_for_request());
    EXPECT_EQ(out.open.size(), 1U);
    waits_s.push_back(static_cast<double>(clock.steady - from_us) / 1e6);
    lose(http_failure::unreachable);
  }
  EXPECT_LT(waits_s.front(), 1.5);
  EXPECT_GE(waits_s.back(), 30);
  EXPECT_LE(waits_s.back(), 60);
  answer(answer_kind::done);
  EXPECT_TRUE(observer.is_available);
  EXPECT_EQ(out.open.size(), 4U);
  for (const auto& [id, row] : database.rows()) EXPECT_EQ(row.attempts, 0);
}

TEST_F(an_engine_in_trouble, signs_anew_once_and_then_waits_for_the_operator) {
  const auto anna = add("anna");
  start();
  request();
  answer(answer_kind::credentials);
  EXPECT_EQ(service.renewals, 1);
  EXPECT_THAT(log.errors, IsEmpty());
  request();
  const auto refused_us = clock.steady;
  answer(answer_kind::credentials);
  ASSERT_EQ(log.errors.size(), 1U);
  EXPECT_THAT(log.errors[0], HasSubstr("set the right key"));
  EXPECT_FALSE(observer.is_available);
  EXPECT_EQ(request(), "put anna=shown");
  EXPECT_GE(clock.steady - refused_us, 40'000'000);
  EXPECT_LE(clock.steady - refused_us, 80'000'000);
  answer(answer_kind::done);
  EXPECT_EQ(database.row(anna).synced_version, 1);
  EXPECT_TRUE(observer.is_available);
}

TEST_F(an_engine_in_trouble,
       takes_what_is_forbidden_for_a_matter_of_credentials_until_something_was_allowed) {
  const auto anna = add("anna");
  start();
  request();
  answer(answer_kind::forbidden);
  request();
  answer(answer_kind::forbidden);
  EXPECT_EQ(log.errors.size(), 1U);
  request();
  answer(answer_kind::done);
  change(anna, "with a role that is not there");
  engine->wake();
  request();
  answer(answer_kind::forbidden);
  EXPECT_EQ(log.errors.size(), 1U);
  EXPECT_EQ(database.row(anna).attempts, 1) << "its own failure";
}

TEST_F(an_engine_in_trouble, begins_no_request_that_could_outlive_its_lease) {
  add("anna");
  start();
  request();
  const auto claimed_us = clock.steady;
  answer(told(answer_kind::rate_limited), {{"retry-after", "100"}});
  pass(std::chrono::seconds(84));
  EXPECT_EQ(database.row(1).claimed_by, 1);
  pass(std::chrono::seconds(2));
  EXPECT_EQ(database.row(1).claimed_by, 0) << "given back, for others to do";
  EXPECT_LT(clock.steady - claimed_us, 120'000'000);
  EXPECT_EQ(database.row(1).attempts, 0);
}

TEST_F(an_engine_in_trouble, remembers_outcomes_while_the_store_is_away_and_claims_nothing) {
  const auto anna = add("anna");
  start();
  request();
  door->is_shut = true;
  answer(answer_kind::done);
  add("bert");
  engine->wake();
  EXPECT_FALSE(wait_for_request(std::chrono::seconds(30)));
  EXPECT_EQ(database.row(anna).synced_version, 0);
  EXPECT_EQ(engine->accounts_held(), 1U);
  EXPECT_LT(door->claims, 20U);
  door->is_shut = false;
  EXPECT_EQ(request(), "put bert=shown");
  EXPECT_EQ(database.row(anna).synced_version, 1);
}

TEST_F(an_engine_in_trouble, offers_outcomes_again_that_may_have_been_taken) {
  const auto anna = add("anna");
  start();
  request();
  door->answers_are_lost = true;
  answer(answer_kind::done);
  EXPECT_EQ(database.row(anna).synced_version, 1);
  door->answers_are_lost = false;
  pass(std::chrono::seconds(5));
  EXPECT_TRUE(engine->is_idle());
  EXPECT_FALSE(wait_for_request());
}

TEST_F(an_engine_in_trouble, lets_no_operation_that_has_to_wait_hold_up_the_others) {
  start();
  for (int i = 0; i < 400; ++i) add("a" + std::to_string(i));
  while (wait_for_request(std::chrono::seconds(1))) answer(answer_kind::done);
  for (std::int64_t id = 1; id <= 400; ++id) database.change(id, {.name = "shown"}, account_status::blocked);
  engine->wake();
  ASSERT_THAT(request(), HasSubstr("stop"));
  answer(told(answer_kind::rate_limited), budget(60, 0, 55));
  const auto late = add("late");
  engine->wake();
  ASSERT_TRUE(wait_for_request(std::chrono::seconds(10)));
  EXPECT_EQ(request(), "put late=shown");
  answer(answer_kind::done);
  EXPECT_EQ(database.row(late).synced_version, 1);
}

}  // namespace
}  // namespace restante::bridge_model
