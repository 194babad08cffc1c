// Little-endian numbers in texts.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace restante::journal_format {

template <typename Number>
void put(std::string& to, Number value) {
  auto rest = static_cast<std::make_unsigned_t<Number>>(value);
  char bytes[sizeof(Number)];
  for (char& byte : bytes) {
    byte = static_cast<char>(static_cast<unsigned char>(rest & 0xFF));
    if constexpr (sizeof(Number) > 1) rest = static_cast<decltype(rest)>(rest >> 8);
  }
  to.append(bytes, sizeof bytes);
}

template <typename Number>
void put_at(char* to, Number value) {
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(to, &value, sizeof value);
    return;
  }
  auto rest = static_cast<std::make_unsigned_t<Number>>(value);
  for (std::size_t index = 0; index < sizeof(Number); ++index) {
    to[index] = static_cast<char>(static_cast<unsigned char>(rest & 0xFF));
    if constexpr (sizeof(Number) > 1) rest = static_cast<decltype(rest)>(rest >> 8);
  }
}

// Two of a kind: what a record is made of is given to the one to learn its size, and then to the other.
class byte_counter {
 public:
  template <typename Number>
  void number(Number) noexcept {
    size_bytes_ += sizeof(Number);
  }
  void text(std::string_view bytes) noexcept { size_bytes_ += bytes.size(); }
  std::size_t size_bytes() const noexcept { return size_bytes_; }

 private:
  std::size_t size_bytes_ = 0;
};

// There is room for all that is given.
class byte_writer {
 public:
  explicit byte_writer(char* at) noexcept : at_(at) {}

  template <typename Number>
  void number(Number value) noexcept {
    put_at(at_, value);
    at_ += sizeof(Number);
  }
  void text(std::string_view bytes) noexcept { at_ = std::copy(bytes.begin(), bytes.end(), at_); }

 private:
  char* at_;
};

// Takes from the front; once there were too few bytes, all that follows is 0 or empty, and ok() false.
class byte_reader {
 public:
  explicit byte_reader(std::string_view bytes) : rest_(bytes) {}

  template <typename Number>
  Number number() {
    using bits = std::make_unsigned_t<Number>;
    bits value = 0;
    if (rest_.size() < sizeof(Number)) {
      fail();
      return 0;
    }
    for (std::size_t index = 0; index < sizeof(Number); ++index) {
      const auto byte = static_cast<bits>(static_cast<unsigned char>(rest_[index]));
      value = static_cast<bits>(value | static_cast<bits>(byte << (8 * index)));
    }
    rest_.remove_prefix(sizeof(Number));
    return static_cast<Number>(value);
  }
  std::string_view text(std::size_t count, std::size_t most) {
    if (count > most || count > rest_.size()) {
      fail();
      return {};
    }
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  void fail() {
    ok_ = false;
    rest_ = {};
  }

  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && rest_.empty(); }
  std::size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace restante::journal_format
