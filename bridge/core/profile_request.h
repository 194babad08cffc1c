// Service `profile`: an account changes what it shows of itself. schemas/profile.schema.json says the same in
// JSON Schema, but for what that cannot express: sizes in bytes, and keys that stand twice.
//
//   {"name":"Ada","image":null,"custom":{"level":17}}
//
// A field that is given is set, null removes it, one that is absent stays as it is. `custom` is replaced as a
// whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace restante {

struct field_change {
  bool is_given = false;             // otherwise it stays as it is
  std::optional<std::string> value;  // none: remove it
  friend bool operator==(const field_change&, const field_change&) = default;
};

struct profile_change {
  field_change name;      // 1 to 256 characters, no control characters
  field_change image;     // an http or https URL, at most 2,048 characters
  field_change language;  // BCP 47, of the short kind: "de", "pt-BR"
  field_change custom;    // a JSON object as text, compact, keys sorted, at most 5,120 bytes; removed: {}
  friend bool operator==(const profile_change&, const profile_change&) = default;
};

struct request_refusal {
  std::string field;   // "payload" for the whole
  std::string reason;  // "is longer than 256 characters"
  friend bool operator==(const request_refusal&, const request_refusal&) = default;
};

// Any bytes at all.
std::variant<profile_change, request_refusal> parse_profile_request(std::string_view payload);

// Payloads of answers: {"version":7} and {"error":{"field":"name","reason":"…"}}.
std::string profile_answer(std::int64_t version);
std::string refusal_answer(const request_refusal& why);

}  // namespace restante
