// What goes wrong on request.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "support/stream/operation.h"

namespace restante::stream_stand_in {

// As JSON, all but `kind` optional:
//   {"kind": KIND, "operation": "UpdateUsers", "user": ID, "count": N, "probability": P}
// for the next N requests (else all) of that operation (else any) that name that user (else any), each with
// that probability. Kinds:
//   slow                 "ms": waits so long before it does anything
//   cut_before           hangs up and does nothing
//   cut_after            does it all, and hangs up instead of answering
//   fail_task            the task that is begun will fail
//   answer               "status", "headers", "body" (JSON, or text); "taken": true does it all before
//   rate_limited         429, code 9; "retry_after_s" adds that header
//   edge_limited         429 in plain text, as from the edge
//   internal_error       500, code -1
//   timeout              408, code 23
//   not_json             502 with a page of HTML
//   empty                503 without a body
struct fault {
  std::string kind;
  std::optional<operation> what;
  std::string user;
  std::int64_t count = -1;
  double probability = 1;
  int wait_ms = 0;
  int status = 0;
  std::map<std::string, std::string> headers;
  std::string body;
  bool taken = false;
};

// Throws refusal naming what is wrong.
fault parse_fault(const nlohmann::json& text);

// Not thread-safe.
class fault_plan {
 public:
  void set(std::vector<fault> all, std::uint64_t seed);

  // What is to go wrong with a request, first match first; at most one that is not `slow`.
  struct verdict {
    int wait_ms = 0;
    std::optional<fault> what;
  };
  verdict next(operation what, const std::vector<std::string>& users);

 private:
  std::vector<fault> all_;
  std::mt19937_64 random_{0};
};

}  // namespace restante::stream_stand_in
