// Each recorded exchange in tests/support/stream/fixtures: asked for in earnest, and answered as it says.
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "bridge/stand_in/scene.h"
#include "crypto/token.h"

namespace restante::stream_stand_in {
namespace {

// Brings about what an exchange presupposes, and completes it where the recording leaves something out.
using preparation = std::function<void(scene&, json& exchange)>;

void with_token(json& exchange, const std::string& token) {
  exchange["request"]["headers"]["Authorization"] = token;
}

// An answer that comes as it stands, whatever is asked.
void answers(scene& now, const json& exchange) {
  const json& answered = exchange["response"];
  now.goes_wrong({{"kind", "answer"},
                  {"status", answered["status"]},
                  {"headers", answered["headers"]},
                  {"body", answered["body"]}});
}

// A task of both players that was begun; the exchange asks for it later.
void begins(scene& now, json& exchange, const std::string& verb) {
  now.has_ada();
  now.has_bo();
  const std::string id =
      now.must("POST", "/api/v2/users/" + verb, {{"user_ids", {"player-1001", "player-1002"}}})["task_id"];
  exchange["request"]["path"] = "/api/v2/tasks/" + id;
  exchange["response"]["body"]["task_id"] = id;
  now.later();
}

const std::map<std::string, preparation>& preparations() {
  static const auto has_ada = [](scene& now, json&) { now.has_ada(); };
  static const auto has_both = [](scene& now, json&) {
    now.has_ada();
    now.has_bo();
  };
  static const auto has_ada_with_a_guild = [](scene& now, json&) {
    now.upsert({{"id", "player-1001"},
                {"name", "Ada"},
                {"image", "https://cdn.example.test/a/1.png"},
                {"custom", {{"level", 17}, {"guild", {{"tag", "ORB"}, {"rank", 2}}}}}});
    now.later();
  };
  static const auto nothing = [](scene&, json&) {};
  static const std::map<std::string, preparation> all{
      {"upsert_v1", nothing},
      {"upsert_v2", nothing},
      {"upsert_v2_replaces_custom",
       [](scene& now, json&) {
         const json before = fixture("upsert_v2")["request"];
         now.must("POST", "/api/v2/users", before["body"]);
         now.later();
       }},
      {"partial_v1", has_ada_with_a_guild},
      {"partial_v2", has_ada_with_a_guild},
      {"partial_revoke_tokens",
       [](scene& now, json&) {
         now.has_ada();
         now.later();
       }},
      {"query_v2",
       [](scene& now, json&) {
         now.upsert({{"id", "player-1001"}, {"name", "Ada L."}, {"custom", {{"level", 18}}}});
         now.has_bo();
         now.later();
         now.must("POST", "/api/v2/users/player-1002/deactivate", json::object());
       }},
      {"deactivate_one_v2",
       [](scene& now, json&) {
         now.has_bo();
         now.later();
       }},
      {"reactivate_one_v2",
       [](scene& now, json&) {
         now.has_bo();
         now.must("POST", "/api/v2/users/player-1002/deactivate", json::object());
         now.later();
       }},
      {"deactivate_many_v2", has_both},
      {"delete_many_v2", has_both},
      {"delete_one_v1",
       [](scene& now, json&) {
         now.has_ada();
         now.later();
       }},
      {"restore_v2",
       [](scene& now, json&) {
         now.has_ada();
         now.must("POST", "/api/v2/users/delete", {{"user_ids", {"player-1001"}}, {"user", "soft"}});
       }},
      {"task_completed_deactivate",
       [](scene& now, json& exchange) {
         begins(now, exchange, "deactivate");
         // Recorded at another moment than the rest of it.
         for (json& each : exchange["response"]["body"]["result"]["users"]) {
           each["deactivated_at"] = "2026-01-01T00:00:00.123456Z";
         }
       }},
      {"task_completed_delete", [](scene& now, json& exchange) { begins(now, exchange, "delete"); }},
      {"task_running",
       [](scene& now, json& exchange) {
         now.stream.set_settings({{"task_ms", 40'000}});
         begins(now, exchange, "delete");
       }},
      {"task_failed",
       [](scene& now, json& exchange) {
         now.goes_wrong({{"kind", "fail_task"}});
         begins(now, exchange, "delete");
       }},
      {"rate_limits_v2",
       [](scene& now, json&) {
         now.stream.set_settings({{"rate_limits", "default"}});
         for (int i = 0; i < 88; ++i) {
           now.has_ada();
           now.now_us += 100'000;
         }
       }},
      {"quirk_double_ratelimit_headers",
       [](scene& now, json&) {
         now.stream.set_settings({{"doubled_headers", true}});
       }},
      {"err_400_bad_id", nothing},
      {"err_400_bad_path", has_ada},
      {"err_400_duplicate_name",
       [](scene& now, json&) {
         now.stream.set_settings({{"unique_names", true}});
         now.upsert({{"id", "player-2000"}, {"name", "taken"}});
       }},
      {"err_400_empty_id", nothing},
      {"err_400_reserved_field", nothing},
      {"err_400_restore_not_deleted", has_ada},
      {"err_400_too_many",
       [](scene&, json& exchange) {
         exchange["request"]["body"]["users"] = json::object();
         for (int i = 0; i <= 100; ++i) {
           const std::string id = "player-" + std::to_string(i);
           exchange["request"]["body"]["users"][id] = {{"id", id}};
         }
       }},
      {"err_401_api_key",
       [](scene&, json& exchange) { exchange["request"]["query"]["api_key"] = "anotherkey"; }},
      {"err_401_claim_type",
       [](scene&, json& exchange) {
         with_token(exchange, sign_hs256(R"({"user_id":1001})", "fake-api-secret-for-tests-only"));
       }},
      {"err_401_expired", [](scene&, json& exchange) { with_token(exchange, vector_token("user_expired")); }},
      {"err_401_iat",
       [](scene&, json& exchange) { with_token(exchange, vector_token("user_iat_in_future")); }},
      {"err_401_signature",
       [](scene&, json& exchange) { with_token(exchange, vector_token("wrong_secret")); }},
      {"err_403_not_allowed",
       [](scene& now, json& exchange) {
         now.has_ada();
         with_token(exchange, vector_token("user_iat_exp"));
       }},
      {"err_404_deleted",
       [](scene& now, json&) {
         now.has_ada();
         now.must("DELETE", "/users/player-1001");
       }},
      {"err_408_timeout",
       [](scene& now, json&) {
         now.goes_wrong({{"kind", "timeout"}});
       }},
      {"err_413_too_big",
       [](scene&, json& exchange) {
         exchange["request"]["body"]["users"]["player-1001"]["blob"] = std::string(6144, 'x');
       }},
      {"err_429_app",
       [](scene& now, json&) {
         now.stream.set_settings({{"rate_limits", "default"}});
         for (int i = 0; i < 300; ++i) {
           now.has_ada();
           now.now_us += 100'000;
         }
       }},
      {"err_429_edge_text",
       [](scene& now, json&) {
         now.goes_wrong({{"kind", "edge_limited"}});
       }},
      {"err_429_retry_after", [](scene& now, json& exchange) { answers(now, exchange); }},
      {"err_500",
       [](scene& now, json&) {
         now.goes_wrong({{"kind", "internal_error"}});
       }},
      {"err_deactivated",
       [](scene& now, json&) {
         now.has_ada();
         now.must("POST", "/api/v2/users/player-1001/deactivate", json::object());
       }},
      {"err_unrecoverable", [](scene& now, json& exchange) { answers(now, exchange); }},
  };
  return all;
}

std::vector<std::string> recorded_exchanges() {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(RESTANTE_STREAM_FIXTURES)) {
    names.insert(entry.path().stem().string());
  }
  names.erase("jwt_vectors");
  return {names.begin(), names.end()};
}

class recorded_exchange : public ::testing::TestWithParam<std::string> {};

TEST_P(recorded_exchange, is_answered_as_recorded) {
  json exchange = fixture(GetParam());
  scene now;
  now.stream.set_settings({{"rate_limits", "off"}});
  ASSERT_TRUE(preparations().contains(GetParam())) << "say what it presupposes";
  preparations().at(GetParam())(now, exchange);
  const bool counts_itself = GetParam() == "rate_limits_v2" || GetParam() == "err_429_app";
  if (!counts_itself) now.stream.set_settings({{"rate_limits", "default"}});
  if (GetParam() == "rate_limits_v2") now.stream.set_faults({});

  const answer got = now.stream.handle(scene::recorded(exchange["request"])).what;
  json wanted = exchange["response"];
  EXPECT_EQ(got.status, wanted["status"]);
  for (const auto& [name, value] : wanted["headers"].items()) {
    // Recorded one after the other from one app, where its count went on.
    const bool goes_on = name == "X-RateLimit-Remaining" && wanted["headers"]["X-RateLimit-Limit"] == "60";
    ASSERT_TRUE(got.headers.contains(name)) << name;
    if (goes_on) continue;
    EXPECT_EQ(got.headers.at(name), value) << name;
  }
  if (wanted.contains("body_text")) {
    EXPECT_EQ(got.body, wanted["body_text"]);
    return;
  }
  json body = json::parse(got.body);
  ASSERT_TRUE(body.contains("duration")) << got.body;
  EXPECT_TRUE(body["duration"].get<std::string>().ends_with("ms"));
  body.erase("duration");
  wanted["body"].erase("duration");
  // A task's id is the service's to choose.
  if (exchange["request"]["path"].get<std::string>().starts_with("/api/v2/users/") &&
      body.contains("task_id")) {
    EXPECT_FALSE(body["task_id"].get<std::string>().empty());
    body["task_id"] = wanted["body"]["task_id"];
  }
  EXPECT_EQ(body, wanted["body"]);
}

INSTANTIATE_TEST_SUITE_P(each, recorded_exchange, ::testing::ValuesIn(recorded_exchanges()),
                         [](const auto& each) { return each.param; });

TEST(recorded_token, is_accepted_or_refused_as_recorded) {
  const json all = fixture("jwt_vectors");
  for (const json& each : all["vectors"]) {
    const std::int64_t now_us = each.value("at_unix", std::int64_t{1'767'225'600}) * 1'000'000;
    int code = 0;
    try {
      const caller who =
          verify_token(each["token"].get<std::string>(), all["api_secret"].get<std::string>(), now_us);
      EXPECT_EQ(who.is_server, each["payload"].contains("server"));
      EXPECT_EQ(who.user_id, each["payload"].value("user_id", ""));
    } catch (const refusal& why) {
      EXPECT_EQ(why.status, 401);
      code = why.code;
    }
    EXPECT_EQ(code, each.value("error_code", 0)) << each["name"];
    EXPECT_EQ(code == 0, each["accept"]) << each["name"];
  }
}

}  // namespace
}  // namespace restante::stream_stand_in
