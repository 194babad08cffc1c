// Stream's answers, as its documentation, client libraries and users report them.
#include "bridge/targets/stream_answer.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace restante {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string> both = {"player-1001", "player-1002"};

sync_answer judged(int status, std::string body, stream_request asked = stream_request::upsert,
                   std::vector<std::string> ids = both) {
  http_response response;
  response.status = status;
  response.body = std::move(body);
  return judge_stream_answer(asked, asked, ids, response);
}
sync_answer judged_task(std::string body, stream_request began, int status = 200) {
  http_response response;
  response.status = status;
  response.body = std::move(body);
  return judge_stream_answer(stream_request::task, began, both, response);
}
std::string refusal(int code, const std::string& message, const std::string& more = "") {
  return R"({"code":)" + std::to_string(code) + R"(,"message":")" + message +
         R"(","StatusCode":400,"duration":"0.00ms",
    "more_info":"https://getstream.io/chat/docs/api_errors_response","details":[])" +
         more + "}";
}

TEST(an_answer_of_stream, says_of_each_user_whether_it_was_taken) {
  const auto said = judged(201, R"({"users":{"player-1001":{"id":"player-1001"}},"duration":"12.31ms"})");
  EXPECT_EQ(said.what, answer_kind::done);
  EXPECT_THAT(said.found, ElementsAre(remote_state::active, remote_state::absent));
}

TEST(an_answer_of_stream, says_what_is_there_of_each_user) {
  const auto said = judged(200,
                           R"({"users":[{"id":"c","deleted_at":1},{"id":"b","deactivated_at":2},{"id":"a",
                             "deactivated_at":null}],"duration":"1ms"})",
                           stream_request::query, {"a", "b", "c", "d"});
  EXPECT_THAT(said.found, ElementsAre(remote_state::active, remote_state::deactivated, remote_state::deleted,
                                      remote_state::absent));
}

TEST(an_answer_of_stream, may_begin_a_task) {
  const auto said = judged(201, R"({"task_id":"0b8b6f3a","duration":"6.00ms"})", stream_request::remove);
  EXPECT_EQ(said.what, answer_kind::started);
  EXPECT_EQ(said.task, "0b8b6f3a");
}

TEST(an_answer_of_stream, says_how_a_task_goes) {
  const auto removal = stream_request::remove;
  for (const char* status : {"waiting", "pending", "running", "something new"}) {
    EXPECT_EQ(judged_task(std::string(R"({"task_id":"t","status":")") + status + "\"}", removal).what,
              answer_kind::running);
  }
  EXPECT_EQ(judged_task(R"({"status":"completed","result":{"player-1001":{"status":"ok"},
                           "player-1002":{"status":"ok"}}})",
                        removal)
                .what,
            answer_kind::done);
  EXPECT_EQ(judged_task(R"({"status":"completed","result":{"users":[]}})", stream_request::deactivate).what,
            answer_kind::done);
  const auto one = judged_task(R"({"status":"completed","result":{"player-1001":{"status":"ok"},
                                  "player-1002":{"status":"error","error":"no"}}})",
                               removal);
  EXPECT_EQ(one.what, answer_kind::failed);
  EXPECT_EQ(one.culprit, 1U);
  const auto failed = judged_task(R"({"status":"failed","error":{"type":"InternalSystemError",
                                     "description":"example failure"}})",
                                  removal);
  EXPECT_EQ(failed.what, answer_kind::failed);
  EXPECT_THAT(failed.error, HasSubstr("example failure"));
  EXPECT_EQ(judged_task(refusal(16, "no such task"), removal, 404).what, answer_kind::failed);
  EXPECT_EQ(judged_task(refusal(-1, "internal"), removal, 500).what, answer_kind::unavailable);
}

struct refusal_row {
  int status;
  std::string body;
  answer_kind what;
};

TEST(an_answer_of_stream, is_refused_for_one_reason_each) {
  const std::vector<refusal_row> rows = {
      {500, refusal(-1, "internal error"), answer_kind::unavailable},
      {401, refusal(2, "api_key not found"), answer_kind::credentials},
      {401, refusal(3, "authentication failed"), answer_kind::credentials},
      {400, refusal(4, R"(UpdateUsers failed with error: \"bad\")"), answer_kind::refused},
      {401, refusal(5, "JWTAuth error"), answer_kind::credentials},
      {400, refusal(6, "username 'Taken' already exists"), answer_kind::refused},
      {429, refusal(9, "Too many requests"), answer_kind::rate_limited},
      {400, refusal(9, "Too many requests"), answer_kind::rate_limited},
      {404, refusal(16, "the user player-1001 was deleted"), answer_kind::deleted},
      {404, refusal(16, "no such user"), answer_kind::deleted},
      {400, refusal(4, "the user player-1001 was deleted"), answer_kind::deleted},
      {400, refusal(4, "the user player-1001 was deactivated"), answer_kind::deactivated},
      {403, refusal(17, "not allowed"), answer_kind::forbidden},
      {413, refusal(22, "custom data is too big"), answer_kind::refused},
      {408, refusal(23, "request timed out"), answer_kind::unavailable},
      {431, refusal(24, "headers too big"), answer_kind::refused},
      {401, refusal(40, "token is expired"), answer_kind::credentials},
      {401, refusal(41, "token not valid yet"), answer_kind::credentials},
      {401, refusal(42, "token used before issue at (iat)"), answer_kind::credentials},
      {401, refusal(43, "signature is invalid"), answer_kind::credentials},
      {400, refusal(69, "wrong region"), answer_kind::credentials},
      {403, refusal(99, "app suspended"), answer_kind::credentials},
      {400, refusal(4, "bad request", R"(,"unrecoverable":true)"), answer_kind::refused},
      {500, refusal(0, "no", R"(,"unrecoverable":true)"), answer_kind::refused},
      {400, R"({"code":4,"message":"x","details":{"field":"value"}})", answer_kind::refused},
      {503, refusal(0, "busy"), answer_kind::unavailable},
  };
  for (const auto& row : rows) EXPECT_EQ(judged(row.status, row.body).what, row.what) << row.body;
}

TEST(an_answer_of_stream, may_be_no_json_at_all) {
  EXPECT_EQ(judged(429, "Too Many Requests\n").what, answer_kind::rate_limited);
  EXPECT_EQ(judged(429, "").what, answer_kind::rate_limited);
  for (const int status : {200, 201, 302, 400, 403, 404, 408, 500, 502, 503}) {
    EXPECT_EQ(judged(status, "<html>").what, answer_kind::unavailable) << status;
    EXPECT_EQ(judged(status, "").what, answer_kind::unavailable) << status;
    EXPECT_EQ(judged(status, "[1]").what, answer_kind::unavailable) << status;
  }
  EXPECT_EQ(judged(413, "<html>").what, answer_kind::refused);
  EXPECT_EQ(judged(201, "{}").what, answer_kind::unavailable);
  EXPECT_EQ(judged(201, std::string(100'000, '[')).what, answer_kind::unavailable);
}

TEST(an_answer_of_stream, names_the_culprit_where_it_can_be_told) {
  EXPECT_EQ(
      judged(
          400,
          refusal(4, R"(UpdateUsers failed with error: \"users[player-1002].online is a reserved field\")"))
          .culprit,
      1U);
  EXPECT_EQ(judged(400, refusal(4, "bad", R"(,"exception_fields":{"users[player-1002].online":"reserved"})"))
                .culprit,
            1U);
  EXPECT_EQ(judged(404, refusal(16, "the user player-1001 was deleted")).culprit, 0U);
  EXPECT_EQ(judged(400, refusal(6, "username 'Taken' already exists")).culprit, std::nullopt);
  EXPECT_EQ(judged(400, refusal(4, "users[player-100].x is bad")).culprit, std::nullopt);
  EXPECT_EQ(judged(400, refusal(4, "the user Bo was deleted"), stream_request::upsert, {"was", "Bo"}).culprit,
            1U);
}

TEST(an_answer_of_stream, to_what_is_done_already_is_no_error) {
  const auto not_deactivated = refusal(4, R"(user \"player-1001\" is not deactivated)");
  EXPECT_EQ(judged(400, not_deactivated, stream_request::reactivate, {"player-1001"}).what,
            answer_kind::done);
  EXPECT_EQ(judged(400, not_deactivated, stream_request::reactivate).what, answer_kind::failed);
  EXPECT_EQ(judged(400, refusal(4, "user is already deactivated"), stream_request::deactivate).what,
            answer_kind::deactivated);
  EXPECT_EQ(judged(404, refusal(16, "the user player-1001 was deleted"), stream_request::remove).what,
            answer_kind::deleted);
  EXPECT_EQ(judged(404, refusal(16, "user does not exist"), stream_request::remove).what,
            answer_kind::missing);
  EXPECT_EQ(judged(404, refusal(16, "user does not exist"), stream_request::patch).what,
            answer_kind::missing);
}

TEST(an_answer_of_stream, is_told_to_operators_in_one_short_line) {
  const auto said = judged(400, refusal(4, R"(one\ntwo\u0007)" + std::string(1'000, 'x')));
  EXPECT_THAT(said.error, HasSubstr("code 4, status 400: one two"));
  EXPECT_LE(said.error.size(), 300U);
  std::string euros;
  for (int i = 0; i < 500; ++i) euros += "€";
  const auto cut = judged(400, refusal(4, euros)).error;
  EXPECT_TRUE(cut.ends_with("€"));
}

TEST(no_answer_of_stream, means_that_it_is_away) {
  for (const auto how : {http_failure::unreachable, http_failure::timeout, http_failure::certificate,
                         http_failure::too_large}) {
    http_response response;
    response.failure = how;
    response.error = "chat.example: nothing came";
    const auto said = judge_stream_answer(stream_request::upsert, stream_request::upsert, both, response);
    EXPECT_EQ(said.what, answer_kind::unavailable);
    EXPECT_THAT(said.error, HasSubstr("chat.example"));
  }
}

}  // namespace
}  // namespace restante
