// Input: the payload of a request to service `profile`.
#include "bridge/core/profile_request.h"

#include <nlohmann/json.hpp>
#include <string>

#include "bridge/core/strict_json.h"
#include "check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace restante;
  using namespace restante::fuzz;
  using nlohmann::json;
  const auto payload = text_of(data, size);
  const auto parsed = parse_profile_request(payload);
  if (const auto* refusal = std::get_if<request_refusal>(&parsed)) {
    check(!refusal->field.empty() || payload.find("\"\"") != std::string_view::npos,
          "a refusal names the field");
    check(!refusal->reason.empty(), "a refusal says why");
    const auto answer = json::parse(refusal_answer(*refusal), nullptr, false);
    check(answer.is_object() && answer["error"]["reason"].is_string(), "an answer is JSON");
    return 0;
  }
  const auto& change = std::get<profile_change>(parsed);
  const auto given = json::parse(payload, nullptr, false);
  check(given.is_object(), "only objects are taken");
  const auto agrees = [&](const char* field, const field_change& with) {
    check(given.contains(field) == with.is_given, "a field is changed when it is given");
    if (!with.is_given) return;
    check(given[field].is_null() == !with.value, "a field is removed when it is null");
    if (!with.value) return;
    check(with.value->find('\0') == std::string::npos, "no NUL is taken");
    if (given[field].is_string())
      check(given[field].get<std::string>() == *with.value, "a text is taken as it is");
  };
  agrees("name", change.name);
  agrees("image", change.image);
  agrees("language", change.language);
  agrees("custom", change.custom);
  check(!given.contains("role") && !given.contains("teams"), "role and teams are the operator's");
  if (change.custom.value) {
    const auto custom = json::parse(*change.custom.value, nullptr, false);
    check(custom.is_object() && custom == given["custom"], "custom says what was given");
    check(change.custom.value->size() <= 5'120, "custom is small");
    check(jsonb_text_bytes(custom) <= 16'384, "custom is small in the database");
  }
  return 0;
}
