#include "core/properties.h"

#include <gtest/gtest.h>

namespace restante {
namespace {

using namespace std::string_view_literals;

publish_properties all_of_them() {
  publish_properties made;
  made.payload_format = 1;
  made.content_type = "application/json";
  made.response_topic = "answers/here";
  made.correlation_data = std::string("\0\xff\x26"sv);
  made.user = {{"b", "2"}, {"a", ""}, {"b", "1"}};
  return made;
}

TEST(properties, come_back_from_the_wire_as_they_were) {
  EXPECT_EQ(decode_properties(encode_properties(all_of_them())), all_of_them());
  EXPECT_EQ(decode_properties(encode_properties({})), publish_properties{});
}

TEST(properties, stand_on_the_wire_as_mqtt_5_says) {
  publish_properties made;
  made.payload_format = 0;
  made.user = {{"k", "vw"}};
  EXPECT_EQ(encode_properties(made), "\x01\x00\x26\x00\x01k\x00\x02vw"sv);
}

TEST(properties, are_refused_when_cut_off_anywhere) {
  const auto wire = encode_properties(all_of_them());
  for (std::size_t length = 1; length < wire.size(); ++length) {
    const auto decoded = decode_properties(wire.substr(0, length));
    if (decoded) {
      EXPECT_EQ(encode_properties(*decoded), wire.substr(0, length)) << length;
    }
  }
  EXPECT_FALSE(
      decode_properties("\x03\x00\x05"
                        "abc"sv));
}

TEST(properties, are_refused_when_they_cannot_belong_to_a_kept_message) {
  EXPECT_FALSE(decode_properties("\x02\x00\x00\x00\x01"sv)) << "message expiry";
  EXPECT_FALSE(decode_properties("\x23\x00\x01"sv)) << "topic alias";
  EXPECT_FALSE(decode_properties("\x01\x02"sv)) << "a payload format that is none";
  EXPECT_FALSE(decode_properties("\x01\x00\x01\x00"sv)) << "payload format twice";
  EXPECT_FALSE(decode_properties("\x03\x00\x00\x03\x00\x00"sv)) << "content type twice";
}

TEST(properties, leave_out_strings_that_the_wire_cannot_carry) {
  publish_properties made;
  made.content_type = std::string(65'536, 'x');
  made.user = {{std::string(65'536, 'x'), "v"}, {"k", "v"}};
  publish_properties left;
  left.user = {{"k", "v"}};
  EXPECT_EQ(decode_properties(encode_properties(made)), left);
}

}  // namespace
}  // namespace restante
