#include "bridge/targets/stream_token.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <string>

#include "crypto/token.h"

namespace restante {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t now_s = 1'767'225'600;

stream_token_settings settings() {
  return {.api_key = "fakekey123", .api_secret = "fake-api-secret-for-tests-only"};
}
std::string answer(std::string_view payload, std::optional<account_status> status = account_status::active,
                   std::string_view account = "player-1001") {
  return answer_stream_token(settings(), account, status, payload, now_s);
}

TEST(a_token_for_stream, is_what_streams_own_libraries_make_and_dated_back) {
  const auto given = json::parse(answer(R"({"expires_in_s":3595})"));
  EXPECT_EQ(given["token"], sign_hs256(R"({"user_id":"player-1001","iat":1767225595,"exp":1767229195})",
                                       "fake-api-secret-for-tests-only"));
  EXPECT_EQ(given["user_id"], "player-1001");
  EXPECT_EQ(given["api_key"], "fakekey123");
  EXPECT_EQ(given["expires_at"], 1'767'229'195);
}

TEST(a_token_for_stream, is_for_the_id_that_stream_knows) {
  EXPECT_EQ(json::parse(answer("", account_status::active, "a.b@x"))["user_id"], "a@db@@x");
}

TEST(a_token_for_stream, holds_as_long_as_asked_within_bounds) {
  for (const char* usual : {"", "{}", " {} "})
    EXPECT_EQ(json::parse(answer(usual))["expires_at"], now_s + 3'600);
  EXPECT_EQ(json::parse(answer(R"({"expires_in_s":1})"))["expires_at"], now_s + 1);
  EXPECT_EQ(json::parse(answer(R"({"expires_in_s":86400})"))["expires_at"], now_s + 86'400);
  for (const char* bad :
       {R"({"expires_in_s":0})", R"({"expires_in_s":86401})", R"({"expires_in_s":-5})",
        R"({"expires_in_s":1.5})", R"({"expires_in_s":"60"})", R"({"expires_in_s":null})"}) {
    EXPECT_EQ(json::parse(answer(bad))["error"]["field"], "expires_in_s") << bad;
  }
  EXPECT_EQ(json::parse(answer(R"({"user_id":"somebody"})"))["error"]["field"], "user_id");
  EXPECT_EQ(json::parse(answer("[]"))["error"]["field"], "payload");
  EXPECT_EQ(json::parse(answer(std::string(2'000, ' ')))["error"]["field"], "payload");
}

TEST(a_token_for_stream, is_never_for_an_account_that_is_blocked_or_deleted_or_not_there) {
  const auto blocked = answer("", account_status::blocked);
  EXPECT_EQ(json::parse(blocked)["error"]["field"], "account");
  EXPECT_EQ(answer("", account_status::deleted), blocked);
  EXPECT_EQ(answer("", std::nullopt), blocked);
  EXPECT_THAT(blocked, Not(HasSubstr("\"token\"")));
}

TEST(a_token_for_stream, never_shows_the_secret) {
  EXPECT_THAT(answer(""), Not(HasSubstr("fake-api-secret")));
}

}  // namespace
}  // namespace restante
