// Input: `{topic} LF {prefix} LF {name or id}`.
#include <string>

#include "bridge/core/service_topic.h"
#include "bridge/targets/stream_id.h"
#include "check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace restante;
  using namespace restante::fuzz;
  const auto parts = split(text_of(data, size), '\n');
  const auto topic = parts[0];
  const auto prefix = parts.size() > 1 ? parts[1] : std::string_view{};
  const auto name = parts.size() > 2 ? parts[2] : std::string_view{};

  std::string before(prefix);
  if (!before.empty() && before.back() != '/') before += '/';
  const auto request = parse_service_topic(topic, prefix);
  const auto levels =
      split(topic.starts_with(before) ? topic.substr(before.size()) : std::string_view{}, '/');
  const bool is_one = topic.starts_with(before) && levels.size() == 4 && levels[0] == "service" &&
                      is_account(levels[1]) && is_account(levels[2]) && is_id(levels[3]);
  check(request.has_value() == is_one, "a topic of a service is what its definition says");
  if (request) {
    check(request->service == levels[1] && request->from == levels[2] && request->id == levels[3],
          "its parts are its levels");
    check(answer_topic(*request, prefix) == before + "answer/" + std::string(levels[2]) + "/" +
                                                std::string(levels[1]) + "/" + std::string(levels[3]),
          "the answer goes to who asked");
  }

  if (is_account(name)) {
    const auto id = stream_id(name);
    check(account_of_stream_id(id) == name, "an id leads back to its account");
    check(id.size() <= longest_stream_id_bytes, "an id is not too long");
    for (const char each : id) {
      const bool fits = (each >= 'A' && each <= 'Z') || (each >= 'a' && each <= 'z') ||
                        (each >= '0' && each <= '9') || each == '_' || each == '-' || each == '@';
      check(fits, "an id is of Stream's alphabet");
    }
  }
  if (const auto account = account_of_stream_id(name)) {
    check(is_account(*account), "an id leads to a name");
    check(stream_id(*account) == name, "each account has one id");
  }
  return 0;
}
