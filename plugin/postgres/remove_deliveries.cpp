#include <map>

#include "postgres/batch_statements.h"

namespace restante {
namespace {

constexpr std::int64_t day_us = 86'400'000'000;

struct named_deliveries {
  text_array accounts;
  int64_array numbers;
};

// One day's, with its bounds written into the statement: the planner then looks at one partition only, at its
// present size, which makes a plan of its own for each call cheap and right.
std::string statement_for(std::int64_t day) {
  return "with gone as materialized ("
         "  select b.id as mailbox_id, g.number from unnest($1, $2) g(account, number)"
         "  join account a on a.name = g.account"
         "  join mailbox b on b.account_id = a.id and b.device = '')"
         "delete from delivery d using gone"
         " where d.mailbox_id = gone.mailbox_id and d.number = gone.number and d.number >= " +
         std::to_string(day * day_us) + " and d.number < " + std::to_string((day + 1) * day_us);
}

}  // namespace

result<void> remove_deliveries(connection& from, std::span<const removal> gone) {
  constexpr message_number last_whole_day = (INT64_MAX / day_us - 1) * day_us;
  std::map<std::int64_t, named_deliveries> days;
  for (const removal& each : gone) {
    if (each.number <= 0 || each.number >= last_whole_day) continue;
    named_deliveries& that_day = days[each.number / day_us];
    that_day.accounts.push(each.account);
    that_day.numbers.push(each.number);
  }
  for (const auto& [day, deliveries] : days) {
    const auto answer = from.execute(statement_for(day), {deliveries.accounts, deliveries.numbers});
    if (!answer) return answer.error();
  }
  return {};
}

}  // namespace restante
