#include "core/keyed_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace restante {
namespace {

// The key 00 01 .. 0f and the texts "", 00, 00 01, and so on, as in the authors' vectors of SipHash-2-4.
// Those of 1-3 are from a program in Python that makes theirs with 2-4, and Python's own hashes of bytes with
// 1-3.
constexpr hash_key reference_key{0x0706050403020100, 0x0f0e0d0c0b0a0908};

std::string first_bytes(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += static_cast<char>(i);
  return text;
}

TEST(keyed_hash, is_siphash_1_3) {
  constexpr std::uint64_t vectors[] = {
      0xabac0158050fc4dc, 0xc9f49bf37d57ca93, 0x82cb9b024dc7d44d, 0x8bf80ab8e7ddf7fb,
      0xcf75576088d38328, 0xdef9d52f49533b67, 0xc50d2b50c59f22a7, 0xd3927d989bb11140,
      0x369095118d299a8e, 0x25a48eb36c063de4, 0x79de85ee92ff097f, 0x70c118c1f94dc352,
      0x78a384b157b4d9a2, 0x306f760c1229ffa7, 0x605aa111c0f95d34, 0xd320d86d2a519956};
  for (std::size_t length = 0; length < std::size(vectors); ++length) {
    EXPECT_EQ(keyed_hash(reference_key, first_bytes(length)), vectors[length]) << length << " bytes";
  }
  EXPECT_EQ(keyed_hash(reference_key, first_bytes(63)), 0x9d199062b7bbb3a8);
}

TEST(keyed_hash, depends_on_each_half_of_the_key) {
  const auto hashed = keyed_hash({1, 2}, "anna/m1");
  EXPECT_NE(keyed_hash({3, 2}, "anna/m1"), hashed);
  EXPECT_NE(keyed_hash({1, 3}, "anna/m1"), hashed);
  EXPECT_EQ(keyed_hash({1, 2}, "anna/m1"), hashed);
}

TEST(keyed_hash, tells_bytes_above_127_from_those_below) {
  EXPECT_NE(keyed_hash(reference_key, "\xff"), keyed_hash(reference_key, "\x7f"));
  EXPECT_NE(keyed_hash(reference_key, std::string(8, '\xff')),
            keyed_hash(reference_key, std::string(8, '\x7f')));
}

}  // namespace
}  // namespace restante
