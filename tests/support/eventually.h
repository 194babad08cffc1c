// Waiting for a condition, never for a time.
#pragma once

#include <poll.h>

#include <chrono>
#include <string>

#include "support/failure.h"

namespace restante::support {

// Generous, since it is only reached by a test that fails: a loaded machine must not make a test fail.
constexpr std::chrono::milliseconds patience{20'000};

// Asks until `condition` holds or `deadline` has passed, and says whether it held. Between questions it gives
// the processor away for `pause`.
template <class Condition>
bool eventually(Condition&& condition, std::chrono::milliseconds deadline = patience,
                std::chrono::milliseconds pause = std::chrono::milliseconds{5}) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    ::poll(nullptr, 0, static_cast<int>(pause.count()));
  }
  return true;
}

// The same, for what must hold for the test to make sense. Throws `failure` naming `what`.
template <class Condition>
void require_eventually(const std::string& what, Condition&& condition,
                        std::chrono::milliseconds deadline = patience) {
  if (!eventually(condition, deadline)) throw failure("did not happen in time: " + what);
}

}  // namespace restante::support
