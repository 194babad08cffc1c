// What verbs print: lines and aligned tables for people, or JSON for programs, both from the same values.
//
// Whatever stood in a topic or a name, nothing reaches the terminal that could steer it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace restante {

// Keeps its keys in the order they were given.
using json = nlohmann::ordered_json;

// `text` with control characters and broken UTF-8 written as \xNN.
std::string printable(std::string_view text);

class output {
 public:
  explicit output(bool as_json) : as_json_(as_json) {}

  // An array of objects with the same keys: a table, or the array.
  void list(const json& rows) const;
  // One object: a line for each key, or the object.
  void record(const json& object) const;
  // What was done: `line`, or `object`.
  void done(std::string_view line, const json& object) const;
  // For people only.
  void remark(std::string_view line) const;

 private:
  bool as_json_;
};

}  // namespace restante
