// bridge/http/curl_transport.h against servers that behave well, badly, or not at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bridge/http/curl_transport.h"
#include "bridge/small_http_server.h"
#include "support/eventually.h"
#include "support/free_port.h"
#include "support/process.h"
#include "support/temporary_directory.h"

namespace restante {
namespace {

using namespace std::chrono_literals;
using reply = small_http_server::reply;
using testing::HasSubstr;

http_response ask(curl_transport& by, http_request request) {
  by.send(1, std::move(request));
  const auto answers = by.wait(support::patience);
  if (answers.size() != 1) throw support::failure("no answer");
  return answers[0].response;
}

http_response ask(http_request request, curl_settings settings = {}) {
  curl_transport by(std::move(settings));
  return ask(by, std::move(request));
}

TEST(curl_transport, sends_what_it_is_given_and_brings_back_what_is_answered) {
  small_http_server server([](const std::string&) {
    return reply{.bytes = "HTTP/1.1 429 Too Many\r\nX-RateLimit-Limit:  300 \r\nContent-Length: 2\r\n\r\n{}"};
  });
  const auto got = ask({.method = "PATCH",
                        .url = server.url("/api/v2/users?api_key=k"),
                        .headers = {{"Authorization", "token"}, {"X-Empty", ""}},
                        .body = R"({"users":[]})"});
  EXPECT_EQ(got.failure, http_failure::none);
  EXPECT_EQ(got.status, 429);
  EXPECT_EQ(got.body, "{}");
  EXPECT_EQ(got.header("x-ratelimit-limit"), "300");
  ASSERT_EQ(server.requests().size(), 1u);
  const std::string sent = server.requests()[0];
  EXPECT_THAT(sent, testing::StartsWith("PATCH /api/v2/users?api_key=k HTTP/1.1\r\n"));
  EXPECT_THAT(sent, HasSubstr("\r\nAuthorization: token\r\n"));
  EXPECT_THAT(sent, HasSubstr("\r\nX-Empty:\r\n"));
  EXPECT_THAT(sent, testing::Not(HasSubstr("Expect:")));
  EXPECT_THAT(sent, testing::EndsWith("\r\n\r\n{\"users\":[]}"));
}

TEST(curl_transport, keeps_its_connection_and_uses_it_again) {
  small_http_server server([](const std::string&) { return small_http_server::ok("{}"); });
  curl_transport by({});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(by, {.url = server.url()}).status, 200);
  EXPECT_EQ(server.connections(), 1);
}

TEST(curl_transport, has_several_requests_under_way) {
  small_http_server server([](const std::string& request) {
    if (request.find("/slow") != std::string::npos) return reply{.bytes = {}, .is_silent = true};
    return small_http_server::ok("quick");
  });
  curl_transport by({});
  by.send(1, {.url = server.url("/slow")});
  by.send(2, {.url = server.url("/quick")});
  const auto answers = by.wait(support::patience);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].number, 2u);
  EXPECT_EQ(by.under_way(), 1u);
}

TEST(curl_transport, gives_up_at_the_time_out_of_the_request) {
  small_http_server server([](const std::string&) { return reply{.bytes = {}, .is_silent = true}; });
  const auto got = ask({.url = server.url("/?secret=1"), .timeout = 50ms});
  EXPECT_EQ(got.failure, http_failure::timeout);
  EXPECT_THAT(got.error, testing::StartsWith("127.0.0.1: "));
  EXPECT_THAT(got.error, testing::Not(HasSubstr("secret")));
}

TEST(curl_transport, tells_a_cut_answer_from_a_whole_one) {
  small_http_server server([](const std::string&) {
    return reply{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", .hangs_up = true};
  });
  const auto got = ask({.url = server.url()});
  EXPECT_EQ(got.failure, http_failure::unreachable);
  EXPECT_EQ(got.body, "");
}

TEST(curl_transport, says_when_nobody_listens) {
  const support::free_port port;
  const auto got = ask({.url = "http://127.0.0.1:" + std::to_string(port.number()) + "/?secret=1"});
  EXPECT_EQ(got.failure, http_failure::unreachable);
  EXPECT_THAT(got.error, testing::Not(HasSubstr("secret")));
}

TEST(curl_transport, reads_no_more_of_an_answer_than_it_may) {
  small_http_server server([](const std::string&) { return small_http_server::ok(std::string(5'000, 'x')); });
  const auto got = ask({.url = server.url()}, {.longest_answer_bytes = 4'999});
  EXPECT_EQ(got.failure, http_failure::too_large);
  EXPECT_EQ(ask({.url = server.url()}, {.longest_answer_bytes = 5'000}).body.size(), 5'000u);
}

TEST(curl_transport, follows_no_redirect_and_no_other_protocol) {
  small_http_server server([](const std::string&) {
    return reply{.bytes = "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"};
  });
  EXPECT_EQ(ask({.url = server.url()}).status, 302);
  EXPECT_EQ(server.requests().size(), 1u);
  EXPECT_EQ(ask({.url = "file:///etc/passwd"}).failure, http_failure::unreachable);
}

TEST(curl_transport, goes_by_the_proxy_that_the_environment_names) {
  small_http_server proxy([](const std::string&) { return small_http_server::ok("by proxy"); });
  ASSERT_EQ(setenv("http_proxy", proxy.url().c_str(), 1), 0);
  const auto got = ask({.url = "http://nowhere.invalid/path"});
  unsetenv("http_proxy");
  EXPECT_EQ(got.body, "by proxy");
  EXPECT_THAT(proxy.requests().at(0), testing::StartsWith("GET http://nowhere.invalid/path HTTP/1.1"));
}

TEST(curl_transport, ends_its_wait_when_it_is_woken) {
  curl_transport by({});
  std::thread waking([&] { by.wake(); });
  EXPECT_TRUE(by.wait(support::patience).empty());
  waking.join();
}

class tls : public testing::Test {
 protected:
  tls() {
    const auto file = [this](const char* name) { return (directory_.path() / name).string(); };
    support::run_or_fail(
        {.arguments = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                       "-nodes", "-keyout", file("key"), "-out", file("certificate"), "-days", "2", "-subj",
                       "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"}});
    server_ = std::make_unique<support::process>(
        support::program{.arguments = {"openssl", "s_server", "-accept", std::to_string(port_.number()),
                                       "-cert", file("certificate"), "-key", file("key"), "-www", "-quiet"}});
    support::require_eventually("the TLS server listens", [&] {
      return ask({.url = url("127.0.0.1"), .timeout = 1s}).failure == http_failure::certificate;
    });
  }
  std::string url(const std::string& host) const {
    return "https://" + host + ":" + std::to_string(port_.number()) + "/";
  }
  std::string certificate() const { return (directory_.path() / "certificate").string(); }

  support::temporary_directory directory_;
  support::free_port port_;
  std::unique_ptr<support::process> server_;
};

TEST_F(tls, is_verified_against_the_authorities_of_the_system) {
  EXPECT_EQ(ask({.url = url("localhost")}).failure, http_failure::certificate);
}

TEST_F(tls, is_verified_against_the_authorities_of_a_file) {
  EXPECT_EQ(ask({.url = url("localhost")}, {.ca_file = certificate()}).status, 200);
}

TEST_F(tls, is_for_the_host_that_the_certificate_names_only) {
  EXPECT_EQ(ask({.url = url("127.0.0.1")}, {.ca_file = certificate()}).failure, http_failure::certificate);
}

}  // namespace
}  // namespace restante
