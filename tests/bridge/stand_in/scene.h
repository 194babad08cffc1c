// A service with a clock moved by hand, and the recorded exchanges.
#pragma once

#include <gtest/gtest.h>

#include <cctype>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "support/stream/service.h"
#include "support/temporary_directory.h"

namespace restante::stream_stand_in {

using nlohmann::json;

inline json fixture(const std::string& name) {
  return json::parse(support::read_file(std::filesystem::path(RESTANTE_STREAM_FIXTURES) / (name + ".json")));
}

// A token of fixtures/jwt_vectors.json.
inline std::string vector_token(const std::string& name) {
  const json all = fixture("jwt_vectors");
  for (const json& each : all["vectors"]) {
    if (each["name"] == name) return each["token"];
  }
  throw std::runtime_error("no token " + name);
}

struct scene {
  std::int64_t now_us = 1'767'225'600'123'456;  // as in the recorded exchanges: first this, and later
  void later() { now_us = 1'767'225'630'654'321; }
  service stream{{"fakekey123", "fake-api-secret-for-tests-only"}, [this] { return now_us; }};

  // The request of a recorded exchange.
  static request recorded(const json& from) {
    request to{from["method"], from["path"], {}, {}, {}};
    for (const auto& [name, value] : from["query"].items()) to.query[name] = value;
    for (const auto& [name, value] : from["headers"].items()) {
      std::string lower = name;
      for (char& c : lower) c = static_cast<char>(std::tolower(c));
      to.headers[lower] = value;
    }
    if (from.contains("body")) to.body = from["body"].dump();
    return to;
  }
  // Any other, as the server.
  answer ask(const std::string& method, const std::string& path, const json& body = json()) {
    request asked = recorded(fixture("upsert_v2")["request"]);
    asked.method = method;
    const std::size_t query = path.find("?payload=");
    asked.path = path.substr(0, query);
    if (query != std::string::npos) asked.query["payload"] = path.substr(query + 9);
    asked.body = body.is_null() ? "" : body.dump();
    return stream.handle(asked).what;
  }
  json must(const std::string& method, const std::string& path, const json& body = json()) {
    const answer got = ask(method, path, body);
    if (got.status >= 300) throw std::runtime_error(got.body);
    return json::parse(got.body);
  }

  json upsert(const json& user) {
    return must("POST", "/api/v2/users", {{"users", {{user["id"].get<std::string>(), user}}}});
  }
  void has_ada() { upsert({{"id", "player-1001"}, {"name", "Ada"}}); }
  void has_bo() { upsert({{"id", "player-1002"}, {"name", "Bo"}, {"custom", {{"level", 3}}}}); }
  void goes_wrong(const json& how) { stream.set_faults({parse_fault(how)}); }
};

}  // namespace restante::stream_stand_in
