#include "bridge/core/profile_request.h"

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "bridge/core/strict_json.h"

namespace restante {
namespace {

using nlohmann::json;
using testing::HasSubstr;

profile_change taken(std::string_view payload) {
  return std::get<profile_change>(parse_profile_request(payload));
}
request_refusal refused(std::string_view payload) {
  return std::get<request_refusal>(parse_profile_request(payload));
}

TEST(a_request_to_change_a_profile, sets_what_is_given_removes_what_is_null_and_leaves_the_rest) {
  const auto change = taken(R"({"name":"Ada","image":null,"custom":{"b":1, "a":{"z":[1.50]}}})");
  EXPECT_EQ(change.name, (field_change{true, "Ada"}));
  EXPECT_EQ(change.image, (field_change{true, std::nullopt}));
  EXPECT_EQ(change.language, (field_change{false, std::nullopt}));
  EXPECT_EQ(change.custom, (field_change{true, R"({"a":{"z":[1.5]},"b":1})"}));
  EXPECT_EQ(taken("{}"), profile_change{});
}

TEST(a_request_to_change_a_profile, is_taken_and_refused_as_the_schema_says) {
  std::ifstream file(RESTANTE_SOURCE_DIR "/tests/schemas/profile_requests.json");
  const auto requests = json::parse(file);
  ASSERT_GT(requests["taken"].size(), 10U);
  ASSERT_GT(requests["refused"].size(), 20U);
  for (const auto& each : requests["taken"]) {
    EXPECT_TRUE(std::holds_alternative<profile_change>(parse_profile_request(each.dump()))) << each;
  }
  for (const auto& each : requests["refused"]) {
    EXPECT_TRUE(std::holds_alternative<request_refusal>(parse_profile_request(each.dump()))) << each;
  }
  for (const auto& each : requests["refused_by_the_bridge"]) {
    EXPECT_TRUE(std::holds_alternative<request_refusal>(parse_profile_request(each.get<std::string>())))
        << each;
  }
}

TEST(a_request_to_change_a_profile, is_refused_with_the_field_and_the_reason) {
  EXPECT_EQ(refused("{"), (request_refusal{"payload", "is no JSON in UTF-8"}));
  EXPECT_EQ(refused("\xff"), (request_refusal{"payload", "is no JSON in UTF-8"}));
  EXPECT_EQ(refused("[1]"), (request_refusal{"payload", "is no JSON object"}));
  EXPECT_EQ(refused(R"({"name":"a","name":"b"})"), (request_refusal{"name", "holds a key twice"}));
  EXPECT_EQ(refused(R"({"name":"\ud800"})").field, "name");
  EXPECT_EQ(refused("{\"name\":\"\xc3\"}").field, "name");
  EXPECT_EQ(refused(R"({"role":"admin"})"), (request_refusal{"role", "is set by the operator only"}));
  EXPECT_EQ(refused(R"({"teams":[]})"), (request_refusal{"teams", "is set by the operator only"}));
  EXPECT_EQ(refused(R"({"level":1})").field, "level");
  EXPECT_EQ(refused(R"({"custom":{"a":1e999}})"),
            (request_refusal{"custom", "holds a number that is out of range"}));
  EXPECT_THAT(refused(R"({"custom":{"a":")" + std::string(5'113, 'x') + "\"}}").reason,
              HasSubstr("5121 bytes"));
}

TEST(a_request_to_change_a_profile, may_be_as_deep_or_long_as_somebody_likes_and_does_no_harm) {
  const auto deep = std::string(30'000, '[');
  EXPECT_EQ(refused(deep).reason, "is nested too deeply");
  EXPECT_EQ(refused(R"({"custom":)" + deep).field, "custom");
  EXPECT_EQ(refused(std::string(32'769, ' ')).reason, "has more than 32768 bytes");
}

TEST(a_request_to_change_a_profile, never_grows_beyond_what_the_database_takes) {
  std::string many = "1e20";
  for (int i = 0; i < 700; ++i) many += ",1e20";
  EXPECT_THAT(refused(R"({"custom":{"a":[)" + many + "]}}").reason, HasSubstr("written out"));
}

TEST(an_answer_to_a_request, is_json_whatever_was_asked) {
  EXPECT_EQ(profile_answer(7), R"({"version":7})");
  EXPECT_EQ(refusal_answer({"name", "is empty"}), R"({"error":{"field":"name","reason":"is empty"}})");
  std::string long_field = "x";
  for (int i = 0; i < 100; ++i) long_field += "€";
  const auto answer = json::parse(refusal_answer({long_field, "is no field"}));
  EXPECT_LE(answer["error"]["field"].get<std::string>().size(), 64U);
}

TEST(json_from_outside, is_measured_as_the_database_writes_it) {
  EXPECT_GE(jsonb_text_bytes(json::parse(R"({"a": [1, 2], "b": "x"})")),
            std::string(R"({"a": [1, 2], "b": "x"})").size());
  EXPECT_GE(jsonb_text_bytes(json(1e300)), 301U);
  EXPECT_GE(jsonb_text_bytes(json(1e-300)), 302U);
}

}  // namespace
}  // namespace restante
