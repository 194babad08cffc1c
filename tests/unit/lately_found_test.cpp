#include "core/lately_found.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace restante {
namespace {

struct itself {
  std::string_view operator()(const std::string& name) const { return name; }
};
using names_found = lately_found<std::string, itself>;

TEST(lately_found, has_nothing_at_first_and_after_it_forgot) {
  names_found lately;
  std::string anna = "anna", bert = "bert";
  EXPECT_EQ(lately.find("anna"), nullptr);
  lately.add(anna);
  lately.add(bert);
  EXPECT_EQ(lately.find("anna"), &anna);
  EXPECT_EQ(lately.find("bert"), &bert);
  lately.forget(anna);
  EXPECT_EQ(lately.find("anna"), nullptr);
  EXPECT_EQ(lately.find("bert"), &bert);
  lately.forget_all();
  EXPECT_EQ(lately.find("bert"), nullptr);
}

TEST(lately_found, takes_names_of_any_length) {
  names_found lately;
  for (std::size_t length = 0; length < 70; ++length) {
    std::string name(length, 'x');
    lately.add(name);
    EXPECT_EQ(lately.find(std::string(length, 'x')), &name) << length;
    lately.forget(name);
  }
}

TEST(lately_found, tells_names_apart_that_fall_on_one_place) {
  names_found lately;
  std::string one = "same-end-1-same-end", two = "same-end-2-same-end", three = "same-end-3-same-end";
  lately.add(one);
  EXPECT_EQ(lately.find(two), nullptr);
  lately.add(two);
  EXPECT_EQ(lately.find(one), &one);
  EXPECT_EQ(lately.find(two), &two);
  lately.add(three);
  EXPECT_EQ(lately.find(one), nullptr) << "the older of two";
  EXPECT_EQ(lately.find(two), &two);
  EXPECT_EQ(lately.find(three), &three);
}

TEST(lately_found, keeps_nearly_all_of_a_few_dozen_names_apart) {
  names_found lately;
  std::vector<std::string> names;
  for (int i = 0; i < 50; ++i) names.push_back("client" + std::to_string(i));
  for (auto& each : names) lately.add(each);
  int found = 0;
  for (auto& each : names) found += lately.find(each) == &each;
  EXPECT_GE(found, 48);
}

}  // namespace
}  // namespace restante
