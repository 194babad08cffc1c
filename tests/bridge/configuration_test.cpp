// bridge/configuration: what is taken, what is refused, and in what words.
#include "bridge/configuration/configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "support/temporary_directory.h"

namespace restante {
namespace {

using testing::HasSubstr;
using testing::Not;

class configured : public testing::Test {
 protected:
  std::variant<configuration, configuration_error> read(const std::string& toml,
                                                        const environment_variables& environment = {}) {
    support::write_file(file(), toml);
    return read_configuration(file(), environment);
  }
  configuration accepted(const std::string& toml, const environment_variables& environment = {}) {
    auto got = read(toml, environment);
    if (const auto* wrong = std::get_if<configuration_error>(&got)) {
      ADD_FAILURE() << wrong->line;
      return {};
    }
    return std::get<configuration>(std::move(got));
  }
  std::string refused(const std::string& toml, const environment_variables& environment = {}) {
    auto got = read(toml, environment);
    if (const auto* wrong = std::get_if<configuration_error>(&got)) {
      EXPECT_THAT(wrong->line, Not(HasSubstr("\n")));
      return wrong->line;
    }
    ADD_FAILURE() << "accepted";
    return {};
  }
  std::filesystem::path file() const { return directory_.path() / "bridge.toml"; }
  std::string secret_file(const std::string& text,
                          std::filesystem::perms mode = std::filesystem::perms(0600)) {
    const auto path = directory_.path() / "secret";
    support::write_file(path, text);
    std::filesystem::permissions(path, mode);
    return path.string();
  }

  support::temporary_directory directory_;
};

TEST_F(configured, by_the_example_is_as_by_nothing) {
  const auto example = read_configuration(RESTANTE_EXAMPLE_CONFIGURATION, {});
  ASSERT_TRUE(std::holds_alternative<configuration>(example)) << std::get<configuration_error>(example).line;
  EXPECT_EQ(std::get<configuration>(example), configuration{});
  EXPECT_EQ(accepted(""), configuration{});
}

TEST_F(configured, by_an_example_that_names_every_option_with_its_help) {
  const std::string text = support::read_file(RESTANTE_EXAMPLE_CONFIGURATION);
  for (const configuration_help& each : describe_configuration()) {
    const std::string key = each.name.substr(each.name.find('.') + 1);
    if (each.is_secret) {
      EXPECT_THAT(text, Not(HasSubstr("\n" + key + " ="))) << each.name;
    } else {
      EXPECT_THAT(text, HasSubstr("# " + std::string(each.help) + "\n" + key + " =")) << each.name;
    }
  }
}

TEST_F(configured, by_defaults_that_are_within_their_own_bounds) {
  for (const configuration_help& each : describe_configuration()) {
    if (each.is_secret || each.default_text.empty()) continue;
    EXPECT_EQ(accepted("", {{each.environment_name, each.default_text}}), configuration{}) << each.name;
  }
}

TEST_F(configured, by_a_file) {
  const auto read = accepted(R"(
    database = "dbname=restante"
    [mqtt]
    uri = "mqtts://mail.example:8883"
    services = ["profile"]
    [stream]
    write = "patch"
    owned = ["name", "level"]
    token_lifetime = "90m"
    token_longest = "2d"
    [sync]
    held = 500
    request_timeout = "1500ms")");
  EXPECT_EQ(read.database, "dbname=restante");
  EXPECT_EQ(read.mqtt_uri, "mqtts://mail.example:8883");
  EXPECT_THAT(read.mqtt_services, testing::ElementsAre("profile"));
  EXPECT_THAT(read.stream_owned, testing::ElementsAre("name", "level"));
  EXPECT_EQ(read.stream_token_lifetime_ms, 5'400'000);
  EXPECT_EQ(read.sync_held, 500);
  EXPECT_EQ(read.sync_request_timeout_ms, 1'500);
}

TEST_F(configured, by_the_environment_before_the_file) {
  const auto read = accepted("[stream]\napi_key = \"file\"\nbase_url = \"https://file\"",
                             {{"STREAM_API_KEY", "theirs"},
                              {"STREAM_API_SECRET", "secret"},
                              {"STREAM_BASE_URL", ""},
                              {"RESTANTE_STREAM_API_KEY", "ours"},
                              {"RESTANTE_MQTT_URI", ""},
                              {"RESTANTE_MQTT_SERVICES", "stream-token,profile"},
                              {"RESTANTE_SYNC_HELD", "300"}});
  EXPECT_EQ(read.stream_api_key, "ours");
  EXPECT_EQ(read.stream_api_secret, "secret");
  EXPECT_EQ(read.stream_base_url, "https://file");
  EXPECT_EQ(read.mqtt_uri, "");
  EXPECT_THAT(read.mqtt_services, testing::ElementsAre("stream-token", "profile"));
  EXPECT_EQ(read.sync_held, 300);
}

TEST_F(configured, by_no_key_that_is_unknown) {
  EXPECT_EQ(refused("[stream]\n\napi_kez = \"x\""), file().string() + ":3: unknown option stream.api_kez");
  EXPECT_THAT(refused("stram = {}"), HasSubstr("unknown option stram"));
  EXPECT_THAT(refused("", {{"RESTANTE_STREAM_API_KEZ", "x"}}), HasSubstr("RESTANTE_STREAM_API_KEZ"));
  accepted("", {{"RESTANTE_LONG", "1"}, {"RESTANTE_DATABASE", "dbname=x"}});
}

TEST_F(configured, by_no_value_that_is_out_of_bounds_or_of_another_type) {
  for (const std::string line : {"sync.held = 99",
                                 "sync.held = 100001",
                                 "sync.held = \"200\"",
                                 "sync.held = 2e2",
                                 "sync.lease = 60",
                                 "sync.lease = \"9s\"",
                                 "sync.lease = \"2\"",
                                 "sync.lease = \"-2m\"",
                                 "sync.lease = \"99999999999999999999d\"",
                                 "stream.write = \"both\"",
                                 "stream.base_url = \"ftp://x\"",
                                 "stream.base_url = \"\"",
                                 "stream.base_url = \"https://u:p@x\"",
                                 "mqtt.account = \"a/b\"",
                                 "mqtt.topic_prefix = \"a/#\"",
                                 "mqtt.ca_file = \"relative\"",
                                 "mqtt.services = []",
                                 "mqtt.services = [\"profile\", \"profile\"]",
                                 "mqtt.services = [\"mail\"]",
                                 "mqtt.services = [1]",
                                 "mqtt.services = \"profile\"",
                                 "observe.listen = \"9469\"",
                                 "observe.listen = \"x:70000\"",
                                 "name = true",
                                 "database = \"\""}) {
    const std::string said = refused(line);
    EXPECT_THAT(said, HasSubstr(":1: " + line.substr(0, line.find(' ')) + ": "));
    EXPECT_THAT(said, HasSubstr("is not accepted; give "));
  }
}

TEST_F(configured, by_no_text_that_is_no_toml) {
  EXPECT_EQ(refused("[stream]\napi_secret = hunter2"), file().string() + ":2: this is no TOML");
  EXPECT_THAT(refused("name = \"a\"\nname = \"b\""), HasSubstr("this is no TOML"));
  const auto missing = read_configuration("/nowhere/bridge.toml", {});
  EXPECT_THAT(std::get<configuration_error>(missing).line, HasSubstr("cannot be read"));
}

TEST_F(configured, by_no_secret_in_the_file) {
  const std::string said = refused("[stream]\napi_secret = \"hunter2\"");
  EXPECT_THAT(said, HasSubstr("stream.api_secret: a secret does not stand in this file"));
  EXPECT_THAT(said, Not(HasSubstr("hunter2")));
}

TEST_F(configured, by_a_file_of_the_secret_that_others_cannot_read) {
  const std::string toml = "stream.api_key = \"k\"\nstream.api_secret_file = \"";
  EXPECT_EQ(accepted(toml + secret_file("hunter2\n") + "\"").stream_api_secret, "hunter2");
  EXPECT_EQ(accepted(toml + secret_file("hunter2", std::filesystem::perms(0640)) + "\"").stream_api_secret,
            "hunter2");
  EXPECT_THAT(refused(toml + secret_file("hunter2", std::filesystem::perms(0644)) + "\""),
              HasSubstr("chmod 600"));
  EXPECT_THAT(refused(toml + secret_file("hunter2", std::filesystem::perms(0660)) + "\""),
              HasSubstr("chmod 600"));
  EXPECT_THAT(refused(toml + secret_file("\n") + "\""), HasSubstr("first line"));
  EXPECT_THAT(refused(toml + directory_.path().string() + "\""), HasSubstr("no regular file"));
  EXPECT_THAT(refused(toml + "/nowhere\""), HasSubstr("cannot be read"));
}

TEST_F(configured, by_nothing_that_contradicts_itself) {
  EXPECT_THAT(refused("stream.api_key = \"k\""), HasSubstr("STREAM_API_SECRET"));
  EXPECT_THAT(refused("", {{"STREAM_API_SECRET", "s"}}), HasSubstr("STREAM_API_KEY"));
  EXPECT_THAT(refused("webhook.url = \"https://x\""), HasSubstr("RESTANTE_WEBHOOK_SECRET"));
  EXPECT_THAT(refused("mqtt.key_file = \"/k\""), HasSubstr("go together"));
  EXPECT_THAT(refused("stream.owned = [\"name\"]"), HasSubstr("patch"));
  EXPECT_THAT(refused("stream.write = \"patch\""), HasSubstr("stream.owned"));
  EXPECT_THAT(refused("sync.lease = \"60s\""), HasSubstr("more than twice"));
  EXPECT_THAT(refused("stream.token_lifetime = \"25h\""), HasSubstr("token_longest"));
  EXPECT_THAT(refused("mqtt.uri = \"\""), HasSubstr("nothing to do"));
}

TEST_F(configured, without_saying_secrets_when_they_are_refused) {
  const std::string secret = "hunter2-" + std::string(2'000, 'x');
  EXPECT_THAT(refused("", {{"STREAM_API_SECRET", secret}}), Not(HasSubstr("hunter2")));
  EXPECT_THAT(refused("database = \"" + std::string("password=hunter2 ") + std::string(9'000, 'x') + "\""),
              Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace restante
