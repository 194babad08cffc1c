#include "bridge/targets/stream_answer.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace restante {

namespace {

using nlohmann::json;

constexpr std::size_t longest_error_bytes = 300;

bool is_of_id(char each) {
  return (each >= 'A' && each <= 'Z') || (each >= 'a' && each <= 'z') || (each >= '0' && each <= '9') ||
         each == '_' || each == '-' || each == '@';
}

// One line without control characters, cut to a length that a table has room for.
std::string one_line(std::string_view text) {
  std::string line(text.substr(0, longest_error_bytes));
  for (auto& each : line) {
    if (static_cast<unsigned char>(each) < ' ' || each == 0x7f) each = ' ';
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  // Not in the middle of a character.
  if (text.size() > longest_error_bytes) {
    while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xC0) == 0x80) line.pop_back();
    if (!line.empty() && static_cast<unsigned char>(line.back()) >= 0xC0) line.pop_back();
  }
  return line;
}

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The first of `ids` that stands in `text` as a whole word.
std::optional<std::size_t> named_in(std::string_view text, std::span<const std::string> ids) {
  for (std::size_t from = 0; from < text.size();) {
    if (!is_of_id(text[from])) {
      ++from;
      continue;
    }
    std::size_t end = from;
    while (end < text.size() && is_of_id(text[end])) ++end;
    const auto at = std::find(ids.begin(), ids.end(), text.substr(from, end - from));
    if (at != ids.end()) return static_cast<std::size_t>(at - ids.begin());
    from = end;
  }
  return std::nullopt;
}

// A hint only, so a name that happens to be a word of the message does no harm.
std::optional<std::size_t> culprit_of(const json& body, const std::string& message,
                                      std::span<const std::string> ids) {
  if (const auto fields = body.find("exception_fields"); fields != body.end() && fields->is_object()) {
    for (const auto& [field, why] : fields->items()) {
      if (const auto found = named_in(field, ids)) return found;
    }
  }
  for (const std::string_view before : {"users[", "the user ", "user \""}) {
    const auto at = message.find(before);
    if (at == std::string::npos) continue;
    const auto rest = std::string_view(message).substr(at + before.size());
    const auto end = std::find_if_not(rest.begin(), rest.end(), is_of_id);
    if (const auto found = named_in(rest.substr(0, static_cast<std::size_t>(end - rest.begin())), ids)) {
      return found;
    }
  }
  return named_in(message, ids);
}

sync_answer judge_task(const json& body, std::span<const std::string> ids) {
  const auto status = text_of(body, "status");
  if (status == "failed") {
    const auto error = body.find("error");
    const bool has = error != body.end() && error->is_object();
    return {answer_kind::failed, one_line("its task failed: " + (has ? text_of(*error, "description") : ""))};
  }
  if (status != "completed") return {answer_kind::running};
  // Deletion says it of each id: {"<id>":{"status":"ok"}}.
  const auto result = body.find("result");
  if (result == body.end() || !result->is_object()) return {answer_kind::done};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto one = result->find(ids[i]);
    if (one == result->end() || !one->is_object()) continue;
    const auto how = text_of(*one, "status");
    if (how.empty() || how == "ok") continue;
    sync_answer failed{answer_kind::failed,
                       one_line("its task ended with: " + how + " " + text_of(*one, "error"))};
    failed.culprit = i;
    return failed;
  }
  return {answer_kind::done};
}

sync_answer judge_success(stream_request asked, const json& body, std::span<const std::string> ids) {
  sync_answer said{answer_kind::done};
  const auto users = body.find("users");
  switch (asked) {
    case stream_request::upsert:
    case stream_request::patch:
      if (users == body.end() || !users->is_object()) {
        return {answer_kind::unavailable, "Stream's answer has no users: is STREAM_BASE_URL right?"};
      }
      for (const auto& id : ids) {
        said.found.push_back(users->contains(id) ? remote_state::active : remote_state::absent);
      }
      return said;
    case stream_request::query:
      if (users == body.end() || !users->is_array()) {
        return {answer_kind::unavailable, "Stream's answer has no users: is STREAM_BASE_URL right?"};
      }
      said.found.assign(ids.size(), remote_state::absent);
      for (const auto& user : *users) {
        if (!user.is_object()) continue;
        const auto at = std::find(ids.begin(), ids.end(), text_of(user, "id"));
        if (at == ids.end()) continue;
        const auto has = [&](const char* key) { return user.contains(key) && !user[key].is_null(); };
        said.found[static_cast<std::size_t>(at - ids.begin())] = has("deleted_at") ? remote_state::deleted
                                                                 : has("deactivated_at")
                                                                     ? remote_state::deactivated
                                                                     : remote_state::active;
      }
      return said;
    case stream_request::deactivate:
    case stream_request::reactivate:
    case stream_request::remove:
      said.task = text_of(body, "task_id");
      if (!said.task.empty()) said.what = answer_kind::started;
      return said;
    case stream_request::task:
      break;
  }
  return said;
}

answer_kind kind_of_refusal(stream_request began, int status, long long code, std::string_view message) {
  const auto says = [&](std::string_view text) { return message.find(text) != std::string_view::npos; };
  switch (code) {
    case 2:
    case 3:
    case 5:
    case 40:
    case 41:
    case 42:
    case 43:
    case 69:
    case 99:
      return answer_kind::credentials;
    case 9:
      return answer_kind::rate_limited;
    case 17:
      return answer_kind::forbidden;
    case -1:
    case 23:
      return answer_kind::unavailable;
    default:
      break;
  }
  if (says("was deleted")) return answer_kind::deleted;
  if (says("was deactivated")) return answer_kind::deactivated;
  if (began == stream_request::deactivate && says("deactivated") && !says("not deactivated")) {
    return answer_kind::deactivated;
  }
  if (code == 16) return began == stream_request::upsert ? answer_kind::deleted : answer_kind::missing;
  if (status >= 500 || status == 408) return answer_kind::unavailable;
  return answer_kind::refused;
}

}  // namespace

sync_answer judge_stream_answer(stream_request asked, stream_request began, std::span<const std::string> ids,
                                const http_response& response) {
  if (response.failure == http_failure::certificate) {
    return {answer_kind::unavailable, one_line("Stream's certificate is not valid: " + response.error)};
  }
  if (response.failure != http_failure::none) return {answer_kind::unavailable, one_line(response.error)};
  const int status = response.status;
  const auto status_text = "status " + std::to_string(status);
  if (status == 429) return {answer_kind::rate_limited, "the rate limit is reached"};

  const auto body = json::parse(response.body, nullptr, false);
  if (!body.is_object()) {
    if (status == 413 || status == 431) return {answer_kind::refused, status_text + ": too large"};
    if (status == 401) return {answer_kind::credentials, status_text};
    return {answer_kind::unavailable, status_text + ", and the answer is no JSON"};
  }
  if (status >= 200 && status < 300) {
    return asked == stream_request::task ? judge_task(body, ids) : judge_success(asked, body, ids);
  }

  const auto number = body.find("code");
  const long long code = number != body.end() && number->is_number_integer() ? number->get<long long>() : 0;
  const auto message = text_of(body, "message");
  sync_answer said;
  said.error = one_line("code " + std::to_string(code) + ", " + status_text + ": " + message);
  if (status < 400) {
    said.what = answer_kind::unavailable;
    return said;
  }
  said.what = kind_of_refusal(began, status, code, message);
  if (said.what == answer_kind::refused && code == 0 && status == 401) said.what = answer_kind::credentials;
  if (asked == stream_request::task) {
    // The task is unknown, or its answer was refused: begin anew another time.
    const bool of_accounts = said.what != answer_kind::credentials &&
                             said.what != answer_kind::rate_limited && said.what != answer_kind::unavailable;
    if (of_accounts) said.what = answer_kind::failed;
    return said;
  }
  const auto final = body.find("unrecoverable");
  if (said.what == answer_kind::unavailable && final != body.end() && final->is_boolean() &&
      final->get<bool>()) {
    said.what = answer_kind::refused;
  }
  if (began == stream_request::reactivate && message.find("is not deactivated") != std::string::npos) {
    // It is what was wanted. Of many, nobody knows which of the others need it.
    said.what = ids.size() == 1 ? answer_kind::done : answer_kind::failed;
  }
  said.culprit = culprit_of(body, message, ids);
  return said;
}

}  // namespace restante
