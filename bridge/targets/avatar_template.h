// The image of an account that has set none, from a template:
//
//   https://avatars.example/{account_sha256}.png?name={name}
//
//   {account}         its name
//   {account_sha256}  SHA-256 of its name, 64 hexadecimal digits: nobody reads the name from the URL
//   {name}            what it shows as its name, else its account name
//
// Values are percent-encoded. An image that would be longer than 2,048 bytes is left out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bridge/core/profile.h"

namespace restante {

class avatar_template {
 public:
  // None at all.
  avatar_template() = default;
  // The template, or what is wrong with it. Empty text: none.
  static std::variant<avatar_template, std::string> parse(std::string_view text);

  // The account's own image; else that of the template; else none.
  std::optional<std::string> image_of(std::string_view account, const profile& shown) const;

 private:
  enum class value { literal, account, account_sha256, name };
  struct part {
    value what;
    std::string text;
  };
  std::vector<part> parts_;
};

}  // namespace restante
