#include "bridge/core/strict_json.h"

#include <cmath>
#include <set>
#include <vector>

namespace restante {

namespace {

using nlohmann::json;

class checker final : public nlohmann::json_sax<json> {
 public:
  explicit checker(const strict_json_limits& limits) : limits_(limits) {}

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t value, const string_t&) override {
    return std::isfinite(value) || refuse("holds a number that is out of range");
  }
  bool string(string_t& value) override { return has_no_nul(value); }
  bool binary(binary_t&) override { return refuse("holds what is no JSON"); }
  bool start_object(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_array() override { return leave(); }
  bool key(string_t& name) override {
    if (open_.size() == 1) error_.field = name;
    if (!has_no_nul(name)) return false;
    return open_.back().insert(name).second || refuse("holds a key twice");
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& why) override {
    return refuse(why.id == 406 ? "holds a number that is out of range" : "is no JSON in UTF-8");
  }

  strict_json_error error() const { return error_; }

 private:
  bool refuse(const char* reason) {
    if (error_.reason.empty()) error_.reason = reason;
    return false;
  }
  bool has_no_nul(const std::string& text) {
    return text.find('\0') == std::string::npos || refuse("holds a NUL character");
  }
  bool enter() {
    open_.emplace_back();
    return open_.size() <= limits_.depth || refuse("is nested too deeply");
  }
  bool leave() {
    open_.pop_back();
    return true;
  }

  const strict_json_limits& limits_;
  std::vector<std::set<std::string>> open_;  // the keys so far of what is not closed; lists have none
  strict_json_error error_;
};

}  // namespace

std::variant<json, strict_json_error> parse_strict_json(std::string_view text,
                                                        const strict_json_limits& limits) {
  if (text.size() > limits.bytes) {
    return strict_json_error{{}, "has more than " + std::to_string(limits.bytes) + " bytes"};
  }
  checker check(limits);
  if (!json::sax_parse(text, &check)) return check.error();
  return json::parse(text);
}

std::size_t jsonb_text_bytes(const json& value) {
  std::size_t bytes = 2;
  switch (value.type()) {
    case json::value_t::object:
      for (const auto& [key, each] : value.items()) {
        bytes += json(key).dump().size() + 4 + jsonb_text_bytes(each);
      }
      return bytes;
    case json::value_t::array:
      for (const auto& each : value) bytes += jsonb_text_bytes(each) + 2;
      return bytes;
    case json::value_t::number_float: {
      const double size = std::abs(value.get<double>());
      const double exponent = size > 0 ? std::abs(std::floor(std::log10(size))) : 0;
      return static_cast<std::size_t>(exponent) + 24;
    }
    default:
      return value.dump().size();
  }
}

}  // namespace restante
