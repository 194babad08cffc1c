#include "postgres/parameter.h"

#include <bit>
#include <cstring>
#include <type_traits>

namespace restante {
namespace {

// OIDs of PostgreSQL's own types never change (pg_type.dat).
constexpr std::uint32_t bool_oid = 16, bytea_oid = 17, int8_oid = 20, int2_oid = 21, text_oid = 25,
                        float8_oid = 701;
constexpr std::uint32_t bytea_array_oid = 1001, int2_array_oid = 1005, text_array_oid = 1009,
                        int8_array_oid = 1016;

// An array on the wire: dimensions, has-nulls flag, element type; then, unless empty, size and lower bound of
// the one dimension; then each element's length (-1: null) and bytes. All numbers big-endian.
constexpr std::size_t flag_offset = 4, count_offset = 12, header_size_bytes = 20;

void write_big_endian(char* to, std::uint64_t value, std::uint32_t size_bytes) {
  for (std::uint32_t i = 0; i < size_bytes; ++i) {
    to[i] = static_cast<char>(value >> (8 * (size_bytes - 1 - i)));
  }
}

void append_uint32(std::string& to, std::uint32_t value) {
  char bytes[4];
  write_big_endian(bytes, value, 4);
  to.append(bytes, 4);
}

}  // namespace

array_buffer::array_buffer(std::uint32_t array_type, std::uint32_t element_type)
    : array_type_(array_type), element_type_(element_type) {
  clear();
}

void array_buffer::clear() {
  count_ = 0;
  encoded_.clear();
  append_uint32(encoded_, 0);
  append_uint32(encoded_, 0);
  append_uint32(encoded_, element_type_);
}

void array_buffer::begin_element() {
  if (count_ == 0) {
    write_big_endian(encoded_.data(), 1, 4);
    append_uint32(encoded_, 0);
    append_uint32(encoded_, 1);
    static_assert(header_size_bytes == count_offset + 8);
  }
  ++count_;
  write_big_endian(encoded_.data() + count_offset, count_, 4);
}

void array_buffer::push_null() {
  begin_element();
  write_big_endian(encoded_.data() + flag_offset, 1, 4);
  append_uint32(encoded_, 0xffffffff);
}

void array_buffer::push_bytes(std::string_view bytes) {
  begin_element();
  append_uint32(encoded_, static_cast<std::uint32_t>(bytes.size()));
  encoded_.append(bytes);
}

void array_buffer::push_int64_bits(std::uint64_t bits, std::uint32_t size_bytes) {
  char bytes[8];
  write_big_endian(bytes, bits, size_bytes);
  push_bytes({bytes, size_bytes});
}

int64_array::int64_array() : array_buffer(int8_array_oid, int8_oid) {}
void int64_array::push(std::int64_t value) { push_int64_bits(static_cast<std::uint64_t>(value), 8); }
void int64_array::push(std::optional<std::int64_t> value) { value ? push(*value) : push_null(); }

int16_array::int16_array() : array_buffer(int2_array_oid, int2_oid) {}
void int16_array::push(std::int16_t value) { push_int64_bits(static_cast<std::uint16_t>(value), 2); }
void int16_array::push(std::optional<std::int16_t> value) { value ? push(*value) : push_null(); }

text_array::text_array() : array_buffer(text_array_oid, text_oid) {}
void text_array::push(std::string_view value) { push_bytes(value); }

bytea_array::bytea_array() : array_buffer(bytea_array_oid, bytea_oid) {}
void bytea_array::push(std::string_view bytes) { push_bytes(bytes); }

parameter::parameter(std::string_view text)
    : type_(text_oid), data_(text.data() ? text.data() : ""), size_bytes_(text.size()) {}
parameter::parameter(const char* text) : parameter(std::string_view(text)) {}
parameter::parameter(const std::string& text) : parameter(std::string_view(text)) {}
parameter::parameter(bytea_view bytes)
    : type_(bytea_oid),
      data_(bytes.bytes.data() ? bytes.bytes.data() : ""),
      size_bytes_(bytes.bytes.size()) {}
parameter::parameter(const array_buffer& array)
    : type_(array.array_type_), data_(array.encoded_.data()), size_bytes_(array.encoded_.size()) {}

parameter::parameter(double value) : type_(float8_oid), inlined_(true), size_bytes_(8) {
  write_big_endian(inline_.data(), std::bit_cast<std::uint64_t>(value), 8);
}

parameter parameter::make_bool(bool value) {
  parameter made;
  made.type_ = bool_oid;
  made.inlined_ = true;
  made.inline_[0] = value ? 1 : 0;
  made.size_bytes_ = 1;
  return made;
}

parameter parameter::make_int64(std::int64_t value) {
  parameter made;
  made.type_ = int8_oid;
  made.inlined_ = true;
  write_big_endian(made.inline_.data(), static_cast<std::uint64_t>(value), 8);
  made.size_bytes_ = 8;
  return made;
}

parameter parameter::null_like(parameter example) {
  example.null_ = true;
  example.size_bytes_ = 0;
  return example;
}

const char* parameter::data() const noexcept {
  if (null_) return nullptr;
  return inlined_ ? inline_.data() : data_;
}

}  // namespace restante
