// The program itself, by HTTP.
#include <gmock/gmock.h>

#include <chrono>
#include <thread>
#include <vector>

#include "crypto/token.h"
#include "support/eventually.h"
#include "support/stream/stand_in_process.h"

namespace restante::stream_stand_in {
namespace {

using nlohmann::json;

json users(const std::string& id) { return {{"users", {{id, {{"id", id}, {"name", "Ada"}}}}}}; }

TEST(stream_stand_in, answers_over_http) {
  stand_in_process stream({.rate_limits = "default"});
  const answer taken = stream.ask("POST", "/api/v2/users", users("ada"));
  EXPECT_EQ(taken.status, 201);
  EXPECT_EQ(taken.headers.at("X-RateLimit-Limit"), "300");
  EXPECT_EQ(json::parse(taken.body)["users"]["ada"]["name"], "Ada");
  EXPECT_EQ(stream.users()["ada"]["writes"], 1);
  const answer found =
      stream.ask("GET", "/users", {}, {}, {{"payload", R"({"filter_conditions":{"id":"ada"}})"}});
  EXPECT_EQ(json::parse(found.body)["users"][0]["name"], "Ada");
  EXPECT_EQ(
      stream.ask("POST", "/api/v2/users", users("ada"), sign_hs256(R"({"server":true})", "wrong")).status,
      401);
  EXPECT_EQ(stream.ask("GET", "/nothing").status, 404);
  EXPECT_EQ(stream.end(), 0);
}

TEST(stream_stand_in, hangs_up_before_and_after_it_has_taken_a_request) {
  stand_in_process stream;
  stream.set_faults({{"kind", "cut_before"}});
  EXPECT_EQ(stream.ask("POST", "/api/v2/users", users("ada")).status, 0);
  EXPECT_EQ(stream.users(), json::object());
  stream.set_faults({{"kind", "cut_after"}});
  EXPECT_EQ(stream.ask("POST", "/api/v2/users", users("ada")).status, 0);
  EXPECT_TRUE(stream.users().contains("ada"));
  stream.clear_faults();
  EXPECT_EQ(stream.ask("POST", "/api/v2/users", users("ada")).status, 201);
  EXPECT_EQ(stream.counts()["cut"], 2);
}

TEST(stream_stand_in, goes_down_and_comes_back_on_its_port) {
  stand_in_process stream;
  stream.ask("POST", "/api/v2/users", users("ada"));
  stream.go_down();
  EXPECT_EQ(stream.ask("GET", "/api/v2/users").status, 0);
  stream.come_back();
  EXPECT_EQ(stream.ask("GET", "/api/v2/users").status, 200);
  EXPECT_TRUE(stream.users().contains("ada"));
}

TEST(stream_stand_in, counts_what_goes_on_at_once_for_a_user) {
  stand_in_process stream;
  stream.set_faults({{"kind", "slow"}, {"ms", 100}});
  std::vector<std::thread> clients;
  for (const char* const id : {"ada", "ada", "bo"}) {
    clients.emplace_back([&, id] { EXPECT_EQ(stream.ask("POST", "/api/v2/users", users(id)).status, 201); });
  }
  for (std::thread& each : clients) each.join();
  EXPECT_EQ(stream.counts()["most_at_once_for_a_user"], 2);
  EXPECT_EQ(stream.counts()["most_at_once"], 3);
}

TEST(stream_stand_in, goes_by_the_clock_that_it_is_given) {
  stand_in_process stream({.rate_limits = "default"});
  const std::string token =
      sign_hs256(R"({"user_id":"ada","iat":1767225600,"exp":1767229200})", stream.settings().api_secret);
  EXPECT_EQ(stream.ask("GET", "/api/v2/users", {}, token).status, 401);
  stream.set_clock(1'767'225'600'000'000);
  const answer found = stream.ask("GET", "/api/v2/users", {}, token);
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(found.headers.at("X-RateLimit-Reset"), "1767225660");
  EXPECT_EQ(found.headers.at("Date"), "Thu, 01 Jan 2026 00:00:00 GMT");
  stream.set_clock_offset(0);
  EXPECT_EQ(stream.ask("GET", "/api/v2/users", {}, token).status, 401);
}

TEST(stream_stand_in, ends_while_a_request_is_slow) {
  stand_in_process stream;
  stream.set_faults({{"kind", "slow"}, {"ms", 3'600'000}});
  std::thread client([&] { stream.ask("POST", "/api/v2/users", users("ada")); });
  EXPECT_TRUE(support::eventually([&] { return stream.counts()["most_at_once"] == 1; }));
  EXPECT_EQ(stream.end(), 0);
  client.join();
}

}  // namespace
}  // namespace restante::stream_stand_in
