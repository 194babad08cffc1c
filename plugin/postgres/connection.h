// One connection to PostgreSQL. Calls wait, but never for longer than they were told to.
//
// Every session has synchronous_commit on, the search path `restante, pg_temp`, UTF-8 and UTC, whatever the
// operator's settings say.
//
// Errors are values (result.h). After `unreachable` the connection is of no more use: open another.
//
// Threads: one at a time. Ownership: move-only; closes itself.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "postgres/parameter.h"
#include "postgres/result.h"
#include "postgres/rows.h"

namespace restante {

// A statement with a name of its own, prepared on a connection when first used there. Its parameters must
// have the same types in every call (a null has one too). Meant for constants.
struct statement {
  std::string_view name;
  std::string_view sql;
};

struct connection_settings {
  std::string database;  // libpq's conninfo or URI; empty: libpq's environment variables
  std::string application_name = "restante";
  std::chrono::seconds connect_timeout{5};  // for each host; libpq takes no less than 2
  // How long one statement may take. The server ends it then, and should the server not answer either, the
  // connection is given up a second later. Zero: no limit.
  std::chrono::milliseconds statement_timeout{0};
  // Once this descriptor is readable, every wait for an answer ends as `unreachable`. -1: none. Not owned.
  int interruption = -1;
};

class wire;

class connection {
 public:
  static result<connection> open(const connection_settings& settings);

  connection(connection&&) noexcept;
  connection& operator=(connection&&) noexcept;
  ~connection();

  // One statement; parameters are $1, $2, ... .
  result<rows> execute(std::string_view sql, std::span<const parameter> parameters);
  result<rows> execute(std::string_view sql, std::initializer_list<parameter> parameters = {});
  result<rows> execute(const statement& prepared, std::span<const parameter> parameters);
  result<rows> execute(const statement& prepared, std::initializer_list<parameter> parameters = {});

  // Any number of statements without parameters; those outside an explicit transaction are one transaction.
  result<void> execute_script(std::string_view sql);

  // In force from the next statement on. Zero: no limit.
  result<void> set_statement_timeout(std::chrono::milliseconds limit);

  // False once the connection broke or was given up.
  bool is_usable() const noexcept;
  // Whether a transaction is open, failed ones included.
  bool in_transaction() const noexcept;

  // For poll(2): readable when there may be notifications. -1 when not usable.
  int socket() const noexcept;
  // Takes what has arrived, without waiting; how many notifications there were.
  result<std::size_t> consume_notifications();

  int server_version() const noexcept;  // 150004 for 15.4

 private:
  friend class pipeline;
  friend class transaction;
  explicit connection(std::unique_ptr<wire> how);
  std::unique_ptr<wire> how_;
};

// Rolls back unless committed.
class transaction {
 public:
  static result<transaction> begin(connection& on);
  transaction(transaction&& other) noexcept : on_(std::exchange(other.on_, nullptr)) {}
  transaction& operator=(transaction&&) = delete;
  ~transaction();

  // `unreachable` from here means that nobody knows whether it was committed. Every other error means that it
  // was not.
  result<void> commit();

 private:
  explicit transaction(connection* on) : on_(on) {}
  connection* on_;
};

}  // namespace restante
