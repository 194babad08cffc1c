// restante-bridge, as an operator runs it: against PostgreSQL and the stand-in for Stream.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bridge/daemon_fixture.h"
#include "bridge/small_http_server.h"

namespace restante {
namespace {

using namespace std::chrono_literals;
using support::require_eventually;
using testing::HasSubstr;

TEST_F(bridge_daemon, brings_profiles_to_stream_and_each_change_of_them) {
  sql("insert into restante.account (name) values ('anna'), ('bert'); "
      "update restante.profile set display_name = 'Anna' where account_id = 1");
  start();
  wait_until_synced();
  EXPECT_EQ(stream_.users().at("anna").at("name"), "Anna");
  EXPECT_TRUE(stream_.users().contains("bert"));
  sql("update restante.profile set display_name = 'Anna B.' where account_id = 1");
  require_eventually("the change is there",
                     [&] { return stream_.users().at("anna").at("name") == "Anna B."; });
  EXPECT_EQ(stop(), 0);
  EXPECT_THAT(log(), HasSubstr("event=stopped"));
  EXPECT_THAT(log(), testing::Not(HasSubstr(stream_.settings().api_secret)));
}

TEST_F(bridge_daemon, tells_prometheus_and_operators_how_it_is) {
  sql("insert into restante.account (name) values ('anna')");
  start();
  wait_until_synced();
  require_eventually("healthy: " + log(), [&] { return get("/healthz").status == 200; });
  require_eventually("counted", [&] {
    return get("/metrics").body.find("restante_bridge_sync_waiting{target=\"stream\"} 0\n") !=
           std::string::npos;
  });
  EXPECT_THAT(get("/metrics").body, HasSubstr("restante_bridge_profiles_total"));
  // The first report may come before the target is there.
  require_eventually("it has reported", [&] {
    return sql("select bridge || target || available from restante.bridge_target") == "herestreamtrue";
  });
  EXPECT_EQ(stop(), 0);
}

TEST_F(bridge_daemon, gives_back_what_it_holds_when_it_is_stopped_amid_a_request_without_answer) {
  sql("insert into restante.account (name) select 'a' || g from generate_series(1, 300) g");
  stream_.set_faults({{"kind", "slow"}, {"ms", 60'000}});
  start();
  require_eventually("something is claimed", [&] {
    return sql("select count(*) > 0 from restante.profile_sync where claimed_by is not null") == "t";
  });
  EXPECT_EQ(stop(), 0);
  EXPECT_EQ(sql("select count(*) from restante.profile_sync where claimed_by is not null"), "0");
  EXPECT_EQ(sql("select count(*) from restante.profile_sync where next_attempt <= now()"), "300");
}

TEST_F(bridge_daemon, ends_in_time_although_the_database_answers_nothing) {
  support::postgres_server server;
  database_ = server.create_database(support::migrated());
  sql("insert into restante.account (name) values ('anna')");
  start();
  wait_until_synced();
  server.freeze();
  EXPECT_EQ(stop(), 0);
  server.thaw();
}

TEST_F(bridge_daemon, shares_the_work_with_another_and_does_it_all_when_that_one_is_killed) {
  sql("insert into restante.account (name) select 'a' || g from generate_series(1, 3000) g");
  stream_.set_faults({{"kind", "slow"}, {"ms", 100}});
  support::program other = program();
  other.environment["RESTANTE_NAME"] = "there";
  other.environment["RESTANTE_OBSERVE_LISTEN"] = "";
  other.environment["RESTANTE_SYNC_REQUEST_TIMEOUT"] = "2s";
  other.environment["RESTANTE_SYNC_LEASE"] = "10s";
  support::process killed(other);
  start();
  require_eventually("both are at work", [&] {
    return sql("select count(distinct split_part(claimed_by, '/', 1)) from restante.profile_sync") == "2";
  });
  killed.signal(SIGKILL);
  wait_until_synced();
  EXPECT_EQ(stream_.users().size(), 3'000u);
  EXPECT_EQ(stream_.counts().at("most_at_once_for_a_user"), 1);
  EXPECT_EQ(stop(), 0);
}

TEST_F(bridge_daemon, posts_each_change_to_a_webhook_signed) {
  sql("insert into restante.account (name) values ('anna')");
  small_http_server receiver([](const std::string&) { return small_http_server::ok(""); });
  support::program how = program();
  how.output = directory_.path() / "log";
  how.environment["STREAM_API_KEY"] = how.environment["STREAM_API_SECRET"] = "";
  how.environment["RESTANTE_WEBHOOK_URL"] = receiver.url("/changes");
  how.environment["RESTANTE_WEBHOOK_SECRET"] = "sixteen-bytes-or-more";
  running_ = std::make_unique<support::process>(how);
  wait_until_synced();
  ASSERT_EQ(receiver.requests().size(), 1u);
  const std::string sent = receiver.requests()[0];
  EXPECT_THAT(sent, testing::StartsWith("POST /changes HTTP/1.1\r\n"));
  EXPECT_THAT(sent, HasSubstr("\r\nX-Restante-Signature: sha256="));
  EXPECT_THAT(sent, HasSubstr("\"account\":\"anna\""));
  EXPECT_EQ(stop(), 0);
  how.arguments.emplace_back("--check");
  how.output.clear();
  EXPECT_EQ(support::run(how).output, "configuration: good\ndatabase: good\nwebhook: good\n");
}

TEST_F(bridge_daemon, does_not_start_where_another_program_listens) {
  start();
  require_eventually("it listens", [&] { return get("/healthz").status != 0; });
  const auto second = support::run(program());
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.output, HasSubstr("change observe.listen"));
}

TEST_F(bridge_daemon, waits_for_a_database_that_is_away_and_says_so) {
  support::postgres_server server;
  database_ = server.create_database(support::migrated());
  sql("insert into restante.account (name) values ('anna')");
  server.stop();
  start();
  require_eventually("it is not healthy", [&] { return get("/healthz").status == 503; });
  EXPECT_THAT(get("/healthz").body, HasSubstr("database"));
  server.start();
  wait_until_synced();
  require_eventually("it is healthy", [&] { return get("/healthz").status == 200; });
  EXPECT_EQ(stop(), 0);
}

TEST_F(bridge_daemon, says_that_a_target_takes_no_requests) {
  sql("insert into restante.account (name) values ('anna')");
  stream_.go_down();
  start();
  require_eventually("it is not healthy", [&] {
    const auto got = get("/healthz");
    return got.status == 503 && got.body.find("\"stream\"") != std::string::npos;
  });
  stream_.come_back();
  wait_until_synced();
  require_eventually("it is healthy", [&] { return get("/healthz").status == 200; });
}

TEST_F(bridge_daemon, checks_that_everything_works_and_changes_nothing) {
  const auto got = support::run(program({"--check"}));
  EXPECT_EQ(got.exit_code, 0);
  EXPECT_EQ(got.output, "configuration: good\ndatabase: good\nstream: good\n");
  EXPECT_EQ(sql("select count(*) from restante.sync_target"), "0");
}

TEST_F(bridge_daemon, finds_each_thing_that_does_not_work) {
  auto how = program({"--check"});
  how.environment["STREAM_API_SECRET"] = "another-secret";
  auto got = support::run(how);
  EXPECT_EQ(got.exit_code, 1);
  EXPECT_THAT(got.output, HasSubstr("stream: answers 401"));
  EXPECT_THAT(got.output, testing::Not(HasSubstr("another-secret")));

  how = program({"--check"});
  how.environment["RESTANTE_DATABASE"] = database_.broker;
  got = support::run(how);
  EXPECT_EQ(got.exit_code, 1);
  EXPECT_THAT(got.output, HasSubstr("grant the role restante_bridge"));

  how.environment["RESTANTE_DATABASE"] = "host=/nowhere dbname=x";
  EXPECT_EQ(support::run(how).exit_code, 3);
}

TEST_F(bridge_daemon, refuses_a_configuration_in_one_line) {
  auto how = program();
  how.environment["RESTANTE_SYNC_HELD"] = "many";
  const auto got = support::run(how);
  EXPECT_EQ(got.exit_code, 1);
  EXPECT_EQ(got.output,
            "restante-bridge: RESTANTE_SYNC_HELD: 'many' is not accepted; give a whole number from 100 to "
            "100000\n");
}

TEST_F(bridge_daemon, knows_its_command_line) {
  EXPECT_EQ(support::run(program({"--help"})).exit_code, 0);
  EXPECT_EQ(support::run(program({"--version"})).exit_code, 0);
  EXPECT_EQ(support::run(program({"--no-such-option"})).exit_code, 2);
}

}  // namespace
}  // namespace restante
