#include "support/stream/faults.h"

#include <algorithm>

#include "support/stream/envelope.h"

namespace restante::stream_stand_in {
namespace {

using nlohmann::json;

const std::set<std::string> without_answer{"slow", "cut_before", "cut_after", "fail_task"};

void set_answer(fault& what, const json& text) {
  const std::string name(what.what ? facts(*what.what).name : "UpdateUsers");
  const auto fail = [&](int status, int code, const std::string& message) {
    what.status = status;
    what.headers["Content-Type"] = "application/json";
    what.body = error_body(status, code, message, std::nullopt, "0.00ms");
  };
  if (what.kind == "answer") {
    what.status = text.at("status");
    what.headers = text.value("headers", what.headers);
    const json body = text.value("body", json(""));
    what.body = body.is_string() ? body.get<std::string>() : body.dump();
    what.taken = text.value("taken", false);
  } else if (what.kind == "rate_limited") {
    fail(429, 9, "Too many requests");
    if (text.contains("retry_after_s")) what.headers["Retry-After"] = text["retry_after_s"].dump();
  } else if (what.kind == "edge_limited") {
    what.status = 429;
    what.headers["Content-Type"] = "text/plain";
    what.body = "Too Many Requests\n";
  } else if (what.kind == "internal_error") {
    fail(500, -1, name + " failed with error: \"internal error\"");
  } else if (what.kind == "timeout") {
    fail(408, 23, name + " failed with error: \"request timed out\"");
  } else if (what.kind == "not_json") {
    what.status = 502;
    what.headers["Content-Type"] = "text/html";
    what.body = "<html><body><h1>502 Bad Gateway</h1></body></html>\n";
  } else if (what.kind == "empty") {
    what.status = 503;
  } else {
    throw bad_input("no fault \"" + what.kind + "\"");
  }
}

}  // namespace

fault parse_fault(const json& text) {
  try {
    fault what;
    what.kind = text.at("kind");
    if (text.contains("operation")) {
      what.what = operation_of_name(text["operation"].get<std::string>());
      if (!what.what) throw bad_input("no operation " + text["operation"].dump());
    }
    what.user = text.value("user", "");
    what.count = text.value("count", std::int64_t{-1});
    what.probability = text.value("probability", 1.0);
    what.wait_ms = text.value("ms", 0);
    if (!without_answer.contains(what.kind)) set_answer(what, text);
    return what;
  } catch (const json::exception& error) {
    throw bad_input(error.what());
  }
}

void fault_plan::set(std::vector<fault> all, std::uint64_t seed) {
  all_ = std::move(all);
  random_.seed(seed);
}

fault_plan::verdict fault_plan::next(operation what, const std::vector<std::string>& users) {
  verdict found;
  for (fault& each : all_) {
    const bool is_slow = each.kind == "slow";
    if (each.count == 0 || (each.what && *each.what != what) || (!is_slow && found.what)) continue;
    if (!each.user.empty() && std::find(users.begin(), users.end(), each.user) == users.end()) continue;
    if (each.probability < 1 && std::uniform_real_distribution<>{}(random_) >= each.probability) continue;
    if (each.count > 0) --each.count;
    if (is_slow) {
      found.wait_ms += each.wait_ms;
    } else {
      found.what = each;
    }
  }
  return found;
}

}  // namespace restante::stream_stand_in
