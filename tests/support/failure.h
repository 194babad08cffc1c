// What the harness throws when something it needs does not happen. GoogleTest reports it as the test's
// failure, so helpers can return values instead of being wrapped in assertions.
#pragma once

#include <stdexcept>

namespace restante::support {

class failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace restante::support
