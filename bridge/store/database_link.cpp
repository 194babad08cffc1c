#include "bridge/store/database_link.h"

#include <array>
#include <utility>

namespace restante {

std::string describe_for_bridge(const database_error& error) {
  const std::string_view state = error.sqlstate;
  if (state == "42P01" || state == "42883" || state == "3F000") {
    return error.message + ": the database lacks what this version needs, run `restante migrate`";
  }
  if (state == "42501") return error.message + ": grant the role restante_bridge to the bridge's login";
  return error.message;
}

database_link::database_link(std::string database, std::string what, bridge_log& log,
                             std::chrono::milliseconds statement_timeout)
    : database_(std::move(database)),
      what_(std::move(what)),
      log_(log),
      statement_timeout_(statement_timeout) {}

connection* database_link::get() {
  if (interruption_.tripped()) return nullptr;
  if (connection_ && connection_->is_usable()) return &*connection_;
  if (std::chrono::steady_clock::now() < next_attempt_) return nullptr;
  auto opened = connection::open({.database = database_,
                                  .application_name = "restante-bridge " + what_,
                                  .connect_timeout = std::chrono::seconds(2),
                                  .statement_timeout = statement_timeout_,
                                  .interruption = interruption_.descriptor()});
  if (!opened) {
    lose(describe_for_bridge(opened.error()));
    return nullptr;
  }
  connection_ = std::move(opened).value();
  if (prepare_) {
    if (auto done = prepare_(*connection_); !done) {
      lose(describe_for_bridge(done.error()));
      return nullptr;
    }
  }
  if (!said_.empty()) {
    const std::array fields{bridge_log::field{"connection", what_}};
    log_.write(bridge_log_level::info, "database_back", fields);
    said_.clear();
  }
  pause_.reset();
  reachable_ = true;
  return &*connection_;
}

void database_link::failed(const database_error& why) { lose(describe_for_bridge(why)); }

void database_link::lose(const std::string& why) {
  connection_.reset();
  next_attempt_ = std::chrono::steady_clock::now() + pause_.next();
  reachable_ = false;
  if (interruption_.tripped() || said_ == why) return;
  const std::array fields{bridge_log::field{"connection", what_}, bridge_log::field{"error", why}};
  log_.write(bridge_log_level::error, "database_unreachable", fields);
  said_ = why;
}

}  // namespace restante
