#include "bridge/targets/webhook_target.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <string>

namespace restante {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using kind = sync_step::kind;

class fixed_clock final : public bridge_clock {
 public:
  std::int64_t now_us() const override { return now; }
  std::int64_t steady_us() const override { return now; }
  std::int64_t now = 1'767'225'600'000'000;
};

class a_webhook : public testing::Test {
 protected:
  static webhook_settings settings() {
    webhook_settings given;
    given.url = "https://receiver.test/hook?x=1";
    given.secret = "sixteen characters at least";
    return given;
  }
  sync_item item() const {
    sync_item made;
    made.job.account = "anna@x";
    made.job.wanted.name = "Anna";
    made.job.version = 7;
    made.step = to.next_step(made.job);
    return made;
  }
  static std::string header(const http_request& request, std::string_view name) {
    for (const auto& [key, value] : request.headers) {
      if (key == name) return value;
    }
    return "none";
  }
  answer_kind judged(int status) const {
    http_response response;
    response.status = status;
    const auto one = item();
    return to.judge(0, std::span(&one, 1), response, false).what;
  }

  fixed_clock clock;
  webhook_target to{settings(), clock};
};

TEST_F(a_webhook, tells_the_whole_profile_with_a_signature_over_time_and_body) {
  const auto one = item();
  const auto made = to.request(0, std::span(&one, 1));
  EXPECT_EQ(made.method, "POST");
  EXPECT_EQ(made.url, settings().url);
  EXPECT_EQ(json::parse(made.body),
            json::parse(R"({"account":"anna@x","event":"profile.updated","version":7,"profile":{
    "name":"Anna","image":null,"language":null,"role":null,"teams":[],"custom":{}}})"));
  EXPECT_EQ(header(made, "X-Restante-Timestamp"), "1767225600");
  // printf '1767225600.%s' "$body" | openssl dgst -sha256 -hmac 'sixteen characters at least'
  EXPECT_EQ(header(made, "X-Restante-Signature"),
            "sha256=6dab76620d51b81225849e6f8f4085dc9163789789238c0c8978812b87b06b99");
}

TEST_F(a_webhook, names_a_delivery_the_same_however_often_it_is_repeated) {
  const auto one = item();
  const auto first = to.request(0, std::span(&one, 1));
  clock.now += 1'000'000;
  const auto again = to.request(0, std::span(&one, 1));
  EXPECT_EQ(header(first, "X-Restante-Delivery"), header(again, "X-Restante-Delivery"));
  EXPECT_NE(header(first, "X-Restante-Signature"), header(again, "X-Restante-Signature"));
  auto next = one;
  next.job.version = 8;
  next.step = to.next_step(next.job);
  EXPECT_NE(header(to.request(0, std::span(&next, 1)), "X-Restante-Delivery"),
            header(first, "X-Restante-Delivery"));
}

TEST_F(a_webhook, is_not_told_what_it_knows) {
  auto one = item();
  one.job.remote = one.step.remote;
  one.job.synced_hash = one.step.hash;
  ++one.job.version;
  EXPECT_EQ(to.next_step(one.job).what, kind::none);
  one.job.in_doubt = true;
  EXPECT_EQ(to.next_step(one.job).what, kind::request);
}

TEST_F(a_webhook, hears_of_accounts_that_leave_if_it_knew_them) {
  auto one = item().job;
  one.status = account_status::blocked;
  EXPECT_EQ(to.next_step(one).what, kind::none);
  one.remote = remote_state::active;
  EXPECT_THAT(to.next_step(one).content, HasSubstr("profile.deactivated"));
  one.status = account_status::deleted;
  const auto last = to.next_step(one);
  EXPECT_THAT(last.content, HasSubstr("profile.deleted"));
  EXPECT_EQ(last.remote, remote_state::deleted);
  one.remote = remote_state::deleted;
  EXPECT_EQ(to.next_step(one).what, kind::none);
  one.status = account_status::active;
  EXPECT_EQ(to.next_step(one).what, kind::gone);
}

TEST_F(a_webhook, says_by_its_status_what_is_to_happen) {
  for (const int status : {200, 202, 204}) EXPECT_EQ(judged(status), answer_kind::done);
  for (const int status : {400, 404, 409, 422}) EXPECT_EQ(judged(status), answer_kind::refused);
  for (const int status : {408, 500, 502, 503, 301}) EXPECT_EQ(judged(status), answer_kind::unavailable);
  EXPECT_EQ(judged(410), answer_kind::deleted);
  EXPECT_EQ(judged(429), answer_kind::rate_limited);
  EXPECT_EQ(judged(401), answer_kind::credentials);
  EXPECT_EQ(judged(403), answer_kind::forbidden);
}

TEST_F(a_webhook, wants_a_url_and_a_secret_of_some_length) {
  EXPECT_EQ(webhook_target::problem_of(settings()), "");
  auto given = settings();
  given.secret = "short";
  EXPECT_THAT(webhook_target::problem_of(given), HasSubstr("secret"));
  given = settings();
  given.url = "receiver.test";
  EXPECT_THAT(webhook_target::problem_of(given), HasSubstr("url"));
}

}  // namespace
}  // namespace restante
