// Values that go to PostgreSQL, each with its type, in binary form.
//
// Ownership: text, bytes and arrays are viewed, not copied: what a parameter was made from must outlive the
// call that sends it.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace restante {

// Bytes, told from text by their type.
struct bytea_view {
  std::string_view bytes;
};

// A one-dimensional array with nullable elements, encoded as it grows, so that a batch is never copied.
// PostgreSQL takes at most 1 GB in one value.
class array_buffer {
 public:
  std::size_t size() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }
  std::size_t size_bytes() const noexcept { return encoded_.size(); }
  void push_null();
  void clear();

 protected:
  array_buffer(std::uint32_t array_type, std::uint32_t element_type);
  void push_bytes(std::string_view bytes);
  void push_int64_bits(std::uint64_t bits, std::uint32_t size_bytes);

 private:
  friend class parameter;
  void begin_element();

  std::uint32_t array_type_;
  std::uint32_t element_type_;
  std::uint32_t count_ = 0;
  std::string encoded_;
};

class int64_array : public array_buffer {
 public:
  int64_array();
  void push(std::int64_t value);
  void push(std::optional<std::int64_t> value);
};

class int16_array : public array_buffer {
 public:
  int16_array();
  void push(std::int16_t value);
  void push(std::optional<std::int16_t> value);
};

class text_array : public array_buffer {
 public:
  text_array();
  void push(std::string_view value);
};

class bytea_array : public array_buffer {
 public:
  bytea_array();
  void push(std::string_view bytes);
};

class parameter {
 public:
  parameter(std::string_view text);
  parameter(const char* text);
  parameter(const std::string& text);
  parameter(bytea_view bytes);
  template <std::same_as<bool> Bool>
  parameter(Bool value) : parameter(make_bool(value)) {}
  template <std::integral Integer>
  requires(!std::same_as<Integer, bool>) parameter(Integer value)
      : parameter(make_int64(static_cast<std::int64_t>(value))) {}
  parameter(double value);
  parameter(const array_buffer& array);
  // A null keeps its type, so that a statement prepared with a null takes a value the next time.
  template <typename Value>
  parameter(const std::optional<Value>& value) : parameter(value ? parameter(*value) : null_like(Value{})) {}

  // For connection.cpp: the OID of the type, and the binary form; `data()` is null for null.
  std::uint32_t type() const noexcept { return type_; }
  const char* data() const noexcept;
  int size_bytes() const noexcept { return static_cast<int>(size_bytes_); }

 private:
  parameter() = default;
  static parameter make_bool(bool value);
  static parameter make_int64(std::int64_t value);
  static parameter null_like(parameter example);

  std::uint32_t type_ = 0;
  bool null_ = false;
  bool inlined_ = false;
  std::array<char, 8> inline_{};
  const char* data_ = nullptr;
  std::size_t size_bytes_ = 0;
};

}  // namespace restante
