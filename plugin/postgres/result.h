// A value, or the reason why there is none. Nothing here throws for what a database may do.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace restante {

// One for each reaction a caller may have.
enum class database_failure {
  unreachable,    // no connection, or it broke, or it leads to a read-only standby: connect again later
  refused_login,  // the server answers but does not let us in: mend the settings
  conflict,       // serialization, deadlock, a time-out, a full disk: the same may succeed if tried again
  data,           // the values are at fault (SQLSTATE classes 22 and 23): the same fails again
  other,          // privileges, missing tables, a mistake in a statement
};

struct database_error {
  database_failure kind = database_failure::other;
  std::string sqlstate;  // five characters, or empty when the server did not speak
  std::string message;   // one line
};

template <typename Value, typename Error = database_error>
class [[nodiscard]] result {
 public:
  result(Value value) : state_(std::in_place_index<0>, std::move(value)) {}
  result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  // Only when ok(); else std::bad_variant_access.
  Value& value() & { return std::get<0>(state_); }
  const Value& value() const& { return std::get<0>(state_); }
  Value&& value() && { return std::get<0>(std::move(state_)); }
  Value& operator*() & { return value(); }
  const Value& operator*() const& { return value(); }
  Value&& operator*() && { return std::move(*this).value(); }
  Value* operator->() { return &value(); }
  const Value* operator->() const { return &value(); }

  // Only when not ok(); else std::bad_variant_access.
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<Value, Error> state_;
};

// Done, or the reason why not.
template <typename Error>
class [[nodiscard]] result<void, Error> {
 public:
  result() = default;
  result(Error error) : error_(std::move(error)) {}

  bool ok() const noexcept { return !error_; }
  explicit operator bool() const noexcept { return ok(); }
  const Error& error() const { return error_.value(); }

 private:
  std::optional<Error> error_;
};

}  // namespace restante
