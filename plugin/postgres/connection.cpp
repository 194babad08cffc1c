#include "postgres/connection.h"

#include <libpq-fe.h>

#include <algorithm>
#include <utility>

#include "postgres/wire.h"

namespace restante {
namespace {

using steady = std::chrono::steady_clock;

extern "C" void drop_notice(void*, const char*) noexcept {}

}  // namespace

connection::connection(std::unique_ptr<wire> how) : how_(std::move(how)) {}
connection::connection(connection&&) noexcept = default;
connection& connection::operator=(connection&&) noexcept = default;
connection::~connection() = default;

result<connection> connection::open(const connection_settings& settings) {
  const std::string timeout_s = std::to_string(std::max<std::int64_t>(2, settings.connect_timeout.count()));
  // What stands before dbname yields to what the operator wrote in it; what stands after prevails.
  const char* const keywords[] = {"keepalives_idle",
                                  "keepalives_interval",
                                  "keepalives_count",
                                  "tcp_user_timeout",
                                  "dbname",
                                  "application_name",
                                  "connect_timeout",
                                  "client_encoding",
                                  nullptr};
  const char* const values[] = {"10",
                                "5",
                                "3",
                                "20000",
                                settings.database.c_str(),
                                settings.application_name.c_str(),
                                timeout_s.c_str(),
                                "UTF8",
                                nullptr};
  const steady::time_point started = steady::now();
  connection_handle handle(PQconnectdbParams(keywords, values, 1));
  if (!handle) return unreachable("out of memory while connecting to PostgreSQL");
  if (PQstatus(handle.get()) != CONNECTION_OK) {
    database_error error = unreachable(one_line(PQerrorMessage(handle.get())));
    handle.reset();
    // libpq keeps the SQLSTATE of a refused connection to itself; a ping tells whether somebody answers
    // there.
    if (steady::now() - started < settings.connect_timeout / 2 &&
        PQpingParams(keywords, values, 1) == PQPING_OK) {
      error.kind = database_failure::refused_login;
    }
    return error;
  }
  PQsetNoticeProcessor(handle.get(), drop_notice, nullptr);

  // The limit holds for these settings too, so that no server can make us wait for ever.
  const std::chrono::milliseconds setup_timeout =
      settings.statement_timeout.count() > 0 ? settings.statement_timeout : settings.connect_timeout;
  connection made(std::make_unique<wire>(std::move(handle), setup_timeout, settings.interruption));
  constexpr std::string_view setup =
      "set synchronous_commit = on; set search_path = restante, pg_temp; set timezone = 'UTC';"
      "set standard_conforming_strings = on; set default_transaction_isolation = 'read committed';";
  if (auto done = made.execute_script(setup); !done) return done.error();
  if (auto done = made.set_statement_timeout(settings.statement_timeout); !done) return done.error();
  return made;
}

result<rows> connection::execute(std::string_view sql, std::initializer_list<parameter> parameters) {
  return execute(sql, std::span<const parameter>(parameters.begin(), parameters.size()));
}

result<rows> connection::execute(const statement& prepared, std::initializer_list<parameter> parameters) {
  return execute(prepared, std::span<const parameter>(parameters.begin(), parameters.size()));
}

result<rows> connection::execute(std::string_view sql, std::span<const parameter> parameters) {
  if (!is_usable()) return how_->broken();
  const wire_parameters sent(parameters);
  how_->start_deadline();
  auto answer = how_->finish(PQsendQueryParams(how_->handle(), std::string(sql).c_str(), sent.count(),
                                               sent.types.data(), sent.values.data(), sent.lengths.data(),
                                               sent.formats.data(), 1));
  if (!answer) return answer.error();
  return rows(answer->release());
}

result<rows> connection::execute(const statement& prepared, std::span<const parameter> parameters) {
  if (!is_usable()) return how_->broken();
  const wire_parameters sent(parameters);
  const std::string name(prepared.name);
  how_->start_deadline();
  if (!how_->is_prepared(prepared.name)) {
    auto made = how_->finish(PQsendPrepare(how_->handle(), name.c_str(), std::string(prepared.sql).c_str(),
                                           sent.count(), sent.types.data()));
    if (!made) return made.error();
    how_->remember_prepared(prepared.name);
  }
  auto answer =
      how_->finish(PQsendQueryPrepared(how_->handle(), name.c_str(), sent.count(), sent.values.data(),
                                       sent.lengths.data(), sent.formats.data(), 1));
  if (!answer) return answer.error();
  return rows(answer->release());
}

result<void> connection::execute_script(std::string_view sql) {
  if (!is_usable()) return how_->broken();
  how_->start_deadline();
  auto answer = how_->finish(PQsendQuery(how_->handle(), std::string(sql).c_str()));
  if (!answer) return answer.error();
  return {};
}

result<void> connection::set_statement_timeout(std::chrono::milliseconds limit) {
  auto done = execute("select set_config('statement_timeout', $1, false)", {std::to_string(limit.count())});
  if (!done) return done.error();
  how_->set_timeout(limit);
  return {};
}

bool connection::is_usable() const noexcept { return how_ && how_->is_usable(); }

bool connection::in_transaction() const noexcept {
  if (!is_usable()) return false;
  const PGTransactionStatusType status = PQtransactionStatus(how_->handle());
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

int connection::socket() const noexcept { return is_usable() ? PQsocket(how_->handle()) : -1; }

result<std::size_t> connection::consume_notifications() {
  if (!is_usable() || !PQconsumeInput(how_->handle())) return how_->broken();
  std::size_t count = 0;
  while (PGnotify* notification = PQnotifies(how_->handle())) {
    PQfreemem(notification);
    ++count;
  }
  return count;
}

int connection::server_version() const noexcept { return is_usable() ? PQserverVersion(how_->handle()) : 0; }

result<transaction> transaction::begin(connection& on) {
  if (auto done = on.execute_script("begin"); !done) return done.error();
  return transaction(&on);
}

transaction::~transaction() {
  // What cannot be rolled back has no connection any more, and is rolled back by that.
  if (on_ && on_->in_transaction()) static_cast<void>(on_->execute_script("rollback"));
}

result<void> transaction::commit() {
  // The server answers a commit of a failed transaction with success, and rolls back.
  if (on_->is_usable() && PQtransactionStatus(on_->how_->handle()) == PQTRANS_INERROR) {
    return database_error{database_failure::other, "25P02", "the transaction has failed already"};
  }
  return on_->execute_script("commit");
}

}  // namespace restante
