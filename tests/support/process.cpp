#include "support/process.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "support/failure.h"
#include "support/temporary_directory.h"

namespace restante::support {
namespace {

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& each : strings) result.push_back(each.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& ours) {
  std::vector<std::string> result;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view entry = *each;
    if (!ours.contains(std::string(entry.substr(0, entry.find('='))))) result.emplace_back(entry);
  }
  for (const auto& [name, value] : ours) result.push_back(name + "=" + value);
  return result;
}

struct identity {
  bool change = false;
  uid_t user = 0;
  gid_t group = 0;
};

identity identity_of(const std::string& user) {
  if (user.empty()) return {};
  const passwd* entry = getpwnam(user.c_str());
  if (entry == nullptr) throw failure("there is no user " + user);
  return {.change = entry->pw_uid != geteuid(), .user = entry->pw_uid, .group = entry->pw_gid};
}

// Between fork and exec: only calls that are safe after the fork of a program with threads.
[[noreturn]] void become(char* const* arguments, char* const* environment, const char* input,
                         const char* output, const identity& who, int death_signal, pid_t parent) {
  setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int in = open(input, O_RDONLY);
  const int out = open(output, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (in < 0 || out < 0) _exit(126);
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  close_range(STDERR_FILENO + 1, ~0U, 0);
  if (who.change) {
    if (setgroups(0, nullptr) != 0 || setgid(who.group) != 0 || setuid(who.user) != 0) _exit(126);
    if (chdir("/") != 0) _exit(126);  // our folder may be closed to this user
  }
  prctl(PR_SET_PDEATHSIG, death_signal);  // after setuid, which clears it
  if (getppid() != parent) _exit(126);
  execvpe(arguments[0], arguments, environment);
  _exit(127);
}

}  // namespace

process::process(const program& what) {
  std::vector<std::string> arguments = what.arguments;
  std::vector<std::string> environment = merged_environment(what.environment);
  const std::vector<char*> argument_pointers = pointers(arguments);
  const std::vector<char*> environment_pointers = pointers(environment);
  const std::string input = what.input.empty() ? "/dev/null" : what.input.string();
  const std::string output = what.output.empty() ? "/dev/null" : what.output.string();
  const identity who = identity_of(what.user);
  const pid_t parent = getpid();

  pid_ = fork();
  if (pid_ < 0) throw failure(std::string("cannot fork: ") + std::strerror(errno));
  if (pid_ == 0) {
    become(argument_pointers.data(), environment_pointers.data(), input.c_str(), output.c_str(), who,
           what.death_signal, parent);
  }
  setpgid(pid_, pid_);  // whoever comes first: kill() must find the group
  descriptor_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));  // glibc 2.36 declares it for C alone
  if (descriptor_ < 0) {
    const int error = errno;
    ::kill(pid_, SIGKILL);
    reap(true);
    throw failure(std::string("cannot watch the child: ") + std::strerror(error));
  }
}

process::~process() {
  if (pid_ > 0 && !exit_code_) {
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    reap(true);
  }
  if (descriptor_ >= 0) close(descriptor_);
}

bool process::reap(bool block) {
  if (exit_code_) return true;
  int status = 0;
  pid_t ended = 0;
  do {
    ended = waitpid(pid_, &status, block ? 0 : WNOHANG);
  } while (ended < 0 && errno == EINTR);
  if (ended != pid_) return false;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return true;
}

bool process::running() { return !reap(false); }

void process::signal(int number) {
  if (running()) ::kill(pid_, number);
}

std::optional<int> process::wait(std::chrono::milliseconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!reap(false)) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return std::nullopt;
    pollfd ended{.fd = descriptor_, .events = POLLIN, .revents = 0};
    ::poll(&ended, 1, static_cast<int>(left.count()) + 1);
  }
  return exit_code_;
}

finished run(program what, const std::string& input, std::chrono::milliseconds deadline) {
  const temporary_directory directory;
  what.input = directory.path() / "input";
  what.output = directory.path() / "output";
  write_file(what.input, input);
  process child(what);
  const std::optional<int> exit_code = child.wait(deadline);
  std::string output = read_file(what.output);
  if (!exit_code) throw failure(what.arguments.front() + " did not end in time; it said: " + output);
  return {.exit_code = *exit_code, .output = std::move(output)};
}

std::string run_or_fail(program what, const std::string& input, std::chrono::milliseconds deadline) {
  std::string line;
  for (const std::string& each : what.arguments) line += each + " ";
  finished result = run(std::move(what), input, deadline);
  if (result.exit_code != 0) {
    throw failure(line + "ended with " + std::to_string(result.exit_code) + ": " + result.output);
  }
  return std::move(result.output);
}

}  // namespace restante::support
