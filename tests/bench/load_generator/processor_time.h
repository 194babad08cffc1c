// How much processor time threads have had, from /proc/PID/task/TID/schedstat.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace restante::bench {

struct processor_time {
  std::int64_t running_ns = 0;
  std::int64_t waiting_ns = 0;  // ready to run, and no processor was free

  friend processor_time operator-(processor_time a, processor_time b) {
    return {.running_ns = a.running_ns - b.running_ns, .waiting_ns = a.waiting_ns - b.waiting_ns};
  }
};

// Zero when there is no such process.
processor_time main_thread_time(pid_t process);
processor_time all_threads_time(pid_t process);

}  // namespace restante::bench
