#include "postgres/connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>
#include <vector>

namespace restante {
namespace {

using steady = std::chrono::steady_clock;

struct finish_connection {
  void operator()(PGconn* handle) const noexcept { PQfinish(handle); }
};
struct clear_result {
  void operator()(PGresult* answer) const noexcept { PQclear(answer); }
};
using connection_handle = std::unique_ptr<PGconn, finish_connection>;
using result_handle = std::unique_ptr<PGresult, clear_result>;

// How long the server may take to end a statement by itself before the connection is given up.
constexpr std::chrono::milliseconds answer_grace{1000};

extern "C" void drop_notice(void*, const char*) noexcept {}

std::string one_line(const char* text) {
  std::string line;
  for (const char* at = text ? text : ""; *at; ++at) {
    if (*at == '\n' || *at == '\r' || *at == '\t') {
      if (!line.empty() && line.back() != ' ') line += ' ';
    } else {
      line += *at;
    }
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

database_failure classify(std::string_view sqlstate) {
  if (sqlstate.starts_with("08") || sqlstate.starts_with("57P") || sqlstate == "25006") {
    return database_failure::unreachable;
  }
  if (sqlstate.starts_with("28")) return database_failure::refused_login;
  if (sqlstate.starts_with("40") || sqlstate == "55P03" || sqlstate == "57014") {
    return database_failure::conflict;
  }
  if (sqlstate.starts_with("22") || sqlstate.starts_with("23")) return database_failure::data;
  return database_failure::other;
}

database_error unreachable(std::string message) {
  return {database_failure::unreachable, "", std::move(message)};
}

}  // namespace

class connection::implementation {
 public:
  implementation(connection_handle handle, std::chrono::milliseconds statement_timeout)
      : handle_(std::move(handle)), statement_timeout_(statement_timeout) {
    PQsetnonblocking(handle_.get(), 1);
  }

  PGconn* handle() const noexcept { return handle_.get(); }
  bool is_usable() const noexcept { return handle_ && PQstatus(handle_.get()) == CONNECTION_OK; }

  void set_timeout(std::chrono::milliseconds limit) noexcept { statement_timeout_ = limit; }
  bool is_prepared(std::string_view name) const { return prepared_.contains(name); }
  void remember_prepared(std::string_view name) { prepared_.emplace(name); }

  void start_deadline() {
    deadline_.reset();
    if (statement_timeout_.count() > 0) deadline_ = steady::now() + statement_timeout_ + answer_grace;
  }

  // After a PQsend...: `sent` is what that returned. The last result, or the first error of several.
  result<result_handle> finish(int sent) {
    if (sent != 1) return broken();
    if (auto flushed = flush(); !flushed) return flushed.error();
    result_handle last;
    std::optional<database_error> failure;
    for (;;) {
      while (PQisBusy(handle_.get())) {
        if (auto waited = wait(POLLIN); !waited) return waited.error();
        if (!PQconsumeInput(handle_.get())) return broken();
      }
      result_handle next(PQgetResult(handle_.get()));
      if (!next) break;
      switch (PQresultStatus(next.get())) {
        case PGRES_COMMAND_OK:
        case PGRES_TUPLES_OK:
        case PGRES_EMPTY_QUERY:
          break;
        case PGRES_COPY_IN:
        case PGRES_COPY_OUT:
        case PGRES_COPY_BOTH:
          handle_.reset();
          return database_error{database_failure::other, "", "COPY is not for this connection"};
        default:
          if (!failure) failure = error_of(next.get());
      }
      last = std::move(next);
    }
    if (failure) {
      if (failure->kind == database_failure::unreachable) handle_.reset();
      return *failure;
    }
    if (!is_usable() || !last) return broken();
    return last;
  }

  database_error broken() {
    std::string message = handle_ ? one_line(PQerrorMessage(handle_.get())) : "";
    if (message.empty()) message = "the connection to PostgreSQL is closed";
    handle_.reset();
    return unreachable(std::move(message));
  }

 private:
  result<void> flush() {
    for (;;) {
      const int left = PQflush(handle_.get());
      if (left == 0) return {};
      if (left < 0) return broken();
      if (auto waited = wait(POLLIN | POLLOUT); !waited) return waited.error();
      // A server that cannot send cannot read either: take what it has.
      if (!PQconsumeInput(handle_.get())) return broken();
    }
  }

  result<void> wait(int events) {
    for (;;) {
      int timeout_ms = -1;
      if (deadline_) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - steady::now());
        timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
      }
      if (PQsocket(handle_.get()) < 0) return broken();
      pollfd watched{PQsocket(handle_.get()), static_cast<short>(events), 0};
      const int ready = poll(&watched, 1, timeout_ms);
      if (ready > 0) return {};
      if (ready < 0 && errno != EINTR) return broken();
      if (deadline_ && steady::now() >= *deadline_) {
        handle_.reset();
        return unreachable("PostgreSQL did not answer within " +
                           std::to_string((statement_timeout_ + answer_grace).count()) + " ms");
      }
    }
  }

  database_error error_of(const PGresult* answer) {
    const char* sqlstate = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
    const char* primary = PQresultErrorField(answer, PG_DIAG_MESSAGE_PRIMARY);
    const char* detail = PQresultErrorField(answer, PG_DIAG_MESSAGE_DETAIL);
    if (!sqlstate) return unreachable(one_line(PQresultErrorMessage(answer)));
    std::string message = one_line(primary);
    if (detail) message += ": " + one_line(detail);
    return {classify(sqlstate), sqlstate, std::move(message)};
  }

  connection_handle handle_;
  std::chrono::milliseconds statement_timeout_;
  std::optional<steady::time_point> deadline_;
  std::set<std::string, std::less<>> prepared_;
};

connection::connection(std::unique_ptr<implementation> how) : how_(std::move(how)) {}
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
  connection made(std::make_unique<implementation>(std::move(handle), setup_timeout));
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

namespace {

// The parallel arrays that libpq takes.
struct wire_parameters {
  explicit wire_parameters(std::span<const parameter> parameters) {
    for (const parameter& each : parameters) {
      types.push_back(each.type());
      values.push_back(each.data());
      lengths.push_back(each.size_bytes());
      formats.push_back(1);
    }
  }
  int count() const { return static_cast<int>(types.size()); }
  std::vector<Oid> types;
  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<int> formats;
};

}  // namespace

result<rows> connection::execute(std::string_view sql, std::span<const parameter> parameters) {
  if (!is_usable()) return how_->broken();
  const wire_parameters wire(parameters);
  how_->start_deadline();
  auto answer = how_->finish(PQsendQueryParams(how_->handle(), std::string(sql).c_str(), wire.count(),
                                               wire.types.data(), wire.values.data(), wire.lengths.data(),
                                               wire.formats.data(), 1));
  if (!answer) return answer.error();
  return rows(answer->release());
}

result<rows> connection::execute(const statement& prepared, std::span<const parameter> parameters) {
  if (!is_usable()) return how_->broken();
  const wire_parameters wire(parameters);
  const std::string name(prepared.name);
  how_->start_deadline();
  if (!how_->is_prepared(prepared.name)) {
    auto made = how_->finish(PQsendPrepare(how_->handle(), name.c_str(), std::string(prepared.sql).c_str(),
                                           wire.count(), wire.types.data()));
    if (!made) return made.error();
    how_->remember_prepared(prepared.name);
  }
  auto answer =
      how_->finish(PQsendQueryPrepared(how_->handle(), name.c_str(), wire.count(), wire.values.data(),
                                       wire.lengths.data(), wire.formats.data(), 1));
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
