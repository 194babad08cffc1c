// The targets that the configuration asks for.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "bridge/configuration/configuration.h"
#include "bridge/core/ports.h"
#include "bridge/core/target.h"

namespace restante {

struct named_target {
  std::string name;
  std::unique_ptr<target> service;
  http_request probe;  // changes nothing; to try the connection with
};

// Or what is wrong with the settings, one line. `clock` is to outlive the targets.
std::variant<std::vector<named_target>, std::string> make_targets(const configuration& from,
                                                                  const bridge_clock& clock);

}  // namespace restante
