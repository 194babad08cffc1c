// The rules that a client must live with, one by one.
#include <gmock/gmock.h>

#include "bridge/stand_in/scene.h"

namespace restante::stream_stand_in {
namespace {

class stand_in : public ::testing::Test, protected scene {
 protected:
  stand_in() { stream.set_settings({{"rate_limits", "off"}}); }

  json all_users() const { return json::parse(stream.users()); }
  // The code of a refusal; 0: it was taken.
  int refused(const std::string& method, const std::string& path, const json& body) {
    const answer got = ask(method, path, body);
    return got.status < 300 ? 0 : json::parse(got.body)["code"].get<int>();
  }
  int refused_upsert(json user) {
    user["id"] = "ada";
    return refused("POST", "/api/v2/users", {{"users", {{"ada", user}}}});
  }
  int refused_patch(const json& patch) {
    json each = patch;
    each["id"] = "ada";
    return refused("PATCH", "/api/v2/users", {{"users", {each}}});
  }
  json ada() { return all_users()["ada"]; }
  std::vector<std::string> found(const json& payload) {
    std::vector<std::string> ids;
    const json answered = must("GET", "/api/v2/users?payload=" + payload.dump());
    for (const json& each : answered["users"]) {
      ids.push_back(each["id"]);
    }
    return ids;
  }
};

using ::testing::ElementsAre;

TEST_F(stand_in, removes_with_an_upsert_what_the_upsert_lacks) {
  upsert({{"id", "ada"}, {"name", "Ada"}, {"image", "i"}, {"teams", {"red"}}, {"custom", {{"level", 1}}}});
  upsert({{"id", "ada"}, {"blocked_user_ids", {"bo"}}});
  EXPECT_FALSE(ada().contains("name"));
  EXPECT_FALSE(ada().contains("image"));
  EXPECT_EQ(ada()["teams"], json::array());
  EXPECT_EQ(ada()["custom"], json::object());
  EXPECT_EQ(upsert({{"id", "ada"}})["users"]["ada"]["blocked_user_ids"], json::array({"bo"}));
  EXPECT_EQ(upsert({{"id", "ada"}, {"blocked_user_ids", nullptr}})["users"]["ada"]["blocked_user_ids"],
            json::array());
}

TEST_F(stand_in, takes_nothing_of_a_batch_with_one_bad_user) {
  json users = {{"ada", {{"id", "ada"}}}, {"bo", {{"id", "bo"}, {"online", true}}}, {"cy", {{"id", "cy"}}}};
  EXPECT_EQ(refused("POST", "/api/v2/users", {{"users", users}}), 4);
  EXPECT_EQ(all_users(), json::object());
  users["bo"].erase("online");
  EXPECT_EQ(refused("POST", "/api/v2/users", {{"users", users}}), 0);
  EXPECT_EQ(all_users().size(), 3u);
}

TEST_F(stand_in, takes_a_hundred_users_and_no_more) {
  json users, patches = json::array();
  for (int i = 0; i < 100; ++i) users["u" + std::to_string(i)] = {{"id", "u" + std::to_string(i)}};
  EXPECT_EQ(refused("POST", "/api/v2/users", {{"users", users}}), 0);
  for (int i = 0; i < 101; ++i)
    patches.push_back({{"id", "u" + std::to_string(i % 100)}, {"set", {{"a", 1}}}});
  EXPECT_EQ(refused("PATCH", "/api/v2/users", {{"users", patches}}), 4);
  patches.erase(100);
  EXPECT_EQ(refused("PATCH", "/api/v2/users", {{"users", patches}}), 0);
  EXPECT_EQ(refused("POST", "/api/v2/users", {{"users", json::object()}}), 4);
}

TEST_F(stand_in, refuses_ids_outside_the_alphabet) {
  for (const char* const id : {"a.b", "a|b", "a:b", "a/b", "a b", "\xc3\xa4"}) {
    EXPECT_EQ(refused("POST", "/api/v2/users", {{"users", {{id, {{"id", id}}}}}}), 4) << id;
  }
  for (const std::string& id : {std::string("@A-Za-z_09"), std::string(255, 'x')}) {
    EXPECT_EQ(refused("POST", "/api/v2/users", {{"users", {{id, {{"id", id}}}}}}), 0) << id;
  }
  const std::string long_id(256, 'x');
  EXPECT_EQ(refused("POST", "/api/v2/users", {{"users", {{long_id, {{"id", long_id}}}}}}), 4);
  EXPECT_EQ(refused("POST", "/api/v2/users", {{"users", {{"ada", {{"id", "bo"}}}}}}), 4);
  EXPECT_EQ(refused("POST", "/api/v2/users", {{"users", {{"ada", json::object()}}}}), 4);
}

TEST_F(stand_in, refuses_fields_that_are_no_clients_to_write) {
  for (const char* const field :
       {"online", "created_at", "updated_at", "last_active", "deactivated_at", "deleted_at"}) {
    EXPECT_EQ(refused_upsert({{field, true}}), 4) << field;
    EXPECT_EQ(refused_upsert({{"custom", {{field, true}}}}), 4) << field;
  }
  EXPECT_EQ(refused_upsert({{"role", "king"}}), 4);
  EXPECT_EQ(refused_upsert({{"role", "admin"}}), 0);
  EXPECT_EQ(refused_upsert({{"name", 7}}), 4);
  EXPECT_EQ(refused_upsert({{"teams", json(std::vector<std::string>(251, "t"))}}), 4);
  EXPECT_EQ(refused_upsert({{"teams", {std::string(101, 't')}}}), 4);
  EXPECT_EQ(refused_upsert({{"custom", "text"}}), 4);
}

TEST_F(stand_in, takes_five_kilobytes_of_custom_data_and_no_more) {
  const std::size_t around = json{{"a", ""}}.dump().size();
  EXPECT_EQ(refused_upsert({{"custom", {{"a", std::string(5120 - around, 'x')}}}}), 0);
  EXPECT_EQ(refused_upsert({{"custom", {{"a", std::string(5121 - around, 'x')}}}}), 22);
  EXPECT_EQ(refused_patch({{"set", {{"b", "x"}}}}), 22);
}

TEST_F(stand_in, refuses_a_body_of_more_than_a_megabyte) {
  EXPECT_EQ(refused_upsert({{"name", std::string(body_limit_bytes, 'x')}}), 22);
}

TEST_F(stand_in, patches_by_flat_keys_and_paths) {
  upsert(
      {{"id", "ada"}, {"name", "Ada"}, {"image", "i"}, {"custom", {{"a", {{"b", 1}, {"c", 2}}}, {"d", 3}}}});
  EXPECT_EQ(
      refused_patch({{"set", {{"name", "A"}, {"a.b", 7}, {"e.f", 8}}}, {"unset", {"image", "a.c", "none"}}}),
      0);
  EXPECT_EQ(ada()["custom"], (json{{"a", {{"b", 7}}}, {"d", 3}, {"e", {{"f", 8}}}}));
  EXPECT_EQ(ada()["name"], "A");
  EXPECT_FALSE(ada().contains("image"));
  EXPECT_EQ(refused_patch({{"set", {{"custom", {{"x", 1}}}}}}), 0);  // a fault of the service, and so of ours
  EXPECT_EQ(ada()["custom"]["custom"], (json{{"x", 1}}));
}

TEST_F(stand_in, refuses_bad_paths_and_overlaps_in_a_patch) {
  upsert({{"id", "ada"}});
  for (const char* const path : {"", ".a", "a.", "a..b", "a b"}) {
    EXPECT_EQ(refused_patch({{"set", {{path, 1}}}}), 4) << path;
    EXPECT_EQ(refused_patch({{"unset", {path}}}), 4) << path;
  }
  EXPECT_EQ(refused_patch({{"set", {{"a.b", 1}}}, {"unset", {"a"}}}), 4);
  EXPECT_EQ(refused_patch({{"set", {{"ab", 1}}}, {"unset", {"a"}}}), 0);
  EXPECT_EQ(refused_patch({{"set", {{"online", true}}}}), 4);
  EXPECT_EQ(refused_patch({{"set", {{"id", "bo"}}}}), 4);
}

TEST_F(stand_in, says_of_a_patch_of_nobody_that_nobody_is_there) {
  EXPECT_EQ(refused_patch({{"set", {{"a", 1}}}}), 16);
}

TEST_F(stand_in, merges_privacy_settings_in_a_patch) {
  upsert({{"id", "ada"}, {"privacy_settings", {{"typing_indicators", {{"enabled", false}}}}}});
  const json patch{{"id", "ada"}, {"set", {{"privacy_settings", {{"read_receipts", {{"enabled", true}}}}}}}};
  const json after = must("PATCH", "/api/v2/users", {{"users", {patch}}})["users"]["ada"]["privacy_settings"];
  EXPECT_EQ(after,
            (json{{"typing_indicators", {{"enabled", false}}}, {"read_receipts", {{"enabled", true}}}}));
}

TEST_F(stand_in, deactivates_and_reactivates_once) {
  upsert({{"id", "ada"}, {"name", "Ada"}});
  EXPECT_EQ(refused("POST", "/api/v2/users/ada/reactivate", json::object()), 4);
  EXPECT_EQ(refused("POST", "/api/v2/users/ada/deactivate", json::object()), 0);
  EXPECT_EQ(refused("POST", "/api/v2/users/ada/deactivate", json::object()), 4);
  EXPECT_EQ(refused_upsert({{"name", "Ada"}}), 4);
  EXPECT_EQ(refused_patch({{"set", {{"a", 1}}}}), 4);
  EXPECT_EQ(refused("POST", "/api/v2/users/ada/reactivate", json::object()), 0);
  EXPECT_EQ(refused_upsert({{"name", "Ada"}}), 0);
  EXPECT_EQ(refused("POST", "/api/v2/users/nobody/deactivate", json::object()), 16);
}

TEST_F(stand_in, restores_what_was_deleted_softly_only) {
  for (const char* const id : {"ada", "bo"}) upsert({{"id", id}});
  must("POST", "/api/v2/users/delete", {{"user_ids", {"ada"}}, {"user", "soft"}});
  must("POST", "/api/v2/users/delete",
       {{"user_ids", {"bo"}}, {"user", "hard"}, {"messages", "hard"}, {"conversations", "hard"}});
  EXPECT_EQ(refused_upsert({}), 16);
  EXPECT_EQ(refused("POST", "/api/v2/users/restore", {{"user_ids", {"ada", "bo"}}}), 16);
  EXPECT_EQ(refused("POST", "/api/v2/users/restore", {{"user_ids", {"ada"}}}), 0);
  EXPECT_EQ(refused_upsert({}), 0);
}

TEST_F(stand_in, wants_messages_and_conversations_deleted_hard_with_a_user) {
  upsert({{"id", "ada"}});
  EXPECT_EQ(refused("POST", "/api/v2/users/delete", {{"user_ids", {"ada"}}, {"user", "hard"}}), 4);
  EXPECT_EQ(refused("POST", "/api/v2/users/delete", {{"user_ids", {"ada"}}, {"user", "gone"}}), 4);
  EXPECT_EQ(refused("POST", "/api/v2/users/delete", {{"user_ids", json::array()}}), 4);
  EXPECT_EQ(refused("POST", "/api/v2/users/delete", {{"user_ids", {"ada", "nobody"}}}), 16);
  EXPECT_EQ(refused_upsert({}), 0);
}

TEST_F(stand_in, completes_a_task_after_a_while) {
  upsert({{"id", "ada"}});
  const std::string path =
      "/api/v2/tasks/" +
      must("POST", "/api/v2/users/delete", {{"user_ids", {"ada"}}})["task_id"].get<std::string>();
  EXPECT_EQ(must("GET", path)["status"], "waiting");
  now_us += 250'000;
  EXPECT_EQ(must("GET", path)["status"], "running");
  now_us += 250'000;
  EXPECT_EQ(must("GET", path)["status"], "completed");
  EXPECT_EQ(refused("GET", "/api/v2/tasks/none", json()), 16);
}

TEST_F(stand_in, allows_a_thirtieth_of_a_minutes_requests_in_a_second) {
  stream.set_settings({{"rate_limits", {{"UpdateUsers", 300}}}});
  for (int second = 0; second < 31; ++second) {
    for (int i = 0; i < 11; ++i) {
      const int status = ask("POST", "/api/v2/users", {{"users", {{"ada", {{"id", "ada"}}}}}}).status;
      EXPECT_EQ(status, second < 30 && i < 10 ? 201 : 429) << second << ' ' << i;
    }
    now_us += 1'000'000;
  }
  now_us += 30'000'000;  // the next minute
  EXPECT_EQ(ask("POST", "/api/v2/users", {{"users", {{"ada", {{"id", "ada"}}}}}}).status, 201);
  EXPECT_EQ(stream.counts()["rate_limited"], 30 + 11);
}

TEST_F(stand_in, counts_each_operation_by_itself) {
  stream.set_settings({{"rate_limits", {{"UpdateUsers", 30}, {"QueryUsers", 60}}}});
  EXPECT_EQ(ask("GET", "/users").headers["X-RateLimit-Remaining"], "59");
  EXPECT_EQ(ask("GET", "/api/v2/users").headers["X-RateLimit-Remaining"], "58");
  EXPECT_EQ(ask("POST", "/users", {{"users", {{"ada", {{"id", "ada"}}}}}}).headers["X-RateLimit-Remaining"],
            "29");
}

TEST_F(stand_in, finds_by_filters) {
  upsert(
      {{"id", "ada"}, {"name", "Ada"}, {"teams", {"red"}}, {"custom", {{"level", 3}, {"a", {{"b", "c"}}}}}});
  upsert({{"id", "bo"}, {"name", "Bo"}, {"role", "admin"}, {"custom", {{"level", 5}}}});
  later();
  upsert({{"id", "cy"}, {"name", "Cy"}});
  const auto by = [&](const json& filter) { return found({{"filter_conditions", filter}}); };
  EXPECT_THAT(by(json::object()), ElementsAre("ada", "bo", "cy"));
  EXPECT_THAT(by({{"id", "bo"}}), ElementsAre("bo"));
  EXPECT_THAT(by({{"id", {{"$in", {"cy", "ada", "nobody"}}}}}), ElementsAre("ada", "cy"));
  EXPECT_THAT(by({{"id", {{"$gt", "ada"}}}}), ElementsAre("bo", "cy"));
  EXPECT_THAT(by({{"role", {{"$eq", "admin"}}}}), ElementsAre("bo"));
  EXPECT_THAT(by({{"teams", {{"$in", {"red", "blue"}}}}}), ElementsAre("ada"));
  EXPECT_THAT(by({{"name", {{"$autocomplete", "c"}}}}), ElementsAre("cy"));
  EXPECT_THAT(by({{"custom.level", {{"$gte", 4}}}}), ElementsAre("bo"));
  EXPECT_THAT(by({{"level", 3}}), ElementsAre("ada"));
  EXPECT_THAT(by({{"a.b", "c"}}), ElementsAre("ada"));
  EXPECT_THAT(by({{"$or", {{{"id", "ada"}}, {{"name", "Cy"}}}}}), ElementsAre("ada", "cy"));
  EXPECT_THAT(by({{"updated_at", {{"$gt", "2026-01-01T00:00:00.123456Z"}}}}), ElementsAre("cy"));
  EXPECT_EQ(ask("GET", "/api/v2/users?payload={\"filter_conditions\":{\"id\":{\"$near\":1}}}").status, 400);
}

TEST_F(stand_in, finds_page_by_page_in_any_order) {
  for (const char* const id : {"a", "b", "c", "d"})
    upsert({{"id", id}, {"custom", {{"even", *id % 2 == 0}}}});
  EXPECT_THAT(found({{"limit", 2}, {"offset", 1}}), ElementsAre("b", "c"));
  EXPECT_THAT(found({{"sort", {{{"field", "id"}, {"direction", -1}}}}, {"limit", 2}}), ElementsAre("d", "c"));
  EXPECT_THAT(found({{"sort", {{{"field", "even"}}, {{"field", "id"}, {"direction", -1}}}}}),
              ElementsAre("c", "a", "d", "b"));
  EXPECT_EQ(ask("GET", "/api/v2/users?payload={\"limit\":101}").status, 400);
  EXPECT_EQ(ask("GET", "/api/v2/users?payload={\"offset\":1001}").status, 400);
}

TEST_F(stand_in, leaves_deactivated_users_out_unless_asked_for_them) {
  upsert({{"id", "ada"}});
  must("POST", "/api/v2/users/ada/deactivate", json::object());
  EXPECT_THAT(found({{"filter_conditions", {{"id", "ada"}}}}), ElementsAre());
  EXPECT_THAT(found({{"filter_conditions", {{"id", "ada"}}}, {"include_deactivated_users", true}}),
              ElementsAre("ada"));
}

TEST_F(stand_in, wants_the_headers_that_stream_wants) {
  request asked = recorded(fixture("upsert_v2")["request"]);
  const auto refused_without = [&](const std::string& name, const std::string& value) {
    request changed = asked;
    changed.headers[name] = value;
    return json::parse(stream.handle(changed).what.body)["code"].get<int>();
  };
  EXPECT_EQ(refused_without("stream-auth-type", "anonymous"), 5);
  EXPECT_EQ(refused_without("authorization", "Bearer " + asked.headers["authorization"]), 5);
  EXPECT_EQ(refused_without("authorization", ""), 5);
  EXPECT_EQ(refused_without("content-type", "text/plain"), 4);
}

TEST_F(stand_in, lets_users_see_and_change_themselves_only) {
  for (const char* const id : {"player-1001", "bo"}) upsert({{"id", id}});
  request asked = recorded(fixture("err_403_not_allowed")["request"]);
  asked.headers["authorization"] = vector_token("user_iat_exp");
  const auto status = [&](const std::string& method, const json& body) {
    request changed = asked;
    changed.method = method;
    changed.body = body.dump();
    return stream.handle(changed).what.status;
  };
  EXPECT_EQ(status("PATCH", {{"users", {{{"id", "player-1001"}, {"set", {{"name", "Ada"}}}}}}}), 200);
  EXPECT_EQ(status("PATCH", {{"users", {{{"id", "bo"}, {"set", {{"name", "Ada"}}}}}}}), 403);
  EXPECT_EQ(status("POST", {{"users", {{"player-1001", {{"id", "player-1001"}}}}}}), 403);
  EXPECT_EQ(status("GET", json::object()), 200);
}

TEST_F(stand_in, does_as_told_with_faults) {
  const auto upserts = [&] { return ask("POST", "/api/v2/users", {{"users", {{"ada", {{"id", "ada"}}}}}}); };
  goes_wrong({{"kind", "not_json"}, {"count", 1}, {"operation", "UpdateUsers"}});
  EXPECT_EQ(ask("GET", "/api/v2/users").status, 200);
  EXPECT_EQ(upserts().status, 502);
  EXPECT_EQ(all_users(), json::object());
  EXPECT_EQ(upserts().status, 201);
  goes_wrong({{"kind", "empty"}, {"user", "bo"}});
  EXPECT_EQ(upserts().status, 201);
  EXPECT_EQ(ask("POST", "/api/v2/users", {{"users", {{"bo", {{"id", "bo"}}}}}}).body, "");
  goes_wrong({{"kind", "rate_limited"}, {"retry_after_s", 12}});
  EXPECT_EQ(upserts().headers["Retry-After"], "12");
  goes_wrong({{"kind", "answer"}, {"status", 500}, {"taken", true}});
  EXPECT_EQ(ask("POST", "/api/v2/users", {{"users", {{"cy", {{"id", "cy"}}}}}}).status, 500);
  EXPECT_TRUE(all_users().contains("cy"));
  EXPECT_EQ(stream.counts()["rate_limited"], 0);
  EXPECT_EQ(stream.counts()["injected"], 4);
  EXPECT_THROW(goes_wrong({{"kind", "earthquake"}}), refusal);
}

}  // namespace
}  // namespace restante::stream_stand_in
