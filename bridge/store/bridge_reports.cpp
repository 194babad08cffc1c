#include "bridge/store/bridge_reports.h"

#include <utility>

#include "bridge/store/profile_rows.h"

namespace restante {
namespace {

constexpr statement report_statement{"report_bridge",
                                     "select restante.report_bridge($1, $2, $3, $4, $5, $6, $7)::text"};
constexpr statement backlog_statement{
    "backlog", "select waiting, oldest_waiting_seconds, parked, gone from restante.sync_backlog($1)"};
// A request waits for a bridge for thirty days at most, unless the broker's `retention` is longer.
constexpr statement prune_statement{"prune_answers", "select restante.prune_answers('31 days', 10000)"};

}  // namespace

bridge_reports::bridge_reports(std::string database, bridge_log& log)
    : link_(std::move(database), "reports", log) {}

std::optional<rows> bridge_reports::ask(const statement& what, std::initializer_list<parameter> parameters) {
  connection* on = link_.get();
  if (!on) return std::nullopt;
  auto answer = on->execute(what, parameters);
  if (!answer) {
    link_.failed(answer.error());
    return std::nullopt;
  }
  return std::move(answer).value();
}

bool bridge_reports::report(const bridge_report& of, std::span<const target_report> targets) {
  text_array names, errors;
  int16_array available;
  for (const target_report& each : targets) {
    names.push(each.target);
    available.push(static_cast<std::int16_t>(each.available ? 1 : 0));
    errors.push(storable(each.error));
  }
  return ask(report_statement, {of.name, of.version, of.mqtt_connected, std::int64_t{of.running.count()},
                                names, available, errors})
      .has_value();
}

std::optional<sync_backlog> bridge_reports::backlog(const std::string& target) {
  const auto answer = ask(backlog_statement, {target});
  if (!answer) return std::nullopt;
  const row only = (*answer)[0];
  return sync_backlog{.waiting = only.int64(0),
                      .oldest_waiting_seconds = only.number(1),
                      .parked = only.int64(2),
                      .gone = only.int64(3)};
}

bool bridge_reports::prune_answers() { return ask(prune_statement, {}).has_value(); }

}  // namespace restante
