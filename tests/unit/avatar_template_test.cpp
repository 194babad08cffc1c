#include "bridge/targets/avatar_template.h"

#include <gmock/gmock.h>

#include "crypto/digest.h"

namespace restante {
namespace {

using testing::HasSubstr;

avatar_template good(std::string_view text) {
  return std::get<avatar_template>(avatar_template::parse(text));
}
std::string problem(std::string_view text) { return std::get<std::string>(avatar_template::parse(text)); }

TEST(an_avatar_template, fills_in_the_account_and_its_name_percent_encoded) {
  profile shown;
  shown.name = "Ada & Bob/ü";
  EXPECT_EQ(good("https://a.example/{account}.png?name={name}").image_of("anna@x", shown),
            "https://a.example/anna%40x.png?name=Ada%20%26%20Bob%2F%C3%BC");
  EXPECT_EQ(good("https://a.example/{name}").image_of("anna", {}), "https://a.example/anna");
  EXPECT_EQ(good("https://a.example/{account_sha256}").image_of("anna", {}),
            "https://a.example/" + sha256_hex("anna"));
}

TEST(an_avatar_template, leaves_an_image_alone_that_the_account_has_set) {
  profile shown;
  shown.image = "https://own.example/1.png";
  EXPECT_EQ(good("https://a.example/{account}").image_of("anna", shown), "https://own.example/1.png");
}

TEST(an_avatar_template, is_off_when_it_is_empty) { EXPECT_EQ(good("").image_of("anna", {}), std::nullopt); }

TEST(an_avatar_template, makes_no_image_that_is_too_long_for_a_profile) {
  profile shown;
  shown.name = std::string(1'000, '/');
  EXPECT_EQ(good("https://a.example/{name}").image_of("anna", shown), std::nullopt);
}

TEST(an_avatar_template, says_what_is_wrong_with_it) {
  EXPECT_THAT(problem("ftp://a.example"), HasSubstr("https://"));
  EXPECT_THAT(problem("https://a.example/{id}"), HasSubstr("{id}"));
  EXPECT_THAT(problem("https://a.example/{account"), HasSubstr("brace"));
  EXPECT_THAT(problem("https://a.example/account}"), HasSubstr("brace"));
  EXPECT_THAT(problem("https://a.example/a b"), HasSubstr("blank"));
  EXPECT_THAT(problem("https://a.example/" + std::string(2'048, 'a')), HasSubstr("2048"));
}

}  // namespace
}  // namespace restante
