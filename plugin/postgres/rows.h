// What a statement returned. Columns are numbered from 0. All values are read in binary.
//
// Asking a column for a type it does not have, or for a value where there is a null, is a mistake in the
// program and throws std::logic_error.
//
// Ownership: rows own their memory and may outlive the connection; text and bytes are views into them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct pg_result;

namespace restante {

class row {
 public:
  bool is_null(int column) const;
  std::int64_t int64(int column) const;  // of smallint, integer or bigint
  std::int32_t int32(int column) const;  // of smallint or integer
  std::int16_t int16(int column) const;  // of smallint
  bool boolean(int column) const;
  double number(int column) const;           // of double precision
  std::string_view text(int column) const;   // of text, name, varchar and domains over them
  std::string_view bytea(int column) const;  // as it is

  std::optional<std::int64_t> optional_int64(int column) const;
  std::optional<std::int32_t> optional_int32(int column) const;
  std::optional<std::int16_t> optional_int16(int column) const;
  std::optional<bool> optional_boolean(int column) const;
  std::optional<std::string_view> optional_text(int column) const;
  std::optional<std::string_view> optional_bytea(int column) const;

 private:
  friend class rows;
  row(const pg_result* result, int index) : result_(result), index_(index) {}
  std::string_view raw(int column) const;

  const pg_result* result_;
  int index_;
};

class rows {
 public:
  std::size_t size() const noexcept;
  bool empty() const noexcept { return size() == 0; }
  // Rows inserted, updated, deleted or selected.
  std::int64_t affected() const noexcept;
  // `index` below size().
  row operator[](std::size_t index) const { return row(result_.get(), static_cast<int>(index)); }

  class iterator {
   public:
    iterator(const rows* of, std::size_t index) : of_(of), index_(index) {}
    row operator*() const { return (*of_)[index_]; }
    iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator==(const iterator& other) const { return index_ == other.index_; }

   private:
    const rows* of_;
    std::size_t index_;
  };
  iterator begin() const { return iterator(this, 0); }
  iterator end() const { return iterator(this, size()); }

 private:
  friend class connection;
  friend class pipeline;
  struct clear_result {
    void operator()(pg_result* result) const noexcept;
  };
  explicit rows(pg_result* result) : result_(result) {}

  std::unique_ptr<pg_result, clear_result> result_;
};

}  // namespace restante
