// The bytes of the journal: what is written is read, and anything else gives a reason.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <variant>

#include "journal/crc32c.h"
#include "journal/journal_format.h"
#include "journal_harness.h"

namespace restante {
namespace {

using namespace journal_format;
using namespace test;

const seal sealed({1, 2});

TEST(crc32c, gives_the_values_of_rfc_3720) {
  for (const auto compute : {&crc32c, &crc32c_by_tables}) {
    EXPECT_EQ(compute(std::string(32, '\0'), 0), 0x8A9136AAU);
    EXPECT_EQ(compute(std::string(32, '\xFF'), 0), 0x62A8AB43U);
    EXPECT_EQ(compute("123456789", 0), 0xE3069283U);
    EXPECT_EQ(compute("", 0), 0U);
  }
}

TEST(crc32c, is_the_same_both_ways_and_in_pieces) {
  std::mt19937 random(7);
  std::string text;
  for (int length = 0; length < 200; ++length) {
    EXPECT_EQ(crc32c(text), crc32c_by_tables(text));
    const auto cut = text.empty() ? 0 : random() % text.size();
    EXPECT_EQ(crc32c(text.substr(cut), crc32c(text.substr(0, cut))), crc32c(text));
    text += static_cast<char>(random());
  }
}

TEST(journal_header, comes_back_and_every_flipped_bit_is_seen) {
  const auto bytes = encode_header({1, 2, 3, {4, 5}});
  ASSERT_EQ(bytes.size(), header_bytes);
  const auto found = decode_header(bytes);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->start, 1U);
  EXPECT_EQ(found->keep, 2U);
  EXPECT_EQ(found->synced, 3U);
  EXPECT_EQ(found->key.low, 4U);
  EXPECT_EQ(found->key.high, 5U);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(decode_header(flipped)) << bit;
  }
  EXPECT_FALSE(decode_header(bytes.substr(0, 63)));
}

TEST(journal_record, is_bound_to_its_place_and_its_journal) {
  std::string bytes;
  ASSERT_TRUE(encode(bytes, sealed, 100, removal_list{"bert", {7}}));
  EXPECT_TRUE(std::holds_alternative<framed>(read_frame(bytes, sealed, 100)));
  EXPECT_EQ(std::get<flaw>(read_frame(bytes, sealed, 101)), flaw::bad_checksum);
  EXPECT_EQ(std::get<flaw>(read_frame(bytes, seal({1, 3}), 100)), flaw::bad_checksum);
}

TEST(journal_record, of_any_smaller_size_is_cut_short) {
  std::string bytes;
  const auto message = a_message(1);
  ASSERT_TRUE(encode(bytes, sealed, 0, message.what, message.known));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(std::get<flaw>(read_frame(bytes.substr(0, size), sealed, 0)), flaw::cut_short);
}

TEST(journal_record, of_zeros_has_a_bad_length) {
  EXPECT_EQ(std::get<flaw>(read_frame(std::string(100, '\0'), sealed, 0)), flaw::bad_length);
  EXPECT_EQ(std::get<flaw>(read_frame(std::string(100, '\xFF'), sealed, 0)), flaw::bad_length);
}

// Checksums are right here, so only the body speaks.
TEST(journal_record, with_a_body_of_any_bytes_is_decoded_or_not) {
  std::mt19937 random(11);
  std::string whole;
  const auto message = a_message(3);
  ASSERT_TRUE(encode(whole, sealed, 0, message.what, message.known));
  std::size_t decoded = 0, refused = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string body = whole.substr(frame_bytes + 1);
    for (auto changes = random() % 4; changes > 0; --changes)
      body[random() % body.size()] = static_cast<char>(random());
    if (random() % 4 == 0) body.resize(random() % body.size());
    const framed from{static_cast<record_kind>(1 + random() % 6), body, 0};
    (decode_record(from) ? decoded : refused) += 1;
    decode_mark(from);
    decode_used(from);
  }
  EXPECT_GT(decoded, 1'000U);
  EXPECT_GT(refused, 1'000U);
}

TEST(journal_record, of_fewer_or_more_removals_than_it_says_is_not_decoded) {
  std::string bytes;
  ASSERT_TRUE(encode(bytes, sealed, 0, removal_list{"bert", {1, 2, 3}}));
  const std::string body = bytes.substr(frame_bytes + 1);
  ASSERT_TRUE(decode_record({record_kind::removals, body, 0}));
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(decode_record({record_kind::removals, std::string_view(body).substr(0, size), 0})) << size;
  }
  EXPECT_FALSE(decode_record({record_kind::removals, body + std::string(8, '\1'), 0}));
}

TEST(journal_record, larger_than_a_message_may_be_is_not_written) {
  std::string bytes = "before";
  auto many = a_message(1);
  many.what.recipients.assign(most_recipients + 1, "x");
  EXPECT_FALSE(encode(bytes, sealed, 0, many.what, {}));
  many.what.recipients.resize(most_recipients);
  EXPECT_TRUE(encode(bytes, sealed, 0, many.what, {}));
  bytes = "before";
  EXPECT_FALSE(encode(bytes, sealed, 0, removal_list{std::string(65, 'x'), {1}}));
  EXPECT_FALSE(
      encode(bytes, sealed, 0, removal_list{"bert", std::vector<message_number>(most_removals + 1)}));
  EXPECT_FALSE(encode(bytes, sealed, 0, removal_by_key{"bert", {"anna", std::string(65, 'x')}, 1, false}));
  unresolved_receipt receipt;
  receipt.told.topic.assign(65'536, 'x');
  EXPECT_FALSE(encode(bytes, sealed, 0, receipt, 0));
  EXPECT_EQ(bytes, "before");
}

TEST(journal_file_names, are_positions_of_twenty_digits) {
  EXPECT_EQ(file_name(4'096, segment_ending), "00000000000000004096.journal");
  EXPECT_EQ(file_name(UINT64_MAX, recent_ending), "18446744073709551615.recent");
  EXPECT_EQ(parse_file_name("00000000000000004096.journal", segment_ending), 4'096U);
  EXPECT_EQ(parse_file_name("18446744073709551615.recent", recent_ending), UINT64_MAX);
  for (const auto* other : {"18446744073709551616.recent", "4096.recent", "0000000000000000409x.recent",
                            "00000000000000004096.journal", "00000000000000004096.recent~", ""})
    EXPECT_FALSE(parse_file_name(other, recent_ending)) << other;
}

}  // namespace
}  // namespace restante
