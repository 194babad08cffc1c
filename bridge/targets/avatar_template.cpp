#include "bridge/targets/avatar_template.h"

#include "bridge/targets/percent.h"
#include "crypto/digest.h"

namespace restante {

namespace {
constexpr std::size_t longest_image_bytes = 2'048;
}

std::variant<avatar_template, std::string> avatar_template::parse(std::string_view text) {
  avatar_template parsed;
  if (text.empty()) return parsed;
  if (!text.starts_with("https://") && !text.starts_with("http://")) {
    return "begins with neither https:// nor http://";
  }
  if (text.size() > longest_image_bytes) return "is longer than 2048 bytes";
  for (const char each : text) {
    if (each <= ' ' || each == 0x7f) return "holds a blank or a control character";
  }
  while (!text.empty()) {
    const auto open = text.find_first_of("{}");
    if (open != 0) parsed.parts_.push_back({value::literal, std::string(text.substr(0, open))});
    if (open == std::string_view::npos) break;
    const auto close = text.find('}', open);
    if (text[open] == '}' || close == std::string_view::npos) return "has a brace without its other";
    const auto name = text.substr(open + 1, close - open - 1);
    if (name == "account") {
      parsed.parts_.push_back({value::account, {}});
    } else if (name == "account_sha256") {
      parsed.parts_.push_back({value::account_sha256, {}});
    } else if (name == "name") {
      parsed.parts_.push_back({value::name, {}});
    } else {
      return "has {" + std::string(name) + "}; known are {account}, {account_sha256} and {name}";
    }
    text.remove_prefix(close + 1);
  }
  return parsed;
}

std::optional<std::string> avatar_template::image_of(std::string_view account, const profile& shown) const {
  if (shown.image || parts_.empty()) return shown.image;
  std::string image;
  for (const auto& each : parts_) {
    switch (each.what) {
      case value::literal:
        image += each.text;
        break;
      case value::account:
        image += percent_encode(account);
        break;
      case value::account_sha256:
        image += sha256_hex(account);
        break;
      case value::name:
        image += percent_encode(shown.name ? std::string_view(*shown.name) : account);
        break;
    }
  }
  if (image.size() > longest_image_bytes) return std::nullopt;
  return image;
}

}  // namespace restante
