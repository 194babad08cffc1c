// bridge/observe: what operators see.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bridge/http/curl_transport.h"
#include "bridge/observe/bridge_metrics.h"
#include "bridge/observe/observe_server.h"
#include "bridge/observe/structured_log.h"
#include "support/eventually.h"
#include "support/failure.h"

namespace restante {
namespace {

using testing::HasSubstr;

std::string line(log_format format, std::vector<bridge_log::field> fields,
                 std::vector<std::string> secrets = {}) {
  return structured_log::format_line(format, "happened", fields, secrets);
}

TEST(structured_log, quotes_what_could_forge_a_line) {
  EXPECT_EQ(
      line(log_format::logfmt, {{"a", "bare-1.2/3"}, {"b", "two words"}, {"c", ""}, {"d", "x\nevent=fake"}}),
      R"(event=happened a=bare-1.2/3 b="two words" c="" d="x\nevent=fake")");
  EXPECT_EQ(line(log_format::json, {{"a", "x\"\n\xff"}}),
            "\"event\":\"happened\",\"a\":\"x\\\"\\n\xef\xbf\xbd\"");
}

TEST(structured_log, strikes_out_secrets_wherever_they_stand) {
  for (const log_format format : {log_format::logfmt, log_format::json}) {
    const std::string said = line(format, {{"url", "https://x/?s=hunter2&t=hunter2"}}, {"hunter2", ""});
    EXPECT_THAT(said, testing::Not(HasSubstr("hunter2")));
    EXPECT_THAT(said, HasSubstr("[secret]"));
  }
}

http_response get(const observe_server& from, const std::string& path) {
  curl_transport by({});
  by.send(1, {.url = "http://127.0.0.1:" + std::to_string(from.port()) + path});
  const auto answers = by.wait(support::patience);
  if (answers.size() != 1) throw support::failure("no answer");
  return answers[0].response;
}

TEST(observe_server, gives_metrics_for_prometheus) {
  bridge_metrics metrics("1.2.3");
  sync_observer& stream = metrics.observer("stream");
  stream.requested("UpdateUsers", "ok", 0.2);
  stream.requested("UpdateUsers", "rate_limited", 0.1);
  stream.budget("UpdateUsers", 300, 299);
  stream.settled(sync_result::synced, false);
  stream.settled(sync_result::synced, true);
  stream.available(false);
  metrics.backlog("stream", 7, 12.5, 2, 1);
  metrics.database_reachable(true);
  metrics.served("profile", "answered");
  const observe_server server(
      "127.0.0.1:0", [&] { return metrics.text(); }, [] { return std::vector<health_problem>(); });
  const auto got = get(server, "/metrics");
  EXPECT_EQ(got.status, 200);
  EXPECT_THAT(std::string(got.header("content-type").value_or("")), testing::StartsWith("text/plain"));
  for (const std::string expected :
       {R"(restante_bridge_requests_total{operation="UpdateUsers",outcome="ok",target="stream"} 1)",
        R"(restante_bridge_requests_total{operation="UpdateUsers",outcome="rate_limited",target="stream"} 1)",
        R"(restante_bridge_request_seconds_count{operation="UpdateUsers",target="stream"} 2)",
        R"(restante_bridge_rate_limit{operation="UpdateUsers",target="stream"} 300)",
        R"(restante_bridge_rate_limit_remaining{operation="UpdateUsers",target="stream"} 299)",
        R"(restante_bridge_profiles_total{request="none",result="synced",target="stream"} 1)",
        R"(restante_bridge_sync_waiting{target="stream"} 7)",
        R"(restante_bridge_sync_oldest_waiting_seconds{target="stream"} 12.5)",
        R"(restante_bridge_sync_refused_accounts{state="parked",target="stream"} 2)",
        R"(restante_bridge_sync_refused_accounts{state="gone",target="stream"} 1)",
        R"(restante_bridge_target_available{target="stream"} 0)", R"(restante_bridge_database_reachable 1)",
        R"(restante_bridge_service_requests_total{outcome="answered",service="profile"} 1)",
        R"(restante_bridge_build_info{version="1.2.3"} 1)"}) {
    EXPECT_THAT(got.body, HasSubstr(expected));
  }
  EXPECT_FALSE(metrics.is_available("stream"));
}

TEST(observe_server, says_whether_all_is_well_and_what_is_not) {
  std::vector<health_problem> problems;
  const observe_server server(
      "127.0.0.1:0", [] { return std::string(); }, [&] { return problems; });
  EXPECT_EQ(get(server, "/healthz").status, 200);
  EXPECT_EQ(get(server, "/healthz").body, "{\"status\":\"good\",\"problems\":[]}\n");
  problems = {{"database", "cannot be \"reached\""}};
  const auto bad = get(server, "/healthz");
  EXPECT_EQ(bad.status, 503);
  EXPECT_EQ(bad.body,
            "{\"status\":\"bad\",\"problems\":[{\"part\":\"database\",\"problem\":\"cannot be "
            "\\\"reached\\\"\"}]}\n");
  EXPECT_EQ(get(server, "/").status, 404);
}

TEST(observe_server, does_not_start_where_another_listens) {
  const auto nothing = [] { return std::string(); };
  const auto healthy = [] { return std::vector<health_problem>(); };
  const observe_server first("127.0.0.1:0", nothing, healthy);
  EXPECT_THROW(observe_server("127.0.0.1:" + std::to_string(first.port()), nothing, healthy),
               std::runtime_error);
  EXPECT_THROW(observe_server("192.0.2.1:9", nothing, healthy), std::runtime_error);
}

}  // namespace
}  // namespace restante
