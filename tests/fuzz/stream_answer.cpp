// Input: `{request} {status} LF {body}`: what was asked as one letter, the answer's status in digits.
#include "bridge/targets/stream_answer.h"

#include <string>
#include <vector>

#include "check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace restante;
  using namespace restante::fuzz;
  const auto text = text_of(data, size);
  const auto line_end = text.find('\n');
  const auto line = text.substr(0, line_end);
  if (line.size() < 2) return 0;
  const auto asked = static_cast<stream_request>(static_cast<unsigned char>(line[0]) % 7);
  const auto began = asked == stream_request::task ? stream_request::remove : asked;
  int status = 0;
  for (const char each : line.substr(1)) {
    if (each >= '0' && each <= '9' && status < 100) status = status * 10 + (each - '0');
  }
  http_response response;
  response.status = status;
  response.body = line_end == std::string_view::npos ? "" : text.substr(line_end + 1);
  const std::vector<std::string> ids = {"a", "player-1001", "b@@x"};
  const auto said = judge_stream_answer(asked, began, ids, response);

  check(!said.culprit || *said.culprit < ids.size(), "the culprit is one of those that were asked for");
  check(said.found.empty() || said.found.size() == ids.size(), "what is there is said of each or of none");
  check(said.found.empty() || said.what == answer_kind::done, "what is there is said when all went well");
  check(said.what != answer_kind::started || !said.task.empty(), "a task that was started has a name");
  check(said.what != answer_kind::started || asked != stream_request::task, "no task begins another");
  check(said.what != answer_kind::running || asked == stream_request::task, "only tasks are running");
  const bool is_good = said.what == answer_kind::done || said.what == answer_kind::started ||
                       said.what == answer_kind::running;
  check(!is_good || (status >= 200 && status < 300) || asked == stream_request::reactivate,
        "nothing goes well that was answered with an error");
  check(is_good || !said.error.empty(), "what goes wrong is said");
  check(said.error.size() <= 300, "an error is short");
  for (const char each : said.error) {
    check(static_cast<unsigned char>(each) >= ' ' && each != 0x7f,
          "an error is one line without control characters");
  }
  if (status == 429)
    check(said.what == answer_kind::rate_limited, "429 is a rate limit, whatever the body says");
  return 0;
}
