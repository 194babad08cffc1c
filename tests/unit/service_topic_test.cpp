#include "bridge/core/service_topic.h"

#include <gtest/gtest.h>

#include <string>

namespace restante {
namespace {

TEST(a_topic_of_a_service, says_who_asks_and_where_the_answer_goes) {
  const auto request = parse_service_topic("service/profile/anna@x/m1", "");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->service, "profile");
  EXPECT_EQ(request->from, "anna@x");
  EXPECT_EQ(request->id, "m1");
  EXPECT_EQ(answer_topic(*request, ""), "answer/anna@x/profile/m1");
  EXPECT_EQ(service_filter("profile", ""), "service/profile/#");
}

TEST(a_topic_of_a_service, stands_behind_the_brokers_prefix) {
  for (const char* prefix : {"mail", "mail/"}) {
    const auto request = parse_service_topic("mail/service/stream-token/anna/m1", prefix);
    ASSERT_TRUE(request);
    EXPECT_EQ(answer_topic(*request, prefix), "mail/answer/anna/stream-token/m1");
    EXPECT_EQ(service_filter("profile", prefix), "mail/service/profile/#");
    EXPECT_FALSE(parse_service_topic("service/profile/anna/m1", prefix));
  }
}

TEST(a_topic_of_a_service, is_of_that_shape_only) {
  for (const char* topic :
       {"", "service", "service/", "service/profile", "service/profile/anna", "service/profile/anna/",
        "service/profile/anna/m1/", "service/profile/anna/m1/x", "service//anna/m1", "service/profile//m1",
        "service/profile/an na/m1", "service/profile/anna/m@1", "service/profile/+/m1",
        "service/profile/anna/#", "services/profile/anna/m1", "/service/profile/anna/m1",
        "direct/profile/anna/m1"}) {
    EXPECT_FALSE(parse_service_topic(topic, "")) << topic;
  }
  EXPECT_FALSE(parse_service_topic("service/profile/" + std::string(65, 'a') + "/m1", ""));
}

}  // namespace
}  // namespace restante
