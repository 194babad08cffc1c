#include "core/filter.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace restante {
namespace {

TEST(filter, matches_as_the_table_says) {
  const struct {
    std::string_view filter, topic;
    bool expected;
  } table[] = {
      // filter            topic                          hears
      {"a", "a", true},
      {"a", "b", false},
      {"a", "A", false},
      {"a", "a/b", false},
      {"a", "ab", false},
      {"ab", "a", false},
      {"a/b", "a", false},
      {"a/b/c", "a/b/c", true},
      // `#`: any number of levels, its parent too
      {"#", "a", true},
      {"#", "a/b/c", true},
      {"#", "/", true},
      {"a/#", "a", true},
      {"a/#", "a/", true},
      {"a/#", "a/b/c", true},
      {"a/#", "ab", false},
      {"a/#", "b", false},
      {"a/b/#", "a", false},
      {"sport/tennis/player1/#", "sport/tennis/player1", true},
      {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
      {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
      // `+`: exactly one level
      {"+", "a", true},
      {"+", "a/b", false},
      {"+", "/", false},
      {"+", "/a", false},
      {"a/+", "a", false},
      {"a/+", "a/", true},
      {"a/+", "a/b", true},
      {"a/+", "a/b/c", false},
      {"+/b/+", "a/b/c", true},
      {"+/b/+", "a/c/c", false},
      {"sport/+/player1", "sport/tennis/player1", true},
      {"+/tennis/#", "sport/tennis", true},
      {"+/#", "a", true},
      {"a/+/#", "a", false},
      {"a/+/#", "a/b", true},
      // empty levels are levels
      {"/", "/", true},
      {"/a", "/a", true},
      {"/a", "a", false},
      {"a", "/a", false},
      {"/+", "/a", true},
      {"/+", "/", true},
      {"+/+", "/a", true},
      {"+/+", "/", true},
      {"/#", "/a/b", true},
      {"/#", "a", false},
      {"a//b", "a//b", true},
      {"a//b", "a/b", false},
      {"a/+/b", "a//b", true},
      {"a/", "a", false},
      {"a/", "a/", true},
      {"//", "//", true},
      {"+/+", "//", false},
      // `$` in front is not heard by a wildcard in front
      {"#", "$SYS/uptime", false},
      {"+/uptime", "$SYS/uptime", false},
      {"+/#", "$SYS", false},
      {"#", "$", false},
      {"$SYS/#", "$SYS/uptime", true},
      {"$SYS/#", "$SYS", true},
      {"$SYS/+", "$SYS/uptime", true},
      {"a/#", "a/$SYS", true},
      {"a/+", "a/$SYS", true},
      {"/#", "/$SYS", true},
      {"+/$SYS", "a/$SYS", true},
      // Unicode is compared byte by byte
      {"\xC3\xA9/+", "\xC3\xA9/\xE2\x82\xAC", true},
      {"\xC3\xA9", "e", false},
      {"a b/ c", "a b/ c", true},
  };
  for (const auto& [filter, topic, expected] : table) {
    ASSERT_TRUE(is_filter(filter)) << filter;
    ASSERT_TRUE(is_topic(topic)) << topic;
    EXPECT_EQ(filter_matches(filter, topic), expected) << filter << " | " << topic;
  }
}

TEST(filter, is_well_formed_or_not) {
  for (const auto* good :
       {"a",   "/",  "//",   "a/b",   "/a",     "a/", "a//b",      "#",          "+", "+/+",   "a/#",
        "+/#", "/#", "/+/#", "a/+/b", "$SYS/#", "$",  "$shared/a", "a/$share/b", " ", "%u/%c", "a\tb"}) {
    EXPECT_TRUE(is_filter(good)) << good;
  }
  for (const auto* bad : {"",   "a#",  "#a",     "#/a",     "a/#/b",    "##",         "a/b#",
                          "a+", "+a",  "a/+b",   "a/b+/c",  "++",       "+#",         "#+",
                          "#/", "#/#", "$share", "$share/", "$share/g", "$share/g/a", "$share/g/#"}) {
    EXPECT_FALSE(is_filter(bad)) << bad;
  }
}

TEST(topic, has_no_wildcard) {
  for (const auto* good : {"a", "/", "a/b", "a//b", "$SYS/x", "$share/g/a", " "})
    EXPECT_TRUE(is_topic(good)) << good;
  for (const auto* bad : {"", "#", "+", "a/#", "a/+/b", "a+b", "a#"}) EXPECT_FALSE(is_topic(bad)) << bad;
}

TEST(topic, is_utf8_without_nul) {
  const std::string_view good[] = {
      "\x7F",
      "\xC2\x80",          // U+0080
      "\xDF\xBF",          // U+07FF
      "\xE0\xA0\x80",      // U+0800
      "\xED\x9F\xBF",      // U+D7FF
      "\xEE\x80\x80",      // U+E000
      "\xEF\xBB\xBF",      // U+FEFF
      "\xF0\x90\x80\x80",  // U+10000
      "\xF4\x8F\xBF\xBF",  // U+10FFFF
  };
  for (const auto text : good) {
    EXPECT_TRUE(is_topic(text)) << testing::PrintToString(text);
    EXPECT_TRUE(is_filter(text)) << testing::PrintToString(text);
  }
  const std::string_view bad[] = {
      {"\0", 1},
      {"a\0b", 3},
      "\x80",  // begins with a continuation
      "\xBF",
      "\xC0\x80",  // overlong NUL
      "\xC0\xAF",  // overlong `/`
      "\xC1\xBF",
      "\xE0\x80\xAF",  // overlong
      "\xE0\x9F\xBF",
      "\xF0\x80\x80\xAF",
      "\xF0\x8F\xBF\xBF",
      "\xED\xA0\x80",  // surrogates
      "\xED\xBF\xBF",
      "\xF4\x90\x80\x80",  // beyond U+10FFFF
      "\xF5\x80\x80\x80",
      "\xFE",
      "\xFF",
      "\xC3",  // cut off
      "\xE2\x82",
      "\xF0\x9F\x98",
      "\xC3/",
      "\xE2\x82/",
      "\xF0\x9F\x98/",
      "a/\xC3\x28/b",
  };
  for (const auto text : bad) {
    EXPECT_FALSE(is_topic(text)) << testing::PrintToString(text);
    EXPECT_FALSE(is_filter(text)) << testing::PrintToString(text);
  }
}

TEST(topic, ends_after_65535_bytes) {
  EXPECT_TRUE(is_topic(std::string(65'535, 'a')));
  EXPECT_FALSE(is_topic(std::string(65'536, 'a')));
  EXPECT_TRUE(is_filter(std::string(65'535, '/')));
  EXPECT_FALSE(is_filter(std::string(65'536, '/')));
}

TEST(filter, covers_as_the_table_says) {
  const struct {
    std::string_view wide, narrow;
    bool expected;
  } table[] = {
      {"a", "a", true},
      {"#", "a/b", true},
      {"#", "+/+", true},
      {"#", "#", true},
      {"+/#", "#", true},
      {"#", "+/#", true},
      {"a/#", "a", true},
      {"a/#", "a/+/c", true},
      {"a/+", "a/#", false},
      {"a/+/#", "a/#", false},
      {"a/#", "a/+/#", true},
      {"+", "#", false},
      {"+/b", "a/b", true},
      {"a/b", "+/b", false},
      {"a/b", "a/#", false},
      {"direct/alice/#", "direct/+/#", false},
      {"direct/alice/#", "direct/alice/+/1", true},
      {"#", "$SYS/#", false},
      {"+/a", "$SYS/a", false},
      {"$SYS/#", "$SYS/a", true},
      {"/+/#", "/#", true},  // both: every topic that begins with `/`
      {"+/+/#", "/#", true},
  };
  for (const auto& [wide, narrow, expected] : table) {
    EXPECT_EQ(filter_covers(wide, narrow), expected) << wide << " | " << narrow;
  }
}

TEST(filter, overlaps_as_the_table_says) {
  const struct {
    std::string_view one, other;
    bool expected;
  } table[] = {
      {"a", "a", true},
      {"a", "b", false},
      {"a/+", "+/b", true},
      {"a/+", "+/b/c", false},
      {"a/#", "a", true},
      {"a/#", "+", true},
      {"#", "direct/#", true},
      {"+/alice/#", "direct/#", true},
      {"+/x", "site/direct/#", false},
      {"#", "$SYS/#", false},
      {"$SYS/+", "$SYS/a", true},
      {"+", "/#", false},  // would meet at the empty topic only
      {"/#", "/#", true},
  };
  for (const auto& [one, other, expected] : table) {
    EXPECT_EQ(filters_overlap(one, other), expected) << one << " | " << other;
    EXPECT_EQ(filters_overlap(other, one), expected) << other << " | " << one;
  }
}

// A second, plain reading of MQTT 4.7 to compare with.
using text_levels = std::vector<std::string>;

text_levels split(std::string_view text) {
  text_levels levels(1);
  for (const char c : text) {
    if (c == '/') {
      levels.emplace_back();
    } else {
      levels.back() += c;
    }
  }
  return levels;
}

bool matches_from(const text_levels& filter, std::size_t i, const text_levels& topic, std::size_t j) {
  if (i == filter.size()) return j == topic.size();
  if (filter[i] == "#") return true;
  if (j == topic.size()) return false;
  return (filter[i] == "+" || filter[i] == topic[j]) && matches_from(filter, i + 1, topic, j + 1);
}

bool plain_matches(std::string_view filter, std::string_view topic) {
  if (topic[0] == '$' && (filter[0] == '+' || filter[0] == '#')) return false;
  return matches_from(split(filter), 0, split(topic), 0);
}

TEST(filter, agrees_with_a_plain_reading_on_random_topics) {
  std::mt19937 random(20'240'917);
  const std::string_view literals[] = {"", "a", "b", "ab", "$a", "\xC3\xA9"};
  const auto some_text = [&](bool with_wildcards) {
    std::string text;
    const auto levels = 1 + random() % 5;
    for (std::size_t i = 0; i < levels; ++i) {
      if (i > 0) text += '/';
      const auto kind = with_wildcards ? random() % 10 : 9;
      if (kind == 0) return text + "#";
      text += kind < 4 ? "+" : literals[random() % std::size(literals)];
    }
    return text;
  };
  int heard = 0;
  for (int i = 0; i < 200'000; ++i) {
    const auto filter = some_text(true);
    const auto topic = some_text(false);
    if (filter.empty() || topic.empty()) continue;
    ASSERT_TRUE(is_filter(filter)) << filter;
    ASSERT_TRUE(is_topic(topic)) << topic;
    const bool expected = plain_matches(filter, topic);
    ASSERT_EQ(filter_matches(filter, topic), expected) << filter << " | " << topic;
    heard += expected ? 1 : 0;
  }
  EXPECT_GT(heard, 10'000);  // else the comparison says little
}

// Every text of 1 to `deepest` levels out of `words`, without the empty one.
std::vector<std::string> every_text(const std::vector<std::string>& words, std::size_t deepest) {
  std::vector<std::string> all;
  std::vector<std::string> last = {""};
  for (std::size_t depth = 1; depth <= deepest; ++depth) {
    std::vector<std::string> longer;
    for (const auto& begin : last) {
      for (const auto& word : words) longer.push_back(depth == 1 ? word : begin + "/" + word);
    }
    for (const auto& text : longer) {
      if (!text.empty()) all.push_back(text);
    }
    last = std::move(longer);
  }
  return all;
}

TEST(filter, covering_and_overlapping_agree_with_trying_every_topic) {
  std::vector<std::string> filters;
  for (auto& text : every_text({"", "a", "$a", "+", "#"}, 3)) {
    if (is_filter(text)) filters.push_back(std::move(text));
  }
  // One level deeper than the filters, and with a word of which no filter speaks.
  const auto topics = every_text({"", "a", "$a", "other"}, 4);
  std::vector<std::vector<bool>> hears;
  for (const auto& filter : filters) {
    auto& heard = hears.emplace_back();
    for (const auto& topic : topics) heard.push_back(plain_matches(filter, topic));
  }
  ASSERT_GT(filters.size(), 90U);
  for (std::size_t i = 0; i < filters.size(); ++i) {
    for (std::size_t j = 0; j < filters.size(); ++j) {
      bool covers = true;
      bool overlap = false;
      for (std::size_t topic = 0; topic < topics.size(); ++topic) {
        covers = covers && (hears[i][topic] || !hears[j][topic]);
        overlap = overlap || (hears[i][topic] && hears[j][topic]);
      }
      ASSERT_EQ(filter_covers(filters[i], filters[j]), covers) << filters[i] << " | " << filters[j];
      ASSERT_EQ(filters_overlap(filters[i], filters[j]), overlap) << filters[i] << " | " << filters[j];
    }
  }
}

}  // namespace
}  // namespace restante
