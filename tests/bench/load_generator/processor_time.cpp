#include "processor_time.h"

#include <filesystem>
#include <fstream>
#include <string>

namespace restante::bench {
namespace {

processor_time read_time(const std::filesystem::path& task) {
  std::ifstream text(task / "schedstat");
  processor_time read;
  text >> read.running_ns >> read.waiting_ns;
  return read;
}

std::filesystem::path tasks_of(pid_t process) { return "/proc/" + std::to_string(process) + "/task"; }

}  // namespace

processor_time main_thread_time(pid_t process) {
  return read_time(tasks_of(process) / std::to_string(process));
}

processor_time all_threads_time(pid_t process) {
  processor_time sum;
  std::error_code gone;
  for (const auto& task : std::filesystem::directory_iterator(tasks_of(process), gone)) {
    const auto time = read_time(task.path());
    sum.running_ns += time.running_ns;
    sum.waiting_ns += time.waiting_ns;
  }
  return sum;
}

}  // namespace restante::bench
