// How restante-bridge ends; scripts rely on it. The same numbers as restante's own.
#pragma once

namespace restante {

enum class bridge_exit : int {
  done = 0,         // stopped by a signal; --check: all is well
  refused = 1,      // the configuration, or --check: something does not work
  usage = 2,        // the command line itself is wrong
  unreachable = 3,  // --check: no connection to the database
};

}  // namespace restante
