#include "bridge/targets/stream_id.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

#include "core/names.h"

namespace restante {
namespace {

TEST(an_id_for_stream, leaves_names_as_they_are_that_stream_takes) {
  for (const char* name : {"anna", "Anna_B-2", "3f0b1c1e-8f0b-4c1c-9a3d-0d3c2b1a0f99"})
    EXPECT_EQ(stream_id(name), name);
}

TEST(an_id_for_stream, writes_what_stream_does_not_take_in_its_alphabet) {
  EXPECT_EQ(stream_id("anna@example.org"), "anna@@example@dorg");
  EXPECT_EQ(stream_id("urn:a=b"), "urn@ca@eb");
}

TEST(an_id_for_stream, is_that_of_one_account_only_and_leads_back_to_it) {
  const std::string alphabet = "AZaz09._@:=-dce";
  std::mt19937 random(1);
  std::set<std::string> names, ids;
  for (int i = 0; i < 100'000; ++i) {
    std::string name;
    for (auto left = 1 + random() % (i % 2 == 0 ? 4 : 64); left > 0; --left)
      name += alphabet[random() % alphabet.size()];
    const auto id = stream_id(name);
    ASSERT_EQ(id.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-@"),
              std::string::npos);
    ASSERT_LE(id.size(), longest_stream_id_bytes);
    ASSERT_EQ(account_of_stream_id(id), name);
    names.insert(name);
    ids.insert(id);
  }
  EXPECT_EQ(names.size(), ids.size());
}

TEST(an_id_for_stream, that_no_account_has_leads_to_none) {
  for (const char* id : {"", "@", "a@", "a@x", "a.b", "a:b", "a=b", "@D", "a b", "a|b"}) {
    EXPECT_EQ(account_of_stream_id(id), std::nullopt) << id;
  }
  EXPECT_EQ(account_of_stream_id(std::string(65, 'a')), std::nullopt);
}

}  // namespace
}  // namespace restante
