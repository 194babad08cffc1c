#include "postgres/account_ids.h"

#include <set>
#include <utility>

#include "core/names.h"

namespace restante {
namespace {

constexpr statement look_up_statement{"look_up_accounts", R"(
select n, a.id, b.id
from unnest($1) n
cross join lateral (select a.id from account a where a.name = n offset 0) a
cross join lateral (select b.id from mailbox b where b.account_id = a.id and b.device = '' offset 0) b)"};

}  // namespace

result<void> account_ids::look_up(connection& in, const std::vector<std::string_view>& names) {
  std::set<std::string_view> unknown;
  for (const std::string_view each : names) {
    if (find(each) == nullptr && is_account_name(each)) unknown.insert(each);
  }
  if (unknown.empty()) return {};
  text_array wanted;
  for (const std::string_view each : unknown) wanted.push(each);
  const auto found = in.execute(look_up_statement, {wanted});
  if (!found) return found.error();
  for (const row each : *found) {
    recent_.insert_or_assign(std::string(each.text(0)), account_place{each.int64(1), each.int64(2)});
  }
  return {};
}

const account_place* account_ids::find(std::string_view name) {
  if (const auto known = recent_.find(name); known != recent_.end()) return &known->second;
  const auto older = older_.find(name);
  if (older == older_.end()) return nullptr;
  return &recent_.insert(older_.extract(older)).position->second;
}

void account_ids::forget() {
  recent_.clear();
  older_.clear();
}

void account_ids::forget_some() {
  if (recent_.size() <= capacity_ / 2) return;
  older_ = std::exchange(recent_, {});
}

}  // namespace restante
