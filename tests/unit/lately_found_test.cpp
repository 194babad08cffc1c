#include "core/lately_found.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace restante {
namespace {

TEST(lately_found, has_nothing_at_first_and_after_it_forgot) {
  lately_found<std::string> lately;
  std::string anna = "anna";
  EXPECT_EQ(lately.at(anna), nullptr);
  lately.at(anna) = &anna;
  EXPECT_EQ(lately.at("anna"), &anna);
  lately.forget_all();
  EXPECT_EQ(lately.at("anna"), nullptr);
}

TEST(lately_found, takes_names_of_any_length) {
  lately_found<std::string> lately;
  for (std::size_t length = 0; length < 70; ++length) {
    std::string name(length, 'x');
    lately.at(name) = &name;
    EXPECT_EQ(lately.at(std::string(length, 'x')), &name) << length;
  }
}

TEST(lately_found, keeps_most_of_a_few_dozen_names_apart) {
  lately_found<std::string> lately;
  std::vector<std::string> names;
  for (int i = 0; i < 50; ++i) names.push_back("client" + std::to_string(i));
  for (auto& each : names) lately.at(each) = &each;
  int found = 0;
  for (auto& each : names) found += lately.at(each) == &each;
  EXPECT_GE(found, 40);
}

}  // namespace
}  // namespace restante
