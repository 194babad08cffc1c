#include "core/publish_packet.h"

#include <gtest/gtest.h>

#include <string>

namespace restante {
namespace {

using namespace std::string_view_literals;
using form = publish_head::form;

std::string text(std::string_view value) {
  return std::string{static_cast<char>(value.size() >> 8), static_cast<char>(value.size() & 0xff)} +
         std::string(value);
}

// Topic `a/b`, packet id 7 at QoS 1, these properties, and a payload.
std::string publish(std::string_view properties, std::string_view topic = "a/b", int qos = 1) {
  std::string bytes = text(topic);
  if (qos > 0) bytes += "\0\x07"sv;
  bytes += static_cast<char>(properties.size());
  return bytes + std::string(properties) + "payload";
}

TEST(publish_packet, has_an_expiry_or_none) {
  const auto without = publish("");
  auto head = parse_publish_head(without, 1);
  ASSERT_EQ(head.is, form::whole);
  EXPECT_EQ(head.topic, "a/b");
  EXPECT_EQ(without.substr(head.bytes), "payload");
  EXPECT_FALSE(head.expiry_s);

  const auto with = publish("\x02\x00\x01\x02\xff"sv, "a/b", 0);
  head = parse_publish_head(with, 0);
  ASSERT_EQ(head.is, form::whole);
  EXPECT_EQ(head.expiry_s, 0x000102ffU);
  EXPECT_EQ(with.substr(head.bytes), "payload");
}

TEST(publish_packet, may_have_every_property_of_a_publisher_around_its_expiry) {
  const std::string before =
      "\x01\x01" + ("\x03" + text("text/plain")) + ("\x08" + text("\x02\x02\x02\x02\x02"));
  const std::string after =
      "\x09" + text("\0\0"sv) + std::string("\x23\x00\x05", 3) + ("\x26" + text("name") + text("value"));
  const auto bytes = publish(before + std::string("\x02\x00\x00\x00\x09", 5) + after);
  const auto head = parse_publish_head(bytes, 1);
  ASSERT_EQ(head.is, form::whole);
  EXPECT_EQ(head.expiry_s, 9U);
  EXPECT_EQ(bytes.substr(head.bytes), "payload");
}

TEST(publish_packet, has_a_topic_or_an_alias) {
  const auto alias = publish("\x23\x00\x05"sv, "");
  EXPECT_EQ(parse_publish_head(alias, 1).is, form::whole);
  EXPECT_EQ(parse_publish_head(alias, 1).topic, "");
  EXPECT_EQ(parse_publish_head(publish("", ""), 1).is, form::malformed);
}

TEST(publish_packet, says_how_much_more_it_wants) {
  const auto bytes = publish(std::string("\x02\x00\x00\x00\x09", 5) + "\x26" + text("name") + text("value"));
  const auto whole = parse_publish_head(bytes, 1).bytes;
  for (std::size_t length = 0; length < whole; ++length) {
    const auto head = parse_publish_head(bytes.substr(0, length), 1);
    EXPECT_EQ(head.is, form::cut_off) << length;
    EXPECT_GT(head.bytes, length);
    EXPECT_LE(head.bytes, whole);
  }
  EXPECT_EQ(parse_publish_head(bytes.substr(0, whole), 1).is, form::whole);
}

TEST(publish_packet, is_malformed_when_its_properties_are) {
  for (const auto properties :
       {"\x02\x00\x00\x00"sv, "\x7e\x01"sv, "\x02\x00\x00\x00\x01\x02\x00\x00\x00\x01"sv, "\x03\x00\x05xx"sv,
        "\x01"sv, "\x26\x00\x01k"sv, "\x0b\x01"sv}) {
    EXPECT_EQ(parse_publish_head(publish(properties), 1).is, form::malformed)
        << testing::PrintToString(properties);
  }
  EXPECT_EQ(parse_publish_head(text("a/b") + std::string("\x00\x07\xff\xff\xff\xff\x01", 7), 1).is,
            form::malformed)
      << "a length without end";
}

TEST(publish_packet, is_never_read_beyond_its_end) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    bytes += static_cast<char>(i * 37);
    for (const int qos : {0, 1}) {
      const auto head = parse_publish_head(bytes, qos);
      if (head.is == form::whole) {
        EXPECT_LE(head.bytes, bytes.size());
      }
    }
  }
}

}  // namespace
}  // namespace restante
