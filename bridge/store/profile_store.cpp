#include "bridge/store/profile_store.h"

#include <utility>

#include "bridge/store/profile_rows.h"

namespace restante {
namespace {

constexpr statement change_statement{
    "change_profile",
    "select version, repeated, refusal "
    "from restante.change_profile($1, $2, 'profile', $3, $4, $5, $6, $7, $8, $9, $10)"};
constexpr statement find_statement{"find_account", "select status from restante.account where name = $1"};

change_refusal read_refusal(std::string_view text) {
  if (text == "blocked") return change_refusal::blocked;
  return text == "deleted" ? change_refusal::deleted : change_refusal::no_such_account;
}

}  // namespace

profile_store::profile_store(std::string database, bridge_log& log)
    : link_(std::move(database), "requests", log) {}

std::optional<profile_store::outcome> profile_store::change(std::string_view account, std::string_view id,
                                                            const profile_change& wanted) {
  connection* on = link_.get();
  if (!on) return std::nullopt;
  const auto changed =
      on->execute(change_statement, {account, id, wanted.name.is_given, wanted.name.value,
                                     wanted.image.is_given, wanted.image.value, wanted.language.is_given,
                                     wanted.language.value, wanted.custom.is_given, wanted.custom.value});
  if (!changed) {
    if (changed.error().kind == database_failure::data) {
      return outcome{.done = {}, .refused = change_refusal::value, .why = changed.error().message};
    }
    link_.failed(changed.error());
    return std::nullopt;
  }
  const row only = (*changed)[0];
  if (const auto refusal = only.optional_text(2)) {
    return outcome{.done = {}, .refused = read_refusal(*refusal), .why = {}};
  }
  return outcome{.done = profile_changed{only.int64(0), only.boolean(1)}, .refused = {}, .why = {}};
}

std::optional<profile_store::found> profile_store::find(std::string_view account) {
  connection* on = link_.get();
  if (!on) return std::nullopt;
  const auto rows = on->execute(find_statement, {account});
  if (!rows) {
    link_.failed(rows.error());
    return std::nullopt;
  }
  if (rows->empty()) return found{};
  return found{true, read_status((*rows)[0].text(0))};
}

}  // namespace restante
