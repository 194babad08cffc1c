#include "bridge/targets/stream_id.h"

#include "core/names.h"

namespace restante {

namespace {

constexpr std::string_view plain = "@.:=";
constexpr std::string_view coded = "@dce";

}  // namespace

std::string stream_id(std::string_view account) {
  std::string id;
  for (const char each : account) {
    const auto at = plain.find(each);
    if (at == std::string_view::npos) {
      id += each;
    } else {
      id += '@';
      id += coded[at];
    }
  }
  return id;
}

std::optional<std::string> account_of_stream_id(std::string_view id) {
  std::string account;
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (id[i] != '@') {
      if (plain.find(id[i]) != std::string_view::npos) return std::nullopt;
      account += id[i];
      continue;
    }
    const auto at = i + 1 < id.size() ? coded.find(id[i + 1]) : std::string_view::npos;
    if (at == std::string_view::npos) return std::nullopt;
    account += plain[at];
    ++i;
  }
  if (!is_account_name(account)) return std::nullopt;
  return account;
}

}  // namespace restante
