#include "core/acknowledgement_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/message.h"

namespace restante {
namespace {

using testing::ElementsAre;
using namespace std::string_view_literals;

std::vector<message_key> keys_of(std::string_view payload) {
  const auto parsed = parse_acknowledgement_lines(payload);
  if (const auto* lines = std::get_if<std::vector<acknowledgement_line>>(&parsed)) {
    std::vector<message_key> keys;
    for (const auto& each : *lines) {
      keys.push_back({std::string(each.sender), std::string(each.id)});
      EXPECT_EQ(each.whole, keys.back().sender + '/' + keys.back().id);
    }
    return keys;
  }
  ADD_FAILURE() << std::get<std::string_view>(parsed);
  return {};
}

bool is_refused(std::string_view payload) {
  const auto parsed = parse_acknowledgement_lines(payload);
  const auto* why = std::get_if<std::string_view>(&parsed);
  return why != nullptr && !why->empty();
}

std::string lines(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "anna/m" + std::to_string(i) + '\n';
  return text;
}

TEST(acknowledgement_lines, name_messages_in_their_order) {
  EXPECT_THAT(keys_of("anna/m1\nbert/2\nanna/m1\n"),
              ElementsAre(message_key{"anna", "m1"}, message_key{"bert", "2"}, message_key{"anna", "m1"}));
}

TEST(acknowledgement_lines, may_end_without_a_line_feed) {
  EXPECT_THAT(keys_of("anna/m1"), ElementsAre(message_key{"anna", "m1"}));
  EXPECT_EQ(keys_of("anna/m1\nbert/2"), keys_of("anna/m1\nbert/2\n"));
}

TEST(acknowledgement_lines, are_at_most_500) {
  EXPECT_EQ(keys_of(lines(500)).size(), 500U);
  EXPECT_TRUE(is_refused(lines(501)));
  EXPECT_TRUE(is_refused(lines(100'000)));
}

TEST(acknowledgement_lines, are_at_least_one) {
  EXPECT_TRUE(is_refused(""));
  EXPECT_TRUE(is_refused("\n"));
}

TEST(acknowledgement_lines, are_refused_as_a_whole_when_one_is_wrong) {
  for (const std::string_view wrong : std::initializer_list<std::string_view>{
           "m1", "anna/", "/m1", "/", "anna/m1/2", "anna m1", "anna/m 1", "anna/m1\r", "an+na/m1", "anna/m@1",
           "anna/m\0"sv, "\xff\xfe/\x80", " anna/m1", "\nanna/m1", "anna/m1\n\nbert/2"}) {
    EXPECT_TRUE(is_refused(wrong)) << wrong;
    EXPECT_TRUE(is_refused("anna/m1\n" + std::string(wrong) + "\nanna/m2\n")) << wrong;
  }
  EXPECT_TRUE(is_refused("anna/m1\n\n")) << "an empty last line";
}

TEST(acknowledgement_lines, have_names_and_ids_of_at_most_64_bytes) {
  const std::string longest(64, 'a'), longer(65, 'a');
  EXPECT_THAT(keys_of(longest + '/' + longest), ElementsAre(message_key{longest, longest}));
  EXPECT_TRUE(is_refused(longer + "/m1"));
  EXPECT_TRUE(is_refused("anna/" + longer));
}

}  // namespace
}  // namespace restante
