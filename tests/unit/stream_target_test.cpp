// What Stream is asked, and what it is never asked.
#include "bridge/targets/stream_target.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace restante {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using kind = sync_step::kind;

stream_settings settings() {
  stream_settings given;
  given.api_key = "fakekey123";
  given.api_secret = "fake-api-secret-for-tests-only";
  given.base_url = "http://stream.test/";
  return given;
}
stream_settings patching(std::vector<std::string> owned) {
  auto given = settings();
  given.mode = stream_settings::writing::patch;
  given.owned = std::move(owned);
  return given;
}
sync_job job(const std::string& account = "player-1001") {
  sync_job made;
  made.account_id = 1;
  made.account = account;
  made.wanted.name = "Ada";
  made.wanted.custom = R"({"level":17})";
  made.version = 1;
  return made;
}
// What the engine does when all goes well, until nothing is left: names of the operations.
std::vector<std::string> all_steps(const stream_target& to, sync_job& one) {
  std::vector<std::string> names;
  for (int i = 0; i < 9; ++i) {
    const auto step = to.next_step(one);
    if (step.what != kind::request) return names;
    names.emplace_back(to.operations()[step.operation].name);
    one.remote = names.back() == "query" ? remote_state::absent : step.remote;
    one.synced_hash = step.hash;
    one.in_doubt = false;
  }
  return {"for ever"};
}

TEST(a_target_of_stream, upserts_whole_users_in_one_signed_request) {
  const stream_target to(settings());
  std::vector<sync_item> items;
  for (const char* name : {"player-1001", "bo@example.org"}) {
    items.push_back({job(name), {}});
    items.back().step = to.next_step(items.back().job);
    ASSERT_EQ(items.back().step.what, kind::request);
  }
  const auto made = to.request(0, items);
  EXPECT_EQ(made.method, "POST");
  EXPECT_EQ(made.url, "http://stream.test/api/v2/users?api_key=fakekey123");
  EXPECT_THAT(made.headers, AllOf(Contains(Pair("Authorization",
                                                "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzZXJ2ZXIiOnRydWV9."
                                                "PrNlCyA3Mp4bHx03HlhsH3pBBOy1cU_t9PPV08Pp9V0")),
                                  Contains(Pair("stream-auth-type", "jwt")),
                                  Contains(Pair("Content-Type", "application/json"))));
  EXPECT_EQ(json::parse(made.body), json::parse(R"({"users":{
    "player-1001":{"id":"player-1001","name":"Ada","role":"user","teams":[],"custom":{"level":17}},
    "bo@@example@dorg":{"id":"bo@@example@dorg","name":"Ada","role":"user","teams":[],"custom":{"level":17}}}})"));
}

TEST(a_target_of_stream, asks_nothing_twice) {
  const stream_target to(settings());
  auto one = job();
  EXPECT_THAT(all_steps(to, one), testing::ElementsAre("upsert"));
  EXPECT_EQ(to.next_step(one).what, kind::none);
  one.wanted.name = "Ada L.";
  EXPECT_EQ(to.next_step(one).what, kind::request);
  one.wanted.name = "Ada";
  one.in_doubt = true;
  EXPECT_EQ(to.next_step(one).what, kind::request) << "what is in doubt is sent again";
}

TEST(a_target_of_stream, deactivates_and_reactivates) {
  const stream_target to(settings());
  auto one = job();
  all_steps(to, one);
  one.status = account_status::blocked;
  EXPECT_THAT(all_steps(to, one), testing::ElementsAre("deactivate"));
  one.status = account_status::active;
  EXPECT_THAT(all_steps(to, one), testing::ElementsAre("reactivate", "upsert"));
  one.status = account_status::deleted;
  EXPECT_THAT(all_steps(to, one), testing::ElementsAre("delete"));
  EXPECT_EQ(one.remote, remote_state::deleted);
  EXPECT_EQ(to.next_step(one).what, kind::none);
  one.status = account_status::active;
  EXPECT_EQ(to.next_step(one).what, kind::gone);
}

TEST(a_target_of_stream, leaves_accounts_alone_that_were_never_there_unless_that_is_in_doubt) {
  const stream_target to(settings());
  for (const auto status : {account_status::blocked, account_status::deleted}) {
    auto one = job();
    one.status = status;
    EXPECT_EQ(to.next_step(one).what, kind::none);
    one.in_doubt = true;
    EXPECT_EQ(to.next_step(one).what, kind::request);
  }
}

TEST(a_target_of_stream, does_with_departed_accounts_what_the_operator_wants) {
  const auto body_of_removal = [](on_delete how) {
    auto given = settings();
    given.left.deleted = how;
    const stream_target to(given);
    sync_item item{job(), {}};
    item.job.status = account_status::deleted;
    item.job.remote = remote_state::active;
    item.step = to.next_step(item.job);
    if (item.step.what != kind::request) return std::string("none");
    const auto made = to.request(item.step.operation, std::span(&item, 1));
    return made.url.substr(made.url.find("users")) + " " + made.body;
  };
  EXPECT_EQ(body_of_removal(on_delete::remove_softly),
            R"(users/delete?api_key=fakekey123 {"user_ids":["player-1001"],"user":"soft"})");
  EXPECT_EQ(
      body_of_removal(on_delete::remove_hard),
      R"(users/delete?api_key=fakekey123 {"user_ids":["player-1001"],"user":"hard","messages":"hard","conversations":"hard"})");
  EXPECT_EQ(
      body_of_removal(on_delete::deactivate),
      R"(users/deactivate?api_key=fakekey123 {"user_ids":["player-1001"],"mark_messages_deleted":false})");
  EXPECT_EQ(body_of_removal(on_delete::keep), "none");

  auto given = settings();
  given.left.blocked = on_block::keep;
  auto one = job();
  one.remote = remote_state::active;
  one.status = account_status::blocked;
  EXPECT_EQ(stream_target(given).next_step(one).what, kind::none);
}

TEST(a_target_of_stream, spends_no_request_on_what_stream_would_refuse) {
  const stream_target to(settings());
  const auto why = [&](const profile& wanted) {
    auto one = job();
    one.wanted = wanted;
    const auto step = to.next_step(one);
    return step.what == kind::refuse ? step.why : "taken";
  };
  profile wanted;
  wanted.custom = R"({"a":")" + std::string(5'112, 'x') + "\"}";
  ASSERT_EQ(wanted.custom.size(), 5'120U);
  EXPECT_EQ(why(wanted), "taken");
  wanted.custom.insert(6, "x");
  EXPECT_THAT(why(wanted), HasSubstr("5121 bytes"));
  for (const char* key : {"id", "online", "created_at", "updated_at", "last_active", "deleted_at",
                          "deactivated_at", "banned", "name", "role"}) {
    wanted.custom = std::string(R"({")") + key + R"(":1})";
    EXPECT_THAT(why(wanted), HasSubstr(key));
  }
  wanted.custom = "[]";
  EXPECT_THAT(why(wanted), HasSubstr("object"));
  wanted.custom = "{}";
  wanted.name = "\xff";
  EXPECT_THAT(why(wanted), HasSubstr("UTF-8"));
  wanted.name.reset();
  wanted.teams.assign(251, "t");
  EXPECT_THAT(why(wanted), HasSubstr("250"));
}

TEST(a_target_of_stream, gives_an_image_to_accounts_that_have_none) {
  auto given = settings();
  given.avatar = std::get<avatar_template>(avatar_template::parse("https://a.test/{account}"));
  EXPECT_THAT(stream_target(given).next_step(job()).content, HasSubstr("https://a.test/player-1001"));
}

TEST(a_target_of_stream, asks_which_users_are_there_before_it_patches_what_is_its_own) {
  const stream_target to(patching({"name", "image", "custom.level", "custom.guild"}));
  auto one = job();
  EXPECT_THAT(all_steps(to, one), testing::ElementsAre("query", "upsert"));
  one.wanted.name = "Ada L.";
  EXPECT_THAT(all_steps(to, one), testing::ElementsAre("patch"));

  sync_item item{one, {}};
  item.job.synced_hash.clear();
  item.step = to.next_step(item.job);
  const auto made = to.request(item.step.operation, std::span(&item, 1));
  EXPECT_EQ(made.method, "PATCH");
  EXPECT_EQ(json::parse(made.body),
            json::parse(R"({"users":[{"id":"player-1001","set":{"name":"Ada L.","level":17},
                                                   "unset":["image","guild"]}]})"));
}

TEST(a_target_of_stream, makes_users_that_are_not_there_of_what_is_its_own) {
  const stream_target to(patching({"image", "custom.level"}));
  auto one = job();
  one.wanted.custom = R"({"level":17,"secret":"no"})";
  one.remote = remote_state::absent;
  const auto step = to.next_step(one);
  EXPECT_EQ(to.operations()[step.operation].name, "upsert");
  EXPECT_THAT(step.content, AllOf(HasSubstr("level"), Not(HasSubstr("secret")), Not(HasSubstr("Ada"))));
}

TEST(a_target_of_stream, costs_nothing_for_changes_of_what_others_own) {
  const stream_target to(patching({"image"}));
  auto one = job();
  all_steps(to, one);
  one.wanted.name = "Ada L.";
  EXPECT_EQ(to.next_step(one).what, kind::none);
}

TEST(a_target_of_stream, queries_by_id_with_deactivated_users) {
  const stream_target to(patching({"image"}));
  sync_item item{job(), {}};
  item.step = to.next_step(item.job);
  const auto made = to.request(item.step.operation, std::span(&item, 1));
  EXPECT_EQ(made.method, "GET");
  EXPECT_THAT(
      made.url,
      HasSubstr("&payload=%7B%22filter_conditions%22%3A%7B%22id%22%3A%7B%22%24in%22%3A%5B%22player-1001"));
  EXPECT_THAT(made.url, HasSubstr("include_deactivated_users%22%3Atrue"));
  EXPECT_THAT(made.body, IsEmpty());
}

TEST(settings_of_stream, are_refused_with_what_is_wrong) {
  const auto problem = [](auto change) {
    auto given = settings();
    change(given);
    return stream_target::problem_of(given);
  };
  EXPECT_EQ(stream_target::problem_of(settings()), "");
  EXPECT_EQ(stream_target::problem_of(patching({"name", "custom.level"})), "");
  EXPECT_THAT(problem([](auto& given) { given.api_key.clear(); }), HasSubstr("STREAM_API_KEY"));
  EXPECT_THAT(problem([](auto& given) { given.api_secret.clear(); }), HasSubstr("STREAM_API_SECRET"));
  EXPECT_THAT(problem([](auto& given) { given.base_url = "chat.stream-io-api.com"; }),
              HasSubstr("STREAM_BASE_URL"));
  EXPECT_THAT(problem([](auto& given) { given.owned = {"name"}; }), HasSubstr("patch"));
  EXPECT_THAT(stream_target::problem_of(patching({})), HasSubstr("owned"));
  for (const char* field : {"custom", "custom.", "custom.a.b", "custom.a b", "custom.id", "id", "online"}) {
    EXPECT_THAT(stream_target::problem_of(patching({field})), HasSubstr(field)) << field;
  }
  EXPECT_THAT(stream_target::problem_of(patching({"name", "name"})), HasSubstr("twice"));
  EXPECT_THROW(stream_target(patching({})), std::invalid_argument);
}

}  // namespace
}  // namespace restante
