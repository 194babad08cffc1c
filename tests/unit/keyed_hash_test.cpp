#include "core/keyed_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace restante {
namespace {

// The key 00 01 .. 0f and the texts "", 00, 00 01, and so on: the vectors of the authors' reference.
constexpr hash_key reference_key{0x0706050403020100, 0x0f0e0d0c0b0a0908};

std::string first_bytes(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += static_cast<char>(i);
  return text;
}

TEST(keyed_hash, is_siphash_2_4_on_the_vectors_of_its_authors) {
  constexpr std::uint64_t vectors[] = {
      0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
      0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
      0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
      0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5};
  for (std::size_t length = 0; length < std::size(vectors); ++length) {
    EXPECT_EQ(keyed_hash(reference_key, first_bytes(length)), vectors[length]) << length << " bytes";
  }
  EXPECT_EQ(keyed_hash(reference_key, first_bytes(63)), 0x958a324ceb064572);
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
