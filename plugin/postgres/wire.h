// libpq's side of a connection: what is sent and received, and waiting for it no longer than allowed. For
// connection.cpp and pipeline.cpp only.
//
// Threads: one at a time.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/parameter.h"
#include "postgres/result.h"

namespace restante {

struct finish_connection {
  void operator()(PGconn* handle) const noexcept { PQfinish(handle); }
};
struct clear_answer {
  void operator()(PGresult* answer) const noexcept { PQclear(answer); }
};
using connection_handle = std::unique_ptr<PGconn, finish_connection>;
using answer_handle = std::unique_ptr<PGresult, clear_answer>;

std::string one_line(const char* text);
database_error unreachable(std::string message);

// The parallel arrays that libpq takes. Views what the parameters view.
struct wire_parameters {
  explicit wire_parameters(std::span<const parameter> parameters);
  int count() const { return static_cast<int>(types.size()); }
  std::vector<Oid> types;
  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<int> formats;
  std::size_t size_bytes = 0;
};

class wire {
 public:
  // `interruption`: ends every wait once it is readable; -1: nothing does.
  wire(connection_handle handle, std::chrono::milliseconds statement_timeout, int interruption);

  PGconn* handle() const noexcept { return handle_.get(); }
  bool is_usable() const noexcept { return handle_ && PQstatus(handle_.get()) == CONNECTION_OK; }
  void close() noexcept { handle_.reset(); }
  // Closes it, and says why.
  database_error broken();

  void set_timeout(std::chrono::milliseconds limit) noexcept { statement_timeout_ = limit; }
  // The next waits together may take the statement's limit and a second more.
  void start_deadline();

  bool is_prepared(std::string_view name) const { return prepared_.contains(name); }
  void remember_prepared(std::string_view name) { prepared_.emplace(name); }

  // After a PQsend...: `sent` is what that returned. The last result, or the first error of several.
  result<answer_handle> finish(int sent);

  // Sends what libpq holds back.
  result<void> flush();
  // One result; null: there are no more to this statement.
  result<answer_handle> next();
  // Nothing, when it is none.
  static std::optional<database_error> error_in(const PGresult* answer);

 private:
  result<void> wait(int events);

  connection_handle handle_;
  std::chrono::milliseconds statement_timeout_;
  int interruption_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  std::set<std::string, std::less<>> prepared_;
};

}  // namespace restante
