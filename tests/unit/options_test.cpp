#include "core/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace restante {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using given_option = std::pair<std::string_view, std::string_view>;

options parsed(std::initializer_list<given_option> given) {
  const std::vector<given_option> list(given);
  auto result = parse_options(list);
  if (auto* good = std::get_if<options>(&result)) return *good;
  ADD_FAILURE() << std::get<option_error>(result).line;
  return {};
}

std::string error(std::initializer_list<given_option> given) {
  const std::vector<given_option> list(given);
  const auto result = parse_options(list);
  if (const auto* bad = std::get_if<option_error>(&result)) return bad->line;
  return "accepted";
}

TEST(options, are_the_defaults_when_none_is_given) { EXPECT_EQ(parsed({}), options{}); }

TEST(options, are_the_defaults_when_the_defaults_are_written_out) {
  for (const auto& each : describe_options()) {
    EXPECT_EQ(parsed({{each.name, each.default_text}}), options{}) << each.name;
  }
}

TEST(options, are_all_described) {
  std::vector<std::string> names;
  for (const auto& each : describe_options()) {
    names.emplace_back(each.name);
    EXPECT_FALSE(each.help.empty()) << each.name;
    EXPECT_FALSE(each.accepted.empty()) << each.name;
  }
  EXPECT_THAT(names,
              ElementsAre("database", "journal", "journal_sync", "journal_limit", "retention", "dead_letter",
                          "ack", "window", "window_bytes", "linger", "dedupe", "topic_prefix", "max_payload",
                          "publish_rate", "sender_limit", "mailbox_limit", "group_limit"));
}

TEST(options, reach_their_own_places) {
  const auto values = parsed({{"database", "host=/run/db dbname=mail"},
                              {"journal", "/srv/journal"},
                              {"journal_sync", "always"},
                              {"journal_limit", "1GB"},
                              {"retention", "2h"},
                              {"dead_letter", "3m"},
                              {"ack", "receipt"},
                              {"window", "7"},
                              {"window_bytes", "64KB"},
                              {"linger", "0"},
                              {"dedupe", "90s"},
                              {"topic_prefix", "site/one"},
                              {"max_payload", "100B"},
                              {"publish_rate", "50"},
                              {"sender_limit", "11"},
                              {"mailbox_limit", "12"},
                              {"group_limit", "13"}});
  options expected;
  expected.database = "host=/run/db dbname=mail";
  expected.journal = "/srv/journal";
  expected.journal_sync_us = 0;
  expected.journal_limit_bytes = 1'073'741'824;
  expected.retention_us = 7'200'000'000;
  expected.dead_letter_us = 180'000'000;
  expected.acknowledge = acknowledge_mode::receipt;
  expected.window = 7;
  expected.window_bytes = 65'536;
  expected.linger_us = 0;
  expected.dedupe_us = 90'000'000;
  expected.topic_prefix = "site/one";
  expected.max_payload_bytes = 100;
  expected.publish_rate = 50;
  expected.sender_limit = 11;
  expected.mailbox_limit = 12;
  expected.group_limit = 13;
  EXPECT_EQ(values, expected);
}

TEST(options, accept_their_bounds_and_nothing_beyond) {
  const struct {
    std::string_view name;
    std::vector<std::string_view> good, bad;
  } table[] = {
      {"journal_sync", {"1ms", "10s", "always"}, {"999us", "10001ms", "0", "never"}},
      {"journal_limit", {"16MB", "1024GB"}, {"16383KB", "1025GB"}},
      {"retention", {"1s", "1000ms", "3650d"}, {"999ms", "0", "3651d", "30", "forever", "-1d"}},
      {"dead_letter", {"1s", "3650d"}, {"0", "3651d"}},
      {"ack", {"auto", "receipt", "handoff"}, {"", "Auto", "puback", "none"}},
      {"window", {"1", "10000"}, {"0", "10001", "-1", "+1", "1.5", "1e3", "0x10", "", " 1", "1 ", "ten"}},
      {"window_bytes", {"64KB", "65536B", "1GB"}, {"65535B", "1025MB", "4096", "4mb", "4M", "4 MB"}},
      {"linger", {"0", "0ms", "1us", "10s"}, {"11s", "-0", "-1ms", "20", "20 ms", "20msec"}},
      {"dedupe", {"0", "24h", "1d"}, {"25h", "86401s"}},
      {"topic_prefix",
       {"", "a", "a/", "/a", "a/b/c", "\xC3\xA9"},
       {"/", "//", "#", "a/+", "$a", "$SYS/", "a\xFF", std::string_view("a\0", 2)}},
      {"max_payload", {"1B", "256MB"}, {"0", "0B", "257MB", "1GB"}},
      {"publish_rate", {"off", "1", "1000000"}, {"0", "1000001", "on"}},
      {"sender_limit", {"1", "100000000"}, {"0", "100000001", "off"}},
      {"mailbox_limit", {"1", "100000000"}, {"0", "100000001"}},
      {"group_limit", {"1", "100000"}, {"0", "100001"}},
      {"database", {"x", "postgresql://db/mail"}, {""}},
      {"journal", {"/", "/a/b"}, {"", "a/b", "./a"}},
  };
  for (const auto& [name, good, bad] : table) {
    for (const auto value : good) EXPECT_EQ(error({{name, value}}), "accepted") << name << " " << value;
    for (const auto value : bad) EXPECT_NE(error({{name, value}}), "accepted") << name << " " << value;
  }
  EXPECT_EQ(error({{"topic_prefix", std::string(128, 'a')}}), "accepted");
  EXPECT_NE(error({{"topic_prefix", std::string(129, 'a')}}), "accepted");
}

TEST(options, survive_numbers_beyond_64_bits) {
  for (const auto* value : {"99999999999999999999d", "9223372036854775807d", "9223372036854775807GB",
                            "17179869185GB", "18446744073709551617", "-9223372036854775809"}) {
    for (const auto& each : describe_options()) {
      if (each.name == "database") continue;  // any text
      if (each.name == "topic_prefix") continue;
      EXPECT_NE(error({{each.name, value}}), "accepted") << each.name << " " << value;
    }
  }
}

TEST(options, refuse_with_name_value_and_remedy_in_one_line) {
  EXPECT_EQ(error({{"window", "0"}}),
            "option window: '0' is not accepted; give a whole number from 1 to 10000 (default: 200)");
  EXPECT_EQ(error({{"linger", "20"}}),
            "option linger: '20' is not accepted; give a time from 0 to 10s (a whole number and us, ms, s, "
            "m, h or d) "
            "(default: 20ms)");
  EXPECT_EQ(error({{"window_bytes", "1MiB"}}),
            "option window_bytes: '1MiB' is not accepted; give a size from 64KB to 1GB (a whole number and "
            "B, KB, MB or "
            "GB) (default: 4MB)");
  EXPECT_EQ(error({{"publish_rate", "none"}}),
            "option publish_rate: 'none' is not accepted; give `off`, or a whole number from 1 to 1000000 "
            "(default: off)");
  EXPECT_EQ(error({{"ack", "sometimes"}}),
            "option ack: 'sometimes' is not accepted; give auto, receipt or handoff (default: auto)");
  EXPECT_EQ(error({{"topic_prefix", "a/#"}}),
            "option topic_prefix: 'a/#' is not accepted; give topic levels without `+`, `#` or a leading "
            "`$`, at most "
            "128 bytes (default: empty)");
  EXPECT_EQ(error({{"ack", "puback"}}), "ack puback needs Mosquitto 2.1; use auto or receipt");
}

TEST(options, keep_the_log_to_one_line_whatever_the_value) {
  const auto line = error({{"window", "1\n2\x1B[0m" + std::string(1'000, '3')}});
  EXPECT_THAT(line, Not(HasSubstr("\n")));
  EXPECT_THAT(line, Not(HasSubstr("\x1B")));
  EXPECT_LT(line.size(), 300U);
  EXPECT_LT(error({{std::string(60'000, 'w'), "1"}}).size(), 300U);
}

TEST(options, never_show_a_database_password) {
  const auto line = error({{"database", "password=secret " + std::string(8'192, ' ')}});
  EXPECT_THAT(line, HasSubstr("option database: a value of 8208 bytes is not accepted"));
  EXPECT_THAT(line, Not(HasSubstr("secret")));
}

TEST(options, name_the_nearest_when_unknown) {
  EXPECT_THAT(error({{"retnetion", "30d"}}),
              HasSubstr("option retnetion: unknown; the nearest names are retention,"));
  EXPECT_THAT(error({{"windows", "30"}}), HasSubstr("the nearest names are window,"));
  for (const auto* later : {"auth_cache", "client_id_lease", "client_id_prefix", "jwt_key", "login_timeout",
                            "", "Window", "plugin_opt_window"}) {
    EXPECT_THAT(error({{later, "1"}}), HasSubstr("unknown; the nearest names are ")) << later;
  }
}

TEST(options, may_not_be_given_twice) {
  EXPECT_EQ(error({{"window", "5"}, {"linger", "1s"}, {"window", "5"}}),
            "option window: given twice; leave one of the lines");
}

}  // namespace
}  // namespace restante
