#include "postgres/wire.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace restante {
namespace {

using steady = std::chrono::steady_clock;

// How long the server may take to end a statement by itself before the connection is given up.
constexpr std::chrono::milliseconds answer_grace{1000};

database_failure classify(std::string_view sqlstate) {
  if (sqlstate.starts_with("08") || sqlstate.starts_with("57P") || sqlstate == "25006") {
    return database_failure::unreachable;
  }
  if (sqlstate.starts_with("28")) return database_failure::refused_login;
  if (sqlstate.starts_with("40") || sqlstate.starts_with("53") || sqlstate == "55P03" ||
      sqlstate == "57014") {
    return database_failure::conflict;
  }
  if (sqlstate.starts_with("22") || sqlstate.starts_with("23")) return database_failure::data;
  return database_failure::other;
}

}  // namespace

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

database_error unreachable(std::string message) {
  return {database_failure::unreachable, "", std::move(message)};
}

wire_parameters::wire_parameters(std::span<const parameter> parameters) {
  for (const parameter& each : parameters) {
    types.push_back(each.type());
    values.push_back(each.data());
    lengths.push_back(each.size_bytes());
    formats.push_back(1);
    size_bytes += static_cast<std::size_t>(each.size_bytes());
  }
}

wire::wire(connection_handle handle, std::chrono::milliseconds statement_timeout, int interruption)
    : handle_(std::move(handle)), statement_timeout_(statement_timeout), interruption_(interruption) {
  PQsetnonblocking(handle_.get(), 1);
}

database_error wire::broken() {
  std::string message = handle_ ? one_line(PQerrorMessage(handle_.get())) : "";
  if (message.empty()) message = "the connection to PostgreSQL is closed";
  handle_.reset();
  return unreachable(std::move(message));
}

void wire::start_deadline() {
  deadline_.reset();
  if (statement_timeout_.count() > 0) deadline_ = steady::now() + statement_timeout_ + answer_grace;
}

result<answer_handle> wire::finish(int sent) {
  if (sent != 1) return broken();
  if (auto flushed = flush(); !flushed) return flushed.error();
  answer_handle last;
  std::optional<database_error> failure;
  for (;;) {
    auto got = next();
    if (!got) return got.error();
    if (!*got) break;
    const ExecStatusType status = PQresultStatus(got->get());
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
      handle_.reset();
      return database_error{database_failure::other, "", "COPY is not for this connection"};
    }
    if (!failure) failure = error_in(got->get());
    last = std::move(got).value();
  }
  if (failure) {
    if (failure->kind == database_failure::unreachable) handle_.reset();
    return *failure;
  }
  if (!is_usable() || !last) return broken();
  return last;
}

result<void> wire::flush() {
  for (;;) {
    const int left = PQflush(handle_.get());
    if (left == 0) return {};
    if (left < 0) return broken();
    if (auto waited = wait(POLLIN | POLLOUT); !waited) return waited.error();
    // A server that cannot send cannot read either: take what it has.
    if (!PQconsumeInput(handle_.get())) return broken();
  }
}

result<answer_handle> wire::next() {
  while (PQisBusy(handle_.get())) {
    if (auto waited = wait(POLLIN); !waited) return waited.error();
    if (!PQconsumeInput(handle_.get())) return broken();
  }
  return answer_handle(PQgetResult(handle_.get()));
}

result<void> wire::wait(int events) {
  for (;;) {
    int timeout_ms = -1;
    if (deadline_) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - steady::now());
      timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
    }
    if (PQsocket(handle_.get()) < 0) return broken();
    pollfd watched[] = {{PQsocket(handle_.get()), static_cast<short>(events), 0}, {interruption_, POLLIN, 0}};
    const int ready = poll(watched, 2, timeout_ms);
    if (ready > 0 && watched[1].revents != 0) {
      handle_.reset();
      return unreachable("the wait for PostgreSQL was ended");
    }
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return broken();
    if (deadline_ && steady::now() >= *deadline_) {
      handle_.reset();
      return unreachable("PostgreSQL did not answer within " +
                         std::to_string((statement_timeout_ + answer_grace).count()) + " ms");
    }
  }
}

std::optional<database_error> wire::error_in(const PGresult* answer) {
  switch (PQresultStatus(answer)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
    case PGRES_PIPELINE_SYNC:
      return std::nullopt;
    default:
      break;
  }
  const char* sqlstate = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
  const char* primary = PQresultErrorField(answer, PG_DIAG_MESSAGE_PRIMARY);
  const char* detail = PQresultErrorField(answer, PG_DIAG_MESSAGE_DETAIL);
  if (!sqlstate) return unreachable(one_line(PQresultErrorMessage(answer)));
  std::string message = one_line(primary);
  if (detail) message += ": " + one_line(detail);
  return database_error{classify(sqlstate), sqlstate, std::move(message)};
}

}  // namespace restante
