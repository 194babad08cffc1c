#include "bridge/core/profile_request.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "bridge/core/strict_json.h"

namespace restante {

namespace {

using nlohmann::json;

constexpr std::size_t longest_name = 256;
constexpr std::size_t longest_image = 2'048;
constexpr std::size_t longest_custom_bytes = 5'120;
constexpr std::size_t longest_custom_stored_bytes = 16'384;
constexpr std::size_t longest_echo = 64;

// Of valid UTF-8.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char each) { return (static_cast<unsigned char>(each) & 0xC0) != 0x80; }));
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char each) { return static_cast<unsigned char>(each) < ' ' || each == 0x7f; });
}

bool is_letter(char each) { return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z'); }

// [a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}
bool is_language(std::string_view text) {
  for (int part = 0; part < 4; ++part) {
    const auto dash = text.find('-');
    const auto word = text.substr(0, dash);
    const bool fits =
        word.size() >= 2 && word.size() <= (part == 0 ? 3 : 8) &&
        std::all_of(word.begin(), word.end(), [&](char each) {
          return part == 0 ? each >= 'a' && each <= 'z' : is_letter(each) || (each >= '0' && each <= '9');
        });
    if (!fits) return false;
    if (dash == std::string_view::npos) return true;
    text.remove_prefix(dash + 1);
  }
  return false;
}

std::string problem_of_name(const std::string& text) {
  if (text.empty()) return "is empty; null removes it";
  if (characters(text) > longest_name) return "is longer than 256 characters";
  if (has_control(text)) return "holds a control character";
  return {};
}

std::string problem_of_image(const std::string& text) {
  const std::size_t scheme = text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : 0;
  if (scheme == 0 || text.size() == scheme) return "is no http or https URL";
  if (characters(text) > longest_image) return "is longer than 2048 characters";
  if (has_control(text) || text.find(' ') != std::string::npos) return "holds a blank or a control character";
  return {};
}

std::string problem_of_language(const std::string& text) {
  return is_language(text) ? "" : "is no language tag such as \"de\" or \"pt-BR\"";
}

// What is wrong, or empty. `problem` judges texts.
template <typename judge>
std::string take_text(const json& value, field_change& into, const judge& problem) {
  into.is_given = true;
  if (value.is_null()) return {};
  if (!value.is_string()) return "is neither text nor null";
  into.value = value.get<std::string>();
  return problem(*into.value);
}

std::string take_custom(const json& value, field_change& into) {
  into.is_given = true;
  if (value.is_null()) return {};
  if (!value.is_object()) return "is neither an object nor null";
  if (value.contains("")) return "holds a key without a name";
  into.value = value.dump();
  if (into.value->size() > longest_custom_bytes) {
    return "has " + std::to_string(into.value->size()) + " bytes; at most 5120 are taken";
  }
  if (jsonb_text_bytes(value) > longest_custom_stored_bytes)
    return "holds numbers that are too long when written out";
  return {};
}

}  // namespace

std::variant<profile_change, request_refusal> parse_profile_request(std::string_view payload) {
  auto parsed = parse_strict_json(payload, {});
  if (auto* error = std::get_if<strict_json_error>(&parsed)) {
    return request_refusal{error->field.empty() ? "payload" : std::move(error->field),
                           std::move(error->reason)};
  }
  const auto& body = std::get<json>(parsed);
  if (!body.is_object()) return request_refusal{"payload", "is no JSON object"};
  profile_change change;
  for (const auto& [field, value] : body.items()) {
    std::string problem;
    if (field == "name") {
      problem = take_text(value, change.name, problem_of_name);
    } else if (field == "image") {
      problem = take_text(value, change.image, problem_of_image);
    } else if (field == "language") {
      problem = take_text(value, change.language, problem_of_language);
    } else if (field == "custom") {
      problem = take_custom(value, change.custom);
    } else if (field == "role" || field == "teams") {
      problem = "is set by the operator only";
    } else {
      problem = "is no field of a profile; your own go into custom";
    }
    if (!problem.empty()) return request_refusal{field, std::move(problem)};
  }
  return change;
}

std::string profile_answer(std::int64_t version) { return json{{"version", version}}.dump(); }

std::string refusal_answer(const request_refusal& why) {
  return json{{"error", {{"field", why.field.substr(0, longest_echo)}, {"reason", why.reason}}}}.dump(
      -1, ' ', false, json::error_handler_t::ignore);
}

}  // namespace restante
