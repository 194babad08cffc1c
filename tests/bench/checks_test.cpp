// The load generator's own checks: that they find what is lost, doubled or swapped, and say nothing
// otherwise.
#include <gtest/gtest.h>

#include <string>

#include "histogram.h"
#include "letter.h"
#include "packet.h"
#include "stream_check.h"

namespace restante::bench {
namespace {

stream_check after(std::initializer_list<std::uint64_t> numbers) {
  stream_check stream;
  for (const auto each : numbers) stream.receive(each);
  return stream;
}

TEST(stream_check, finds_nothing_in_a_whole_stream) {
  const auto stream = after({0, 1, 2, 3});
  EXPECT_EQ(stream.received(), 4U);
  EXPECT_EQ(stream.lost(4), 0U);
  EXPECT_EQ(stream.duplicates(), 0U);
  EXPECT_EQ(stream.out_of_order(), 0U);
}

TEST(stream_check, finds_a_lost_message_in_the_middle_at_the_beginning_and_at_the_end) {
  EXPECT_EQ(after({0, 2, 3}).lost(4), 1U);
  EXPECT_EQ(after({1, 2, 3}).lost(4), 1U);
  EXPECT_EQ(after({0, 1, 2}).lost(4), 1U);
  EXPECT_EQ(after({}).lost(4), 4U);
  EXPECT_EQ(after({0, 2, 3}).out_of_order(), 0U);
}

TEST(stream_check, finds_a_doubled_message_at_once_and_later) {
  EXPECT_EQ(after({0, 1, 1, 2}).duplicates(), 1U);
  EXPECT_EQ(after({0, 1, 2, 0}).duplicates(), 1U);
  EXPECT_EQ(after({0, 2, 1, 1}).duplicates(), 1U);
  EXPECT_EQ(after({0, 1, 1, 2}).lost(3), 0U);
}

TEST(stream_check, finds_swapped_messages_and_does_not_take_them_for_lost_or_doubled) {
  const auto stream = after({0, 2, 1, 3});
  EXPECT_EQ(stream.out_of_order(), 1U);
  EXPECT_EQ(stream.lost(4), 0U);
  EXPECT_EQ(stream.duplicates(), 0U);
}

TEST(histogram, has_percentiles_within_two_percent) {
  histogram times;
  for (std::int64_t us = 1; us <= 1'000; ++us) times.add(us * 1'000);
  EXPECT_EQ(times.count(), 1'000U);
  EXPECT_NEAR(static_cast<double>(times.at(0.5)), 500'000, 10'000);
  EXPECT_NEAR(static_cast<double>(times.at(0.99)), 990'000, 20'000);
  EXPECT_EQ(times.at(1), 1'000'000U);
  EXPECT_EQ(times.most_ns(), 1'000'000U);
}

TEST(packets, are_taken_only_when_they_are_whole) {
  std::string written;
  append_publish(written, mqtt_version::v5,
                 {.topic = "direct/b/a/1", .payload = "hello", .packet_id = 7, .qos = 1});
  packet_view packet;
  for (std::size_t size = 0; size < written.size(); ++size) {
    std::string_view part(written.data(), size);
    EXPECT_EQ(take_packet(part, packet), take_result::incomplete);
    EXPECT_EQ(part.size(), size);
  }
  append_puback(written, 9);
  std::string_view all = written;
  ASSERT_EQ(take_packet(all, packet), take_result::taken);
  const auto publish = read_publish(packet, mqtt_version::v5);
  ASSERT_TRUE(publish);
  EXPECT_EQ(publish->topic, "direct/b/a/1");
  EXPECT_EQ(publish->payload, "hello");
  EXPECT_EQ(publish->packet_id, 7);
  ASSERT_EQ(take_packet(all, packet), take_result::taken);
  EXPECT_EQ(read_puback(packet)->packet_id, 9);
  EXPECT_TRUE(all.empty());
}

TEST(letters, come_back_as_they_were_written) {
  std::string payload;
  write_letter({.sent_ns = 5, .number = 6, .sender = 7, .recipient = 8}, 64, payload);
  EXPECT_EQ(payload.size(), 64U);
  const auto read = read_letter(payload);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->number, 6U);
  EXPECT_EQ(read->recipient, 8U);
  EXPECT_FALSE(read_letter("short"));
}

}  // namespace
}  // namespace restante::bench
