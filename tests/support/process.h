// Child processes that never outlive the test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace restante::support {

struct program {
  std::vector<std::string> arguments;                // the first is the program: a path, or a name on PATH
  std::map<std::string, std::string> environment{};  // beside ours; replaces what has the same name
  std::string user{};                                // run as this user; empty: ours
  std::filesystem::path input{};                     // empty: /dev/null
  std::filesystem::path output{};                    // gets standard output and error; empty: /dev/null
  int death_signal = SIGKILL;                        // for the child when the thread that started it ends
};

// A running program in a process group of its own. The destructor kills the group and waits for the child.
// Not thread-safe; start long-lived ones from the main thread, since they die with the thread that started
// them.
class process {
 public:
  explicit process(const program& what);  // throws failure when it cannot be started
  ~process();
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  void signal(int number);
  // The exit code as a shell has it (128 + signal), or nothing when it still runs at the deadline.
  std::optional<int> wait(std::chrono::milliseconds deadline);

 private:
  bool reap(bool block);

  pid_t pid_ = -1;
  int descriptor_ = -1;  // readable once the child has ended
  std::optional<int> exit_code_;
};

struct finished {
  int exit_code = 0;
  std::string output;  // standard output and error
};

// Runs to the end with `input` as its standard input. Throws failure when `deadline` passes.
finished run(program what, const std::string& input = "",
             std::chrono::milliseconds deadline = std::chrono::seconds{60});

// The same, for what must succeed: throws failure with the output when the exit code is not 0.
std::string run_or_fail(program what, const std::string& input = "",
                        std::chrono::milliseconds deadline = std::chrono::seconds{60});

}  // namespace restante::support
