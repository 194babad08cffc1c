// Verifies passwords as verify_password() does, and remembers its verdicts, so that the same password is not
// hashed again when a client comes back. A client whose first login took too long is so answered at its next.
//
// What is remembered is an HMAC-SHA-256 of password and hash with a random key of this object's: whoever
// reads this memory must still guess. A changed password has another hash, of which nothing is remembered.
//
// Bounds: 16,384 passwords that were right and 1,024 that were wrong, those used last. Only somebody who
// repeats a guess learns from the time that it was his own. Threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_set>

#include "crypto/hmac.h"

namespace restante {

class password_memory {
 public:
  static constexpr std::size_t most_right = 16'384;
  static constexpr std::size_t most_wrong = 1'024;

  // Throws std::runtime_error when there is no randomness.
  password_memory();
  // Without memory it remembers nothing.
  bool verify(std::string_view plain, std::string_view hash) noexcept;

 private:
  struct mac_hash {
    std::size_t operator()(const sha256_mac& mac) const noexcept {
      std::size_t taken;
      std::memcpy(&taken, mac.data(), sizeof taken);
      return taken;
    }
  };
  // Two halves: when the younger is full it becomes the older, and the older is forgotten.
  class recent_set {
   public:
    explicit recent_set(std::size_t most) : half_(most / 2) {}
    bool contains(const sha256_mac& mac);
    void insert(const sha256_mac& mac);

   private:
    std::size_t half_;
    std::unordered_set<sha256_mac, mac_hash> younger_, older_;
  };

  const std::string key_;
  recent_set right_{most_right};
  recent_set wrong_{most_wrong};
};

}  // namespace restante
