// Statements that travel together: each is sent without waiting for the answer to the one before, so that all
// of them take one round trip. They are one transaction, which finish() commits.
//
// After the first failure the server passes over all that follows, and nothing is committed. An answer that
// is wanted before the end costs one round trip more.
//
// Nothing else may be done with the connection meanwhile, and it must outlive the pipeline. One that is left
// without finish() is rolled back, at the price of the connection unless it had failed already.
//
// Threads: that of the connection. Ownership: move-only.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>

#include "postgres/connection.h"

namespace restante {

class pipeline {
 public:
  static result<pipeline> begin(connection& on);
  pipeline(pipeline&&) noexcept;
  pipeline& operator=(pipeline&&) = delete;
  ~pipeline();

  // Returns its place, by which its answer can be had. Waits only for large parameters to be sent.
  std::size_t add(const statement& prepared, std::span<const parameter> parameters);
  std::size_t add(const statement& prepared, std::initializer_list<parameter> parameters);

  // Once for each place, in the order of places; an error is that of the first statement that failed.
  result<rows> answer(std::size_t place);

  // Once, as the last call. `unreachable` means that nobody knows whether it was committed; every other error
  // means that it was not.
  result<void> finish();

 private:
  class implementation;
  explicit pipeline(std::unique_ptr<implementation> how);
  std::unique_ptr<implementation> how_;
};

}  // namespace restante
