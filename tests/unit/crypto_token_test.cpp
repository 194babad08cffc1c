// Tokens against known answers: those that Stream's own client libraries make and its service takes.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "crypto/token.h"

namespace restante {
namespace {

constexpr const char* secret = "fake-api-secret-for-tests-only";

TEST(a_signed_token, is_what_others_make_of_the_same_claims) {
  EXPECT_EQ(sign_hs256(R"({"server":true})", secret),
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzZXJ2ZXIiOnRydWV9.PrNlCyA3Mp4bHx03HlhsH3pBBOy1cU_"
            "t9PPV08Pp9V0");
}

TEST(a_signed_token, has_its_claims_in_the_order_of_their_names) {
  const auto one = sign_hs256(R"({"user_id":"player-1001","iat":1767225595,"exp":1767229195})", secret);
  const auto other = sign_hs256(R"({"exp":1767229195,"iat":1767225595,"user_id":"player-1001"})", secret);
  EXPECT_EQ(one, other);
  // {"exp":1767229195,"iat":1767225595,"user_id":"player-1001"}
  EXPECT_NE(one.find(".eyJleHAiOjE3NjcyMjkxOTUsImlhdCI6MTc2NzIyNTU5NSwidXNlcl9pZCI6InBsYXllci0xMDAxIn0."),
            std::string::npos)
      << one;
}

TEST(a_signed_token, differs_with_the_secret) {
  EXPECT_NE(sign_hs256(R"({"server":true})", secret), sign_hs256(R"({"server":true})", "another"));
  EXPECT_NE(sign_hs256(R"({"server":true})", std::string("a\0b", 3)),
            sign_hs256(R"({"server":true})", std::string("a\0c", 3)));
}

TEST(a_signed_token, is_made_of_nothing_but_an_object_and_a_secret) {
  EXPECT_THROW(sign_hs256("", secret), std::runtime_error);
  EXPECT_THROW(sign_hs256("{", secret), std::runtime_error);
  EXPECT_THROW(sign_hs256("[1]", secret), std::runtime_error);
  EXPECT_THROW(sign_hs256("{}", ""), std::runtime_error);
}

}  // namespace
}  // namespace restante
