// plugin/crypto/password.h: known answers of every form, and what is refused.
#include "crypto/password.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace restante {
namespace {

TEST(password, verifies_what_it_hashed) {
  const std::string hash = hash_password("correct horse");
  EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=12288,t=3,p=1$")) << hash;
  EXPECT_TRUE(verify_password("correct horse", hash));
  EXPECT_FALSE(verify_password("correct horsf", hash));
}

TEST(password, is_salted_anew_each_time) { EXPECT_NE(hash_password("same"), hash_password("same")); }

TEST(password, may_hold_any_bytes) {
  const std::string bytes("\0\xff\n$", 4);
  const std::string hash = hash_password(bytes);
  EXPECT_TRUE(verify_password(bytes, hash));
  EXPECT_FALSE(verify_password(std::string_view(bytes).substr(0, 1), hash));
}

struct known_answer {
  const char* form;
  const char* plain;
  const char* hash;
};
void PrintTo(const known_answer& answer, std::ostream* to) { *to << answer.form; }

class known_password : public testing::TestWithParam<known_answer> {};

TEST_P(known_password, is_verified) { EXPECT_TRUE(verify_password(GetParam().plain, GetParam().hash)); }

TEST_P(known_password, differs_by_one_character) {
  const std::string plain = GetParam().plain;
  EXPECT_FALSE(verify_password(plain + "x", GetParam().hash));
  EXPECT_FALSE(verify_password(plain.substr(1), GetParam().hash));
}

TEST_P(known_password, is_refused_when_the_hash_was_cut_or_lengthened) {
  const std::string hash = GetParam().hash;
  EXPECT_FALSE(verify_password(GetParam().plain, hash + "A"));
  for (std::size_t length = 0; length < hash.size(); ++length) {
    EXPECT_FALSE(verify_password(GetParam().plain, hash.substr(0, length))) << length;
  }
}

TEST_P(known_password, is_not_the_empty_one) { EXPECT_FALSE(verify_password("", GetParam().hash)); }

INSTANTIATE_TEST_SUITE_P(
    forms, known_password,
    testing::Values(
        // From the reference implementation's own tests.
        known_answer{"argon2id_two_lanes", "password",
                     "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"},
        known_answer{"argon2id", "password",
                     "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"},
        // From crypt(3)'s own tests.
        known_answer{"bcrypt", "U*U", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
        known_answer{"yescrypt", "pleaseletmein",
                     "$y$j75$LdJMENpBABJJ3hIHjB1Bi.$LOFz5qVpaHYHlkfy7RM1hH9gRBSqy5mk4KRmFVRFKM4"},
        known_answer{"crypt_sha512", "Hello world!",
                     "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/"
                     "O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"},
        known_answer{
            "crypt_sha512_rounds", "Hello world!",
            "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZe"
            "HBy/YTBmSK6H9qs/y3RnOaw5v."},
        // Written by mosquitto_passwd 2.0.11.
        known_answer{
            "mosquitto_sha512", "hunter2",
            "$6$MIhkdcMcSXOQZPDG$RrqOPk0IOqFYIjYhtw+jS//7SElaokkSOkRgHgFHJDoG3AZRAgxkKKk+xj9um9P9U0drav/"
            "qXAsq4EzlTcRFyg=="},
        known_answer{"mosquitto_pbkdf2", "hunter2",
                     "$7$101$wZwirFyCzxWUZPKO$OZ993Y6sn/"
                     "2YvqQJH77EczI9Gzgo/MOtxk51DFsnZWI+D3FMEUlylIgtN1ZNpqYmTPtxtyUIJn5Gu8fSoTDGmQ=="}),
    [](const auto& each) { return std::string(each.param.form); });

TEST(password, refuses_a_nul_that_crypt_would_stop_at) {
  const std::string bcrypt = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
  EXPECT_FALSE(verify_password(std::string("U*U\0more", 8), bcrypt));
}

// Any one of these would take seconds to hours, or gigabytes.
TEST(password, refuses_absurd_costs_at_once) {
  const auto started = std::chrono::steady_clock::now();
  const char* const table[] = {
      "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
      "$argon2id$v=19$m=256,t=4294967295,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
      "$argon2id$v=19$m=262144,t=60,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
      "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
      "$y$jFT$LdJMENpBABJJ3hIHjB1Bi.$LOFz5qVpaHYHlkfy7RM1hH9gRBSqy5mk4KRmFVRFKM4",
      "$6$rounds=999999999$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/"
      "O817G3uBnIFNJnQJuesI68u4OTLiBFdcbYEdF",
      "$7$4000000000$wZwirFyCzxWUZPKO$OZ993Y6sn/2YvqQJH77EczI9Gzgo/"
      "MOtxk51DFsnZWI+D3FMEUlylIgtN1ZNpqYmTPtxtyUIJn5Gu8fSoTDGmQ==",
  };
  for (const char* hash : table) EXPECT_FALSE(verify_password("password", hash)) << hash;
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(1));
}

TEST(password, refuses_forms_it_does_not_know) {
  const char* const table[] = {
      "",
      "$",
      "$$$",
      "password",
      "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
      "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
      "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
      "$argon2id$v=20$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
      "$argon2id$v=19$m=256,t=2,p=1,x=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
      "$argon2id$v=19$t=2,m=256,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
      "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$",
      "$argon2id$v=19$m=256,t=2,p=1$$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
      "$argon2id$v=19$m=0,t=0,p=0$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
      "$6$==",
      "$7$==",
      "$7$0$wZwirFyCzxWUZPKO$OZ993Y6sn/"
      "2YvqQJH77EczI9Gzgo/MOtxk51DFsnZWI+D3FMEUlylIgtN1ZNpqYmTPtxtyUIJn5Gu8fSoTDGmQ==",
      "$7$101$$OZ993Y6sn/2YvqQJH77EczI9Gzgo/MOtxk51DFsnZWI+D3FMEUlylIgtN1ZNpqYmTPtxtyUIJn5Gu8fSoTDGmQ==",
  };
  for (const char* hash : table) EXPECT_FALSE(verify_password("password", hash)) << hash;
}

}  // namespace
}  // namespace restante
