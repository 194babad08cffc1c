// restante bridge …, as an operator uses it, with a bridge that runs or does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "bridge/daemon_fixture.h"

namespace restante {
namespace {

using nlohmann::json;
using support::require_eventually;
using testing::HasSubstr;

class bridge_verbs : public bridge_daemon {
 protected:
  void wait_until_reported() const {
    require_eventually("the bridge has reported on its target", [&] {
      const json targets = status().at("targets");
      return !targets.empty() && targets[0].at("available") == true;
    });
  }
  json status() const { return json::parse(restante({"bridge", "status", "--json"}).output); }
};

TEST_F(bridge_verbs, say_how_targets_and_bridges_are) {
  EXPECT_THAT(restante({"bridge", "status"}).output, HasSubstr("no bridge has synced"));
  sql("insert into restante.account (name) values ('anna'), ('bert')");
  start();
  wait_until_synced();
  wait_until_reported();
  const json said = status();
  const json& stream = said.at("targets").at(0);
  EXPECT_EQ(stream.at("target"), "stream");
  EXPECT_EQ(stream.at("synced"), 2);
  EXPECT_EQ(stream.at("waiting"), 0);
  EXPECT_EQ(stream.at("parked"), 0);
  EXPECT_EQ(stream.at("gone"), 0);
  EXPECT_EQ(stream.at("claimed"), 0);
  EXPECT_EQ(stream.at("oldest_waiting_seconds"), 0);
  EXPECT_EQ(said.at("bridges").at(0).at("bridge"), "here");
  EXPECT_LE(said.at("bridges").at(0).at("seen_seconds_ago"), 20);
  EXPECT_THAT(restante({"bridge", "status"}).output, HasSubstr("oldest_waiting_seconds"));
}

TEST_F(bridge_verbs, send_every_account_again_and_wait_for_it) {
  sql("insert into restante.account (name) select 'a' || g from generate_series(1, 250) g");
  start();
  wait_until_synced();
  stream_.clear_users();
  EXPECT_EQ(stream_.users().size(), 0u);
  wait_until_reported();
  const auto got = restante({"bridge", "sync", "--all", "--json"});
  EXPECT_EQ(got.exit_code, 0) << got.output;
  const json said = json::parse(got.output);
  EXPECT_EQ(said.at("parked"), 0);
  EXPECT_EQ(stream_.users().size(), 250u);
}

TEST_F(bridge_verbs, show_progress_on_a_terminal) {
  sql("insert into restante.account (name) values ('anna')");
  start();
  wait_until_synced();
  wait_until_reported();
  const auto got =
      support::run({.arguments = {"script", "--quiet", "--return", "--command",
                                  std::string(RESTANTE_PROGRAM) + " bridge sync --all", "/dev/null"},
                    .environment = {{"RESTANTE_DATABASE", database_.owner}}});
  EXPECT_EQ(got.exit_code, 0);
  EXPECT_THAT(got.output, HasSubstr("[##############################] 100 %"));
  EXPECT_THAT(got.output, HasSubstr("all is synced"));
}

TEST_F(bridge_verbs, do_not_wait_for_a_bridge_that_does_not_run) {
  sql("insert into restante.account (name) values ('anna')");
  EXPECT_EQ(restante({"bridge", "sync", "--all"}).exit_code, 1) << "there is no target";
  sql("select restante.add_sync_target('stream')");
  auto got = restante({"bridge", "sync", "--all"});
  EXPECT_EQ(got.exit_code, 1);
  EXPECT_THAT(got.output, HasSubstr("1 accounts wait, and no bridge has reported on stream"));
  got = restante({"bridge", "sync", "--all", "--no-wait"});
  EXPECT_EQ(got.exit_code, 0);
  EXPECT_THAT(got.output, HasSubstr("1 accounts are due"));
}

TEST_F(bridge_verbs, send_an_account_again_that_was_parked) {
  sql("insert into restante.account (name) values ('anna'), ('gone')");
  sql("select restante.add_sync_target('stream')");
  sql("update restante.profile_sync set state = 'parked', next_attempt = null, error = 'too long' where "
      "account_id = 1");
  sql("update restante.profile_sync set state = 'gone', next_attempt = null, error = 'deleted there' "
      "where account_id = 2");
  const json refused = json::parse(restante({"bridge", "status", "--refused", "--json"}).output);
  ASSERT_EQ(refused.size(), 2u);
  EXPECT_EQ(refused[0].at("account"), "anna");
  EXPECT_EQ(refused[0].at("error"), "too long");
  EXPECT_EQ(json::parse(restante({"bridge", "retry", "anna", "--json"}).output),
            json::parse(R"([{"target": "stream", "state": "waiting"}])"));
  EXPECT_EQ(json::parse(restante({"bridge", "retry", "gone", "--json"}).output),
            json::parse(R"([{"target": "stream", "state": "gone"}])"));
  EXPECT_EQ(restante({"bridge", "retry", "nobody"}).exit_code, 1);
  EXPECT_EQ(restante({"bridge", "retry", "no/name"}).exit_code, 2);
  EXPECT_EQ(restante({"bridge", "sync"}).exit_code, 2);
}

}  // namespace
}  // namespace restante
