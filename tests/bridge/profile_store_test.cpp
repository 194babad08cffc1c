// Requests, notifications and reports of the bridge against a real server.
#include "bridge/store/profile_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "bridge/quiet_log.h"
#include "bridge/store/bridge_reports.h"
#include "bridge/store/postgres_sync_store.h"
#include "bridge/store/profile_listener.h"
#include "support/eventually.h"
#include "support/postgres_server.h"

namespace restante {
namespace {

using namespace std::chrono_literals;

class profiles : public testing::Test {
 protected:
  profiles()
      : database_(support::shared_postgres().create_database(support::migrated())),
        store_(database_.bridge, log_) {
    sql("insert into restante.account (name) values ('anna'), ('bert'), ('gone')");
    sql("update restante.account set status = 'blocked' where name = 'bert'");
    sql("update restante.account set status = 'deleted' where name = 'gone'");
  }
  std::string sql(const std::string& text) { return support::query(database_.owner, text); }
  std::string of(const std::string& account) {
    return sql(
        "select display_name, image_url, language, custom, role, version from restante.profile p join "
        "restante.account a on a.id = p.account_id where name = '" +
        account + "'");
  }

  support::database database_;
  quiet_log log_;
  profile_store store_;
};

profile_change anna() {
  profile_change wanted;
  wanted.name = {true, "Anna"};
  wanted.language = {true, "de"};
  wanted.custom = {true, R"({"level":17})"};
  return wanted;
}

TEST_F(profiles, are_changed_in_the_fields_that_are_given) {
  sql("update restante.profile set role = 'admin', image_url = 'https://x/1'");
  const auto changed = store_.change("anna", "m1", anna());
  ASSERT_TRUE(changed && changed->done);
  EXPECT_EQ(changed->done->version, 3);
  EXPECT_FALSE(changed->done->repeated);
  EXPECT_EQ(of("anna"), "Anna|https://x/1|de|{\"level\": 17}|admin|3");
  profile_change removing;
  removing.image = {true, std::nullopt};
  removing.custom = {true, std::nullopt};
  ASSERT_TRUE(store_.change("anna", "m2", removing)->done);
  EXPECT_EQ(of("anna"), "Anna||de|{}|admin|4");
}

TEST_F(profiles, are_changed_once_by_a_request_that_comes_again) {
  ASSERT_TRUE(store_.change("anna", "m1", anna()));
  sql("update restante.profile set display_name = 'Later'");
  const auto again = store_.change("anna", "m1", anna());
  ASSERT_TRUE(again && again->done);
  EXPECT_EQ(again->done->version, 2);
  EXPECT_TRUE(again->done->repeated);
  EXPECT_THAT(of("anna"), testing::HasSubstr("Later"));
}

TEST_F(profiles, are_not_changed_for_accounts_that_are_blocked_deleted_or_not_there) {
  EXPECT_EQ(store_.change("bert", "m1", anna())->refused, change_refusal::blocked);
  EXPECT_EQ(store_.change("gone", "m1", anna())->refused, change_refusal::deleted);
  EXPECT_EQ(store_.change("who", "m1", anna())->refused, change_refusal::no_such_account);
  EXPECT_EQ(sql("select count(*) from restante.answered_request"), "0");
}

TEST_F(profiles, are_refused_with_what_the_database_says_of_the_value) {
  profile_change wanted = anna();
  wanted.language = {true, "klingon!"};
  const auto refused = store_.change("anna", "m1", wanted);
  ASSERT_TRUE(refused);
  EXPECT_FALSE(refused->done);
  EXPECT_EQ(refused->refused, change_refusal::value);
  EXPECT_THAT(refused->why, testing::HasSubstr("language"));
  EXPECT_TRUE(store_.change("anna", "m2", anna())->done) << "the connection is still good";
}

TEST_F(profiles, tell_whether_an_account_may_have_a_token) {
  EXPECT_EQ(store_.find("anna")->status, account_status::active);
  EXPECT_EQ(store_.find("bert")->status, account_status::blocked);
  EXPECT_FALSE(store_.find("who")->is_there);
}

TEST_F(profiles, wake_whoever_listens_when_they_change) {
  postgres_sync_store sync({database_.bridge, "stream", "one", 120s}, log_);
  ASSERT_TRUE(sync.claim(10));
  std::atomic<int> woken = 0;
  profile_listener listener(
      database_.bridge, [&] { ++woken; }, log_);
  support::require_eventually("it is called once it listens", [&] { return woken == 1; });
  sql("update restante.profile set display_name = 'Anna'");
  support::require_eventually("it hears of the change", [&] { return woken == 2; });
}

TEST_F(profiles, have_their_answers_forgotten_after_a_month) {
  ASSERT_TRUE(store_.change("anna", "old", anna()));
  sql("update restante.answered_request set created_at = now() - interval '32 days'");
  ASSERT_TRUE(store_.change("anna", "new", anna()));
  bridge_reports reports(database_.bridge, log_);
  ASSERT_TRUE(reports.prune_answers());
  EXPECT_EQ(sql("select request_id from restante.answered_request"), "new");
}

TEST_F(profiles, are_counted_for_operators) {
  postgres_sync_store sync({database_.bridge, "stream", "one", 120s}, log_);
  auto jobs = sync.claim(10);
  ASSERT_EQ(jobs->size(), 3u);
  const sync_outcome outcomes[] = {
      {.account_id = (*jobs)[0].account_id, .version = 9, .how = sync_result::parked},
      {.account_id = (*jobs)[1].account_id, .version = 9, .how = sync_result::gone}};
  ASSERT_TRUE(sync.settle(outcomes));
  sql("update restante.profile_sync set waiting_since = now() - interval '1 hour' where state = 'waiting'");
  bridge_reports reports(database_.bridge, log_);
  const auto backlog = reports.backlog("stream");
  ASSERT_TRUE(backlog);
  EXPECT_EQ(backlog->waiting, 1);
  EXPECT_EQ(backlog->parked, 1);
  EXPECT_EQ(backlog->gone, 1);
  EXPECT_NEAR(backlog->oldest_waiting_seconds, 3'600, 60);
}

TEST_F(profiles, are_served_by_bridges_that_say_how_they_are) {
  bridge_reports reports(database_.bridge, log_);
  const target_report stream{"stream", false, "refuses our key"};
  ASSERT_TRUE(reports.report({"here", "0.1", true, 5s}, {&stream, 1})) << "the target is only being added";
  EXPECT_EQ(sql("select count(*) from restante.bridge_target"), "0");
  sql("select restante.add_sync_target('stream')");
  ASSERT_TRUE(reports.report({"here", "0.1", true, 5s}, {&stream, 1}));
  EXPECT_EQ(sql("select name, mqtt_connected, started_at < now() from restante.bridge"), "here|t|t");
  EXPECT_EQ(sql("select * from restante.bridge_target"), "here|stream|f|refuses our key");
  ASSERT_TRUE(reports.report({"here", "0.1", std::nullopt, 5s}, {}));
  EXPECT_EQ(sql("select count(*) from restante.bridge_target"), "0");
}

}  // namespace
}  // namespace restante
