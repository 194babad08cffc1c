#include "postgres/rows.h"

#include <libpq-fe.h>

#include <bit>
#include <cstdlib>
#include <stdexcept>

namespace restante {
namespace {

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

[[noreturn]] void wrong_type(int column) {
  throw std::logic_error("column " + std::to_string(column) + " is not of the type it was read as");
}

}  // namespace

bool row::is_null(int column) const { return PQgetisnull(result_, index_, column) != 0; }

std::string_view row::raw(int column) const {
  if (column < 0 || column >= PQnfields(result_)) wrong_type(column);
  if (is_null(column)) throw std::logic_error("column " + std::to_string(column) + " is null");
  return {PQgetvalue(result_, index_, column),
          static_cast<std::size_t>(PQgetlength(result_, index_, column))};
}

std::int64_t row::int64(int column) const {
  const std::string_view bytes = raw(column);
  switch (bytes.size()) {
    case 2:
      return static_cast<std::int16_t>(big_endian(bytes));
    case 4:
      return static_cast<std::int32_t>(big_endian(bytes));
    case 8:
      return static_cast<std::int64_t>(big_endian(bytes));
    default:
      wrong_type(column);
  }
}

std::int32_t row::int32(int column) const {
  if (raw(column).size() > 4) wrong_type(column);
  return static_cast<std::int32_t>(int64(column));
}

std::int16_t row::int16(int column) const {
  if (raw(column).size() > 2) wrong_type(column);
  return static_cast<std::int16_t>(int64(column));
}

bool row::boolean(int column) const {
  const std::string_view bytes = raw(column);
  if (bytes.size() != 1) wrong_type(column);
  return bytes[0] != 0;
}

double row::number(int column) const {
  const std::string_view bytes = raw(column);
  if (bytes.size() != 8) wrong_type(column);
  return std::bit_cast<double>(big_endian(bytes));
}

std::string_view row::text(int column) const { return raw(column); }
std::string_view row::bytea(int column) const { return raw(column); }

std::optional<std::int64_t> row::optional_int64(int column) const {
  if (is_null(column)) return std::nullopt;
  return int64(column);
}
std::optional<std::int32_t> row::optional_int32(int column) const {
  if (is_null(column)) return std::nullopt;
  return int32(column);
}
std::optional<std::int16_t> row::optional_int16(int column) const {
  if (is_null(column)) return std::nullopt;
  return int16(column);
}
std::optional<bool> row::optional_boolean(int column) const {
  if (is_null(column)) return std::nullopt;
  return boolean(column);
}
std::optional<std::string_view> row::optional_text(int column) const {
  if (is_null(column)) return std::nullopt;
  return text(column);
}
std::optional<std::string_view> row::optional_bytea(int column) const {
  if (is_null(column)) return std::nullopt;
  return bytea(column);
}

std::size_t rows::size() const noexcept { return static_cast<std::size_t>(PQntuples(result_.get())); }

std::int64_t rows::affected() const noexcept { return std::strtoll(PQcmdTuples(result_.get()), nullptr, 10); }

void rows::clear_result::operator()(pg_result* result) const noexcept { PQclear(result); }

}  // namespace restante
