#include "crypto/hmac.h"

#include <gtest/gtest.h>

#include <string>

namespace restante {
namespace {

std::string hex(const sha256_mac& mac) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : mac) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

// RFC 4231, test cases 1, 2 and 6 (a key longer than a block).
TEST(hmac_sha256, gives_what_the_rfc_says) {
  EXPECT_EQ(hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(
      hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(hmac_sha256, takes_an_empty_key_and_an_empty_text) {
  EXPECT_EQ(hex(hmac_sha256({}, {})), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(equal_in_constant_time, says_whether_texts_are_equal) {
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abcd"));
}

}  // namespace
}  // namespace restante
